"""The page tells which CLI measured before the drop and which one measures now, where Prometheus remembers the days.

Prometheus and Alertmanager are the real ones; the series are those that the operator exports of a history in which
the CLI changed on the day of the drop.
"""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from tests.chain.outside import Outside
from tests.chain.programs import alertmanager, prometheus, remembered
from tests.chart.generated import CHART
from tests.installed import await_true
from tests.unit.scheduling.bench import ScheduleBench
from tests.unit.telemetry.test_schedule_series import (
    QUIET,
    exposition,
    sample,
    values,
    worse_from_the_20th,
)

from benchwarden.scheduling.figures import cli_change_figure
from benchwarden.telemetry.collector import SnapshotCollector
from benchwarden.telemetry.snapshot import Snapshot

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300)]

BEFORE, SINCE = "2.1.329", "2.1.330"
RULES = CHART / "files/rules/benchwarden.rules.yaml"
INFO = "benchwarden_schedule_info"
FIVE_MINUTES = 300


@pytest.fixture
def pager():
    outside = Outside("127.0.0.1")
    yield outside
    outside.close()


@pytest.fixture
def history() -> ScheduleBench:
    """Good days with one CLI; a `days` more, and there is a drop on the day of another one."""
    bench = ScheduleBench(instances=50, outcome=worse_from_the_20th, **QUIET)
    bench.version = lambda day: SINCE if day >= "2026-03-20" else BEFORE
    return bench.days(18)


@pytest.fixture
def operator():
    """Serves what it is told to show; gives that and the address."""
    shown = CollectorRegistry()
    server, thread = start_http_server(0, "127.0.0.1", shown)
    yield shown, f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def info_in(text: str) -> str:
    (line,) = (each for each in text.splitlines() if each.startswith(f"{INFO}{{"))
    return line


def test_a_page_names_the_cli_before_the_drop_and_the_one_of_now(
    history, operator, pager, tmp_path
):
    good = info_in(exposition(sample(history)))
    assert BEFORE in good
    history.days(6)
    now = sample(history)
    began = values(exposition(now), "benchwarden_monitor_changepoint_timestamp_seconds")[()]
    moments = range(int(began) - 12 * FIVE_MINUTES, int(began), FIVE_MINUTES)
    past = remembered(tmp_path, ((good, moment) for moment in moments))

    registry, address = operator
    registry.register(SnapshotCollector(lambda: Snapshot(schedules=(now,))))
    with (
        alertmanager(tmp_path / "alertmanager", f"{pager.url}/page") as pages,
        prometheus(tmp_path / "prometheus", address, RULES, pages, past),
    ):
        await_true(lambda: pager.pages_of("BenchwardenDegraded"), 60, "the page")
    (page,) = pager.pages_of("BenchwardenDegraded")
    assert f"CLI before it: {BEFORE}, now: {SINCE}." in page["annotations"]["description"]
    assert f"{BEFORE} -> {SINCE}" in cli_change_figure(now.evaluation)
