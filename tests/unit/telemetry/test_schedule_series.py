import shutil
import subprocess
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.scheduling.bench import ScheduleBench, steady

from benchwarden import names
from benchwarden.telemetry.collector import SnapshotCollector
from benchwarden.telemetry.schedule_catalogue import SCHEDULE_LABELS, SCHEDULE_METRICS
from benchwarden.telemetry.schedule_series import ScheduleSample
from benchwarden.telemetry.snapshot import Snapshot

QUIET = {"detection": {"rerun": {"factor": 1}}}


def worse_from_the_20th(series: str, day: str, position: int) -> float:
    return steady(series, day, position) * (0.3 if day >= "2026-03-20" else 1.0)


def sample(bench: ScheduleBench, **changes: object) -> ScheduleSample:
    runs = bench.history.runs
    fields = {
        "namespace": "bench",
        "schedule": "daily",
        "series": names.SERIES_LATEST,
        "suite": "mini",
        "model": "claude-sonnet-5-5",
        "zone": ZoneInfo("Europe/Berlin"),
        "evaluation": bench.evaluation(),
        "last": runs[-1] if runs else None,
        "results": (len(runs), 0),
        "next_at": bench.now,
    }
    return ScheduleSample(**{**fields, **changes})


def exposition(*samples: ScheduleSample) -> str:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(lambda: Snapshot(schedules=samples)))
    return generate_latest(registry).decode()


def values(text: str, metric: str) -> dict[tuple[str, ...], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            if each.name == metric:
                own = [v for k, v in sorted(each.labels.items()) if k not in SCHEDULE_LABELS]
                found[tuple(own)] = each.value
    return found


@pytest.fixture(scope="module")
def degraded() -> ScheduleBench:
    return ScheduleBench(instances=50, outcome=worse_from_the_20th, **QUIET).days(24)


def test_the_scraped_numbers_are_those_of_the_analysis_to_the_last_bit(degraded) -> None:
    text = exposition(sample(degraded))
    document = degraded.evaluation().document
    for days in ("1", "7", "30"):
        window = document["windows"][days]
        label = f"{days}d"
        assert values(text, "benchwarden_pass_ratio")[label,] == window["pass_rate"]
        assert values(text, "benchwarden_delta_ratio")[label,] == window["delta"]
        p_values = values(text, "benchwarden_degradation_pvalue")
        assert p_values["midp", label] == window["midp_less"]
        assert p_values["holm", label] == window["holm"]
    assert values(text, "benchwarden_baseline_trials")[()] == document["baseline"]["trials"]
    threshold = values(text, "benchwarden_monitor_threshold")
    assert threshold["capability",] == document["monitor"]["threshold"]


def test_an_open_alarm_is_one_on_the_statistic_that_raised_it(degraded) -> None:
    text = exposition(sample(degraded, acknowledged=True))
    alarms = values(text, "benchwarden_monitor_alarm")
    assert sorted(alarms.values()) == [0.0, 1.0]
    states = values(text, "benchwarden_monitor_state")
    assert sum(states.values()) == 1
    assert states["confirmed",] or states["degraded",]
    assert values(text, "benchwarden_monitor_acknowledged") == {(): 1.0}
    # The 20th begins in Berlin, winter time.
    assert values(text, "benchwarden_monitor_changepoint_timestamp_seconds") == {(): 1773961200.0}


def test_counters_come_from_what_is_stored_and_never_go_back() -> None:
    bench = ScheduleBench(instances=20, outcome=worse_from_the_20th, **QUIET).days(19)
    before: dict[str, float] = {}
    for _ in range(5):
        text = exposition(sample(bench.days(1)))
        again = exposition(
            sample(bench)
        )  # as after a restart: nothing but the stored days is known
        now = {
            f"{metric}{labels}": value
            for metric in ("benchwarden_schedule_runs_total", "benchwarden_alarms_total")
            for labels, value in values(text, metric).items()
        }
        assert text.replace(_duration(text), "") == again.replace(_duration(again), "")
        assert all(now[key] >= value for key, value in before.items())
        before = now
    assert sum(value for key, value in before.items() if "alarms" in key) >= 1


def _duration(text: str) -> str:
    return next(
        line
        for line in text.splitlines()
        if line.startswith("benchwarden_collector_duration_seconds")
    )


def test_a_collecting_series_shows_its_days_and_no_made_up_number() -> None:
    text = exposition(sample(ScheduleBench(**QUIET).days(3)))
    assert values(text, "benchwarden_baseline_progress_ratio") == {(): 3 / 14}
    assert values(text, "benchwarden_monitor_state")["baseline_collecting",] == 1
    for absent in ("pass_ratio", "monitor_alarm", "baseline_frozen", "verdict_robust"):
        assert f"benchwarden_{absent}" not in text
    assert "NaN" not in text


def test_a_schedule_without_a_run_has_its_own_series_only() -> None:
    bench = ScheduleBench(suspend=True)
    text = exposition(sample(bench, suspended=True, next_at=None))
    assert values(text, "benchwarden_schedule_suspended") == {(): 1.0}
    assert values(text, "benchwarden_schedule_runs_total") == {("succeeded",): 0, ("failed",): 0}
    assert "benchwarden_last_run" not in text


def test_every_metric_of_schedules_is_scraped(degraded) -> None:
    text = exposition(sample(degraded))
    scraped = {family.name for family in text_string_to_metric_families(text)}
    assert {metric.name.removesuffix("_total") for metric in SCHEDULE_METRICS} <= scraped


def test_no_label_names_an_instance() -> None:
    labels = {label for metric in SCHEDULE_METRICS for label in metric.labels}
    assert not {"instance", "id", "pod", "job", "run", "trial"} & labels


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)"
)
def test_promtool_finds_nothing_to_complain_about(degraded) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(sample(degraded)),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
