import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from benchwarden.report.summary import Heading
from benchwarden.results import row as rows_of
from benchwarden.results.row import Row
from benchwarden.scheduling.identity import GRADER_RULES
from benchwarden.telemetry import catalogue, instruments
from benchwarden.telemetry.collector import SnapshotCollector
from benchwarden.telemetry.figures import RunFigures
from benchwarden.telemetry.instruments import Instruments
from benchwarden.telemetry.snapshot import Distribution, RunSample, Snapshot

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(
    instance: str, kind: str = rows_of.KIND_VERDICT, outcome: str = "resolved", launch: int = 1
) -> Row:
    return Row(
        instance,
        0,
        launch,
        kind,
        outcome,
        "batch-0",
        f"2026-01-01T12:00:0{launch}Z",
        agent_seconds=100.0,
        grade_seconds=5.0,
        cost_usd="0.25",
        input_tokens=10,
    )


def sample(*rows: Row, name: str = "nightly", planned: tuple[str, ...] = ("a", "b")) -> RunSample:
    heading = Heading(
        run=name,
        namespace="bench",
        suite="mini",
        model="claude-opus",
        agent="claudeCode",
        cli_version="2.1.330",
        panel_digest="0123456789abcdef",
        started_at=NOON,
    )
    return RunFigures(len(planned)).sample(heading, rows, budget_usd=Decimal(5))


def scrape(snapshot: Snapshot) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(exposition(snapshot)):
        for each in family.samples:
            found.setdefault(each.name, {})[frozenset(each.labels.items())] = each.value
    return found


def exposition(snapshot: Snapshot) -> str:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(lambda: snapshot))
    return generate_latest(registry).decode()


def value(snapshot: Snapshot, metric: str, /, **labels: str) -> float:
    matching = [
        number for known, number in scrape(snapshot)[metric].items() if set(labels.items()) <= known
    ]
    assert len(matching) == 1
    return matching[0]


def busy() -> Snapshot:
    health = Instruments()
    health.reconciled("run", instruments.SUCCESS, 0.004)
    health.reconciled("run", instruments.ERROR, 2.0)
    health.requested("patch", "409")
    health.run_ended("Completed")
    health.stored(3)
    health.conflicting()
    health.lost(2)
    health.queue("runs", 4)
    health.waited("run", 1.7)
    health.informed("jobs", NOON)
    health.loop_lag(0.25)
    return Snapshot((sample(row("a"), row("b", outcome="unresolved")),), health.read())


def test_the_reconcile_lag_is_a_histogram_fine_enough_to_tell_two_seconds() -> None:
    name = "benchwarden_workqueue_queue_duration_seconds"
    assert value(busy(), f"{name}_bucket", name="run", le="1.5") == 0
    assert value(busy(), f"{name}_bucket", name="run", le="2.0") == 1
    assert value(busy(), f"{name}_sum", name="run") == 1.7


def test_a_run_shows_its_rate_interval_money_and_tokens() -> None:
    snapshot = busy()
    assert value(snapshot, "benchwarden_run_pass_ratio", run="nightly", namespace="bench") == 0.5
    assert 0 < value(snapshot, "benchwarden_run_pass_ratio_ci_lower", ci="0.95") < 0.5
    assert 0.5 < value(snapshot, "benchwarden_run_pass_ratio_ci_upper", ci="0.95") < 1
    assert value(snapshot, "benchwarden_run_trials", outcome="missing") == 0
    assert value(snapshot, "benchwarden_run_outcomes", **{"class": "unresolved"}) == 1
    assert value(snapshot, "benchwarden_run_cost_usd") == 0.5
    assert value(snapshot, "benchwarden_run_budget_usd") == 5
    assert value(snapshot, "benchwarden_run_tokens", kind="input") == 20
    assert value(snapshot, "benchwarden_run_info", cli_version="2.1.330", panel="0123456789ab") == 1
    assert value(snapshot, "benchwarden_run_info", grader=str(GRADER_RULES)) == 1
    assert value(snapshot, "benchwarden_run_suspended") == 0
    assert value(snapshot, "benchwarden_run_agent_seconds_bucket", le="120.0") == 2
    assert value(snapshot, "benchwarden_run_agent_seconds_sum") == 200
    assert (
        value(snapshot, "benchwarden_run_last_result_timestamp_seconds")
        == (NOON + timedelta(seconds=1)).timestamp()
    )


