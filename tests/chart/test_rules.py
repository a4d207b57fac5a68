"""Each alert fires, does not, resolves, and stays silent without data, as promtool sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import yaml
from tests.chart.generated import CHART

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("chart")]

RULES = CHART / "files/rules/benchwarden.rules.yaml"
ALERTS = [
    rule["alert"]
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]


@dataclass(frozen=True)
class Story:
    """Series as time goes by, and how many alerts fire when.

    Attributes:
        step: time between two samples and two evaluations.
        series: samples in promtool's notation by (metric, labels).
        firing: number of firing alerts by time.
    """

    alert: str
    step: str
    series: dict[str, str]
    firing: dict[str, int]


def of(metric: str, schedule: str = "daily", **labels: str) -> str:
    """A series of a schedule."""
    base = {
        "namespace": "bench",
        "schedule": schedule,
        "series": "latest",
        "suite": "mini",
        "model": "m",
    }
    return named(metric, **base, **labels)


def run(metric: str, name: str = "r") -> str:
    """A series of a run."""
    return named(f"run_{metric}", namespace="bench", run=name, suite="mini", model="m")


def named(metric: str, **labels: str) -> str:
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"benchwarden_{metric}{{{inner}}}"


CAPABILITY = {"component": "capability"}
BETTER = {"component": "improvement"}
# Up from the tenth minute to the seventieth; keep_firing_for adds fifteen minutes.
AN_HOUR = {"5m": 0, "11m": 1, "70m": 1, "80m": 1, "90m": 0}
STORIES = {
    "an open alarm pages until it is closed": Story(
        "BenchwardenDegraded",
        "1m",
        {
            of("monitor_alarm", **CAPABILITY): "0x9 1x60 0x60",
            of("monitor_alarm", component="breakage"): "0x200",
            of("data_quality_ok"): "1x200",
            of("monitor_acknowledged"): "0x200",
        },
        AN_HOUR,
    ),
    "an alarm on a day without enough results does not page": Story(
        "BenchwardenDegraded",
        "1m",
        {of("monitor_alarm", **CAPABILITY): "1x60", of("data_quality_ok"): "0x60"},
        {"30m": 0},
    ),
    "an acknowledged alarm stops": Story(
        "BenchwardenDegraded",
        "1m",
        {
            of("monitor_alarm", **CAPABILITY): "1x100",
            of("data_quality_ok"): "1x100",
            of("monitor_acknowledged"): "0x30 1x70",
        },
        {"30m": 1, "60m": 0},
    ),
    "a restart of the operator is no second page": Story(
        "BenchwardenDegraded",
        "1m",
        {
            of("monitor_alarm", **CAPABILITY): "1x30 _x10 1x60",
            of("data_quality_ok"): "1x30 _x10 1x60",
        },
        {"30m": 1, "39m": 1, "60m": 1},
    ),
    "each series pages for itself": Story(
        "BenchwardenDegraded",
        "1m",
        {
            of("monitor_alarm", schedule, **CAPABILITY): "1x60"
            for schedule in ("daily", "weekly", "held")
        }
        | {of("data_quality_ok", schedule): "1x60" for schedule in ("daily", "weekly")},
        {"30m": 2},
    ),
    "a confirmed degradation": Story(
        "BenchwardenDegradationConfirmed",
        "1m",
        {
            of("monitor_state", state="confirmed"): "0x9 1x60 0x60",
            of("monitor_state", state="degraded"): "1x9 0x120",
        },
        AN_HOUR,
    ),
    "an improvement": Story(
        "BenchwardenImproved",
        "1m",
        {
            of("monitor_statistic", **BETTER): "5x9 5.1x60 5x60",
            of("monitor_threshold", **BETTER): "5.1x200",
            of("monitor_statistic", **CAPABILITY): "9x200",
            of("monitor_threshold", **CAPABILITY): "5.1x200",
        },
        AN_HOUR,
    ),
    "no run for 36 hours": Story(
        "BenchwardenScheduleStale",
        "10m",
        {
            of("last_run_timestamp_seconds"): "0x239 144000x60",
            of("schedule_suspended"): "0x300",
            of("last_run_timestamp_seconds", "resting"): "0x300",
            of("schedule_suspended", "resting"): "1x300",
        },
        {"36h": 0, "36h20m": 1, "39h50m": 1, "41h": 0},
    ),
    "a schedule that never had a run": Story(
        "BenchwardenScheduleStale",
        "10m",
        {
            of("schedule_suspended"): "0x300",
            of("last_run_timestamp_seconds"): "_x239 144000x60",
            of("schedule_suspended", "resting"): "1x300",
        },
        {"35h50m": 0, "36h20m": 1, "41h": 0},
    ),
    "infrastructure errors above ten per cent": Story(
        "BenchwardenInfraErrorsHigh",
        "1m",
        {of("infra_error_ratio"): "0.1x9 0.11x60 0.1x60"},
        AN_HOUR,
    ),
    "an incomplete day": Story(
        "BenchwardenCoverageLow", "1m", {of("data_quality_ok"): "1x9 0x60 1x60"}, AN_HOUR
    ),
    "a baseline that gains no day": Story(
        "BenchwardenBaselineMissing",
        "1h",
        {
            of("baseline_progress_ratio"): "0.5x80 0.6x60",
            of("baseline_progress_ratio", "growing"): "0+0.005x140",
            of("baseline_progress_ratio", "ready"): "1x140",
            of("baseline_progress_ratio", "resting"): "0.5x140",
            of("schedule_suspended", "resting"): "1x140",
        },
        {"72h": 0, "74h": 1, "80h": 1, "84h": 0},
    ),
    "a baseline that cannot be": Story(
        "BenchwardenBaselineMissing",
        "1h",
        {of("monitor_state", state="baseline_impossible"): "0x4 1x9 0x20"},
        {"4h": 0, "7h": 1, "20h": 0},
    ),
    "a budget that runs out": Story(
        "BenchwardenBudgetNearlySpent",
        "1m",
        {
            run("cost_usd"): "0+1x90",
            run("budget_usd"): "50x90",
            run("finished_timestamp_seconds"): "_x60 3600x60",
            run("cost_usd", "unlimited"): "90x90",
            run("cost_usd", "nothing"): "1x90",
            run("budget_usd", "nothing"): "0x90",
        },
        {"45m": 0, "46m": 1, "59m": 1, "70m": 1, "80m": 0},
    ),
    "a run without results": Story(
        "BenchwardenRunStuck",
        "10m",
        {
            run("started_timestamp_seconds"): "0x80",
            run("last_result_timestamp_seconds"): "_x41 25200x40",
            run("started_timestamp_seconds", "ended"): "0x80",
            run("finished_timestamp_seconds", "ended"): "60x80",
        },
        {"6h": 0, "6h20m": 1, "6h50m": 1, "7h30m": 0},
    ),
    "a run whose results stop coming": Story(
        "BenchwardenRunStuck",
        "10m",
        {
            run("started_timestamp_seconds"): "0x80",
            run("last_result_timestamp_seconds"): "3600x80",
        },
        {"7h": 0, "7h20m": 1},
    ),
    "an operator that goes away and comes back": Story(
        "BenchwardenOperatorDown",
        "1m",
        {
            named("build_info", namespace="bench", job="benchwarden"): "1x30 _x60 1x60",
            named("build_info", namespace="other", job="benchwarden"): "1x160",
        },
        {"30m": 0, "40m": 0, "50m": 1, "120m": 0},
    ),
    "an operator that stays away": Story(
        "BenchwardenOperatorDown",
        "1m",
        {named("build_info", namespace="bench", job="benchwarden"): "1x30 _x600"},
        {"30m": 0, "50m": 1, "6h20m": 1, "6h38m": 1, "8h": 1},
    ),
}


def played(stories: list[Story], extra: dict | None = None) -> dict:
    """promtool's test file of the stories."""
    return {
        "rule_files": [str(RULES)],
        "evaluation_interval": stories[0].step,
        "tests": [
            {
                "interval": story.step,
                "input_series": [
                    {"series": name, "values": values} for name, values in story.series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{story.alert}",alertstate="firing"}})'
                        " or vector(0)",
                        "eval_time": moment,
                        "exp_samples": [{"labels": "{}", "value": count}],
                    }
                    for moment, count in story.firing.items()
                ],
                **(extra or {}),
            }
            for story in stories
        ],
    }


