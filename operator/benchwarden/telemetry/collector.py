"""One collector turns the snapshot of the moment into metric families, in catalogue order."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from benchwarden import __version__
from benchwarden.scheduling.identity import GRADER_RULES
from benchwarden.telemetry import catalogue
from benchwarden.telemetry.catalogue import COUNTER, HISTOGRAM, Metric
from benchwarden.telemetry.schedule_catalogue import SCHEDULE_METRICS
from benchwarden.telemetry.schedule_series import of_schedule
from benchwarden.telemetry.snapshot import Distribution, Labels, OperatorHealth, RunSample, Snapshot

CONFIDENCE: Final = "0.95"
GRADER: Final = str(GRADER_RULES)
ALL_METRICS: Final = (*catalogue.METRICS, *SCHEDULE_METRICS)

Value = float | Distribution
Series = tuple[tuple[str, ...], Value]


class SnapshotCollector(Collector):
    """Shows what `read` returns at each scrape.

    Args:
        read: gives the snapshot; called once a scrape, from the scrape's thread.
    """

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._read = read

    def describe(self) -> Iterable[Family]:
        """Name the families without reading a snapshot: registration must not need one."""
        return [_family(metric, ()) for metric in ALL_METRICS]

    def collect(self) -> Iterator[Family]:
        """Return all families; one without series is left out."""
        started = time.perf_counter()
        snapshot = self._read()
        found: dict[str, list[Series]] = {metric.name: [] for metric in ALL_METRICS}
        for sample in snapshot.runs:
            for metric, labels, value in _of_run(sample):
                found[metric.name].append(((*sample.labels, *labels), value))
        for schedule in snapshot.schedules:
            for metric, labels, value in of_schedule(schedule):
                found[metric.name].append(((*schedule.labels, *labels), value))
        for metric, labels, value in _of_operator(snapshot.health):
            found[metric.name].append((labels, value))
        found[catalogue.SCRAPE_SECONDS.name].append(((), time.perf_counter() - started))
        for metric in ALL_METRICS:
            if found[metric.name]:
                yield _family(metric, found[metric.name])


def _family(metric: Metric, series: Iterable[Series]) -> Family:
    if metric.kind == HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in series:
            assert isinstance(value, Distribution)  # noqa: S101  # only histograms get one
            histogram.add_metric(labels, _buckets(value), value.total)
        return histogram
    make = CounterMetricFamily if metric.kind == COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in series:
        assert not isinstance(value, Distribution)  # noqa: S101  # see above
        family.add_metric(labels, value)
    return family


def _buckets(found: Distribution) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in found.bounds), "+Inf"]
    return list(zip(bounds, accumulate(found.counts), strict=True))


def _of_run(run: RunSample) -> Iterator[tuple[Metric, tuple[str, ...], Value]]:
    yield catalogue.RUN_INFO, (run.agent, run.cli_version, run.panel, GRADER), 1
    yield catalogue.RUN_SUSPENDED, (), float(run.suspended)
    if run.pass_ratio is not None:
        yield catalogue.RUN_PASS_RATIO, (), run.pass_ratio
        yield catalogue.RUN_PASS_CI_LOWER, (CONFIDENCE,), run.interval.lower
        yield catalogue.RUN_PASS_CI_UPPER, (CONFIDENCE,), run.interval.upper
    yield from _each(catalogue.RUN_TRIALS, run.groups)
    yield from _each(catalogue.RUN_OUTCOMES, run.outcomes)
    yield catalogue.RUN_COVERAGE, (), run.coverage_ratio
    yield catalogue.RUN_COST, (), float(run.cost_usd)
    if run.budget_usd is not None:
        yield catalogue.RUN_BUDGET, (), float(run.budget_usd)
    yield from _each(catalogue.RUN_TOKENS, run.tokens)
    yield catalogue.RUN_AGENT_SECONDS, (), run.agent_seconds
    yield catalogue.RUN_GRADE_SECONDS, (), run.grade_seconds
    yield catalogue.RUN_RETRIES, (), run.retries
    yield catalogue.RUN_CONFLICTS, (), run.conflicts
    for metric, moment in (
        (catalogue.RUN_STARTED, run.started_at),
        (catalogue.RUN_FINISHED, run.finished_at),
        (catalogue.RUN_LAST_RESULT, run.last_result_at),
    ):
        if moment is not None:
            yield metric, (), moment.timestamp()


def _each(
    metric: Metric, values: Mapping[str, int]
) -> Iterator[tuple[Metric, tuple[str, ...], Value]]:
    for label, value in values.items():
        yield metric, (label,), value


def _of_operator(health: OperatorHealth) -> Iterator[tuple[Metric, tuple[str, ...], Value]]:
    families: tuple[tuple[Metric, Mapping[Labels, Value]], ...] = (
        (catalogue.RECONCILES, health.reconciles),
        (catalogue.RECONCILE_ERRORS, health.reconcile_errors),
        (catalogue.RECONCILE_SECONDS, health.reconcile_seconds),
        (catalogue.QUEUE_SECONDS, health.queue_seconds),
        (catalogue.REST_REQUESTS, health.rest_requests),
        (catalogue.RUNS, health.runs_ended),
        (catalogue.QUEUE_DEPTH, health.queue_depth),
    )
    for metric, values in families:
        for labels, value in values.items():
            yield metric, labels, value
    for labels, moment in health.informer_synced_at.items():
        yield catalogue.INFORMER_SYNC, labels, moment.timestamp()
    yield catalogue.LOOP_LAG, (), health.loop_lag_seconds
    yield catalogue.ROWS_STORED, (), health.rows_stored
    yield catalogue.CONFLICTING, (), health.conflicting_verdicts
    yield catalogue.LOST, (), health.lost_verdicts
    yield catalogue.BUILD_INFO, (__version__, platform.python_version()), 1