def test_a_suspended_run_says_so() -> None:
    snapshot = Snapshot((replace(sample(), suspended=True),))
    assert value(snapshot, "benchwarden_run_suspended", run="nightly") == 1


def test_the_operator_shows_its_own_health() -> None:
    snapshot = busy()
    assert value(snapshot, "benchwarden_reconcile_total", controller="run", result="success") == 1
    assert value(snapshot, "benchwarden_reconcile_errors_total", controller="run") == 1
    assert value(snapshot, "benchwarden_reconcile_time_seconds_bucket", le="0.005") == 1
    assert value(snapshot, "benchwarden_reconcile_time_seconds_bucket", le="+Inf") == 2
    assert (
        value(snapshot, "benchwarden_rest_client_requests_total", code="409", method="PATCH") == 1
    )
    assert value(snapshot, "benchwarden_result_rows_stored_total") == 3
    assert value(snapshot, "benchwarden_lost_verdicts_total") == 2
    assert value(snapshot, "benchwarden_workqueue_depth", name="runs") == 4
    assert value(snapshot, "benchwarden_event_loop_lag_seconds") == 0.25
    assert value(snapshot, "benchwarden_informer_last_sync_timestamp_seconds") == NOON.timestamp()


def test_what_is_not_known_has_no_series() -> None:
    found = scrape(Snapshot((sample(),)))
    assert "benchwarden_run_pass_ratio" not in found
    assert "benchwarden_run_pass_ratio_ci_lower" not in found
    assert "benchwarden_run_finished_timestamp_seconds" not in found
    assert "NaN" not in exposition(Snapshot((sample(),)))


def test_known_results_start_at_zero_so_that_a_first_error_is_an_increase() -> None:
    snapshot = Snapshot(health=Instruments().read())
    assert value(snapshot, "benchwarden_reconcile_total", result="error") == 0
    assert value(snapshot, "benchwarden_reconcile_time_seconds_count") == 0


def test_series_disappear_with_their_run() -> None:
    held = [Snapshot((sample(name="one"), sample(name="two")))]
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(lambda: held[0]))
    assert b'run="one"' in generate_latest(registry)
    held[0] = Snapshot((sample(name="two"),))
    assert b'run="one"' not in generate_latest(registry)
    assert b'run="two"' in generate_latest(registry)


def test_registering_needs_no_snapshot() -> None:
    def never() -> Snapshot:
        raise AssertionError

    CollectorRegistry().register(SnapshotCollector(never))


def test_every_metric_of_the_catalogue_is_scraped_and_no_other() -> None:
    finished = sample(row("a"), row("b"))
    everything = Snapshot((_finished(finished),), busy().health)
    scraped = {family.name for family in text_string_to_metric_families(exposition(everything))}
    assert scraped == {metric.name.removesuffix("_total") for metric in catalogue.METRICS}


def test_no_label_names_an_instance() -> None:
    labels = {label for metric in catalogue.METRICS for label in metric.labels}
    assert not {"instance", "id", "pod", "job", "batch", "trial"} & labels


def test_a_value_on_a_bound_is_within_it() -> None:
    found = Distribution.of([1.0, 1.5, 2.0, 9.0], (1.0, 2.0))
    assert found.counts == (1, 2, 1)
    assert found.total == 13.5


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)"
)
def test_promtool_finds_nothing_to_complain_about() -> None:
    everything = Snapshot((_finished(sample(row("a"), row("b"))),), busy().health)
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(everything),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def _finished(run: RunSample) -> RunSample:
    return replace(run, finished_at=NOON)