def assert_passes(promtool, tmp_path, document: dict) -> None:
    path = tmp_path / "test.json"
    path.write_text(json.dumps(document))
    done = promtool("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules(promtool):
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_query_of_the_dashboard_is_one_that_prometheus_understands(promtool, tmp_path):
    shown = json.loads((CHART / "files/dashboards/benchwarden.json").read_text())
    queries = [
        *(target["expr"] for panel in shown["panels"] for target in panel.get("targets", ())),
        *(each["expr"] for each in shown["annotations"]["list"]),
    ]
    assert len(queries) > 20
    rules = [
        {"record": f"query_{number}", "expr": text.replace("$__rate_interval", "5m")}
        for number, text in enumerate(queries)
    ]
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_story_of_every_alert_that_begins_silent_fires_and_resolves():
    for alert in ALERTS:
        told = [list(story.firing.values()) for story in STORIES.values() if story.alert == alert]
        assert any(counts[0] == 0 and 1 in counts and counts[-1] == 0 for counts in told), alert


@pytest.mark.parametrize("title", STORIES)
def test_alert(promtool, tmp_path, title):
    assert_passes(promtool, tmp_path, played([STORIES[title]]))


def test_promtool_really_counts(promtool, tmp_path):
    story = STORIES["an open alarm pages until it is closed"]
    wrong = Story(story.alert, story.step, story.series, {"11m": 0})
    with pytest.raises(AssertionError, match="got"):
        assert_passes(promtool, tmp_path, played([wrong]))


def test_without_data_only_the_operators_absence_is_told(promtool, tmp_path):
    silent = [
        Story(alert, "1m", {"up": "1x700"}, {"1h": int(alert == "BenchwardenOperatorDown")})
        for alert in ALERTS
    ]
    assert_passes(promtool, tmp_path, played(silent))


def test_the_page_names_day_size_versions_and_where_the_instances_are(promtool, tmp_path):
    info = {"panel": "p", "identity": "i"}
    story = Story(
        "BenchwardenDegraded",
        "1m",
        {
            of("monitor_alarm", **CAPABILITY): "0x9 1x60",
            of("data_quality_ok"): "1x70",
            of("monitor_changepoint_timestamp_seconds"): "600x70",
            of("schedule_info", cli_version="2.1.329", **info): "1x10 _x60",
            of("schedule_info", cli_version="2.1.330", **info): "_x11 1x60",
            of("delta_ratio", window="7d"): "-0.1234x70",
            of("delta_ratio_ci_lower", window="7d"): "-0.2x70",
            of("delta_ratio_ci_upper", window="7d"): "-0.05x70",
            of("delta_ratio", window="1d"): "-0.5x70",
        },
        {"30m": 1},
    )
    page = {
        "summary": "The agent got worse on mini (schedule bench/daily)",
        "description": (
            "The capability monitor of m on mini, series latest, has crossed its threshold."
            " The first bad day began at about 1970-01-01 00:10:00 +0000 UTC; CLI before it: 2.1.329,"
            " now: 2.1.330. Change over 7 days: -12.3 points (95 % interval -20.0 to -5.0)."
            " The instances that changed most are in status.flipped:"
            " kubectl -n bench get benchmarkschedule daily -o yaml"
        ),
        "runbook_url": "https://benchwarden.dev/runbooks/BenchwardenDegraded",
    }
    labels = {
        "severity": "critical",
        "namespace": "bench",
        "schedule": "daily",
        "series": "latest",
        "suite": "mini",
        "model": "m",
        "component": "capability",
    }
    expected = {
        "eval_time": "30m",
        "alertname": story.alert,
        "exp_alerts": [{"exp_labels": labels, "exp_annotations": page}],
    }
    document = played([story], {"alert_rule_test": [expected]})
    assert_passes(promtool, tmp_path, document)


@pytest.mark.parametrize(
    "title", [title for title, story in STORIES.items() if any(story.firing.values())]
)
def test_the_text_of_a_firing_alert_has_no_error_in_it(promtool, tmp_path, title):
    """promtool prints what it got instead of the impossible text that is asked for."""
    story = STORIES[title]
    moment = next(moment for moment, count in story.firing.items() if count)
    asked = {"eval_time": moment, "alertname": story.alert, "exp_alerts": []}
    path = tmp_path / "test.json"
    path.write_text(json.dumps(played([story], {"alert_rule_test": [asked]})))
    told = promtool("test", "rules", str(path))
    assert story.alert in told.stdout + told.stderr
    assert "error" not in (told.stdout + told.stderr).lower().replace("benchwardeninfraerrors", "")
