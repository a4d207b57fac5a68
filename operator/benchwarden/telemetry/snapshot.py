"""A snapshot is what one scrape shows: immutable, made by the controller, replaced as a whole.

A run that is not in the snapshot has no series, so series disappear with their run and nothing is stale.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from benchwarden.report.summary import Summary
from benchwarden.results.row import Row
from benchwarden.stats.proportion import Interval
from benchwarden.telemetry import catalogue
from benchwarden.telemetry.schedule_series import ScheduleSample

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Observations counted into buckets.

    Attributes:
        counts: not cumulative, one per upper bound and a last one for what lies above all.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @classmethod
    def of(cls, values: Iterable[float], bounds: tuple[float, ...]) -> "Distribution":
        """Return the distribution of `values`; a value equal to a bound is within it."""
        counts = [0] * (len(bounds) + 1)
        total = 0.0
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            total += value
        return cls(bounds, tuple(counts), total)


@dataclass(frozen=True, slots=True)
class RunSample:
    """Numbers of one run; every text is a label value, so all of them are of low cardinality."""

    namespace: str
    run: str
    suite: str
    model: str
    agent: str
    cli_version: str
    panel: str
    groups: Mapping[str, int]
    outcomes: Mapping[str, int]
    pass_ratio: float | None
    interval: Interval
    coverage_ratio: float
    cost_usd: Decimal
    budget_usd: Decimal | None
    tokens: Mapping[str, int]
    agent_seconds: Distribution
    grade_seconds: Distribution
    retries: int
    conflicts: int
    started_at: datetime | None
    finished_at: datetime | None
    last_result_at: datetime | None
    suspended: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Values of `catalogue.RUN_LABELS`."""
        return (self.namespace, self.run, self.suite, self.model)


@dataclass(frozen=True, slots=True)
class OperatorHealth:
    """The operator's own numbers; keys of the mappings are the label values, in catalogue order."""

    reconciles: Mapping[Labels, int] = field(default_factory=dict)
    reconcile_errors: Mapping[Labels, int] = field(default_factory=dict)
    reconcile_seconds: Mapping[Labels, Distribution] = field(default_factory=dict)
    queue_seconds: Mapping[Labels, Distribution] = field(default_factory=dict)
    rest_requests: Mapping[Labels, int] = field(default_factory=dict)
    runs_ended: Mapping[Labels, int] = field(default_factory=dict)
    queue_depth: Mapping[Labels, int] = field(default_factory=dict)
    informer_synced_at: Mapping[Labels, datetime] = field(default_factory=dict)
    loop_lag_seconds: float = 0.0
    rows_stored: int = 0
    conflicting_verdicts: int = 0
    lost_verdicts: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is shown: runs and schedules in any order, no two with the same labels."""

    runs: tuple[RunSample, ...] = ()
    health: OperatorHealth = field(default_factory=OperatorHealth)
    schedules: tuple[ScheduleSample, ...] = ()


def run_sample(
    summary: Summary, rows: Iterable[Row], budget_usd: Decimal | None = None
) -> RunSample:
    """Return the sample of a run from its summary and the rows it was made of."""
    heading, tokens = summary.heading, summary.tokens
    kept = list(rows)
    finished = [row.finished_at for row in kept if row.finished_at]
    return RunSample(
        namespace=heading.namespace,
        run=heading.run,
        suite=heading.suite,
        model=heading.model,
        agent=heading.agent,
        cli_version=heading.cli_version,
        panel=heading.panel_digest[:12],
        groups=summary.groups,
        outcomes=dict(summary.outcomes),
        pass_ratio=summary.pass_ratio,
        interval=summary.interval,
        coverage_ratio=summary.coverage_ratio,
        cost_usd=summary.cost_usd,
        budget_usd=budget_usd,
        tokens={
            "input": tokens.input,
            "output": tokens.output,
            "cache_read": tokens.cache_read,
            "cache_write": tokens.cache_write,
        },
        agent_seconds=Distribution.of(
            (row.agent_seconds for row in kept if row.agent_seconds > 0),
            catalogue.RUN_AGENT_SECONDS.buckets,
        ),
        grade_seconds=Distribution.of(
            (row.grade_seconds for row in kept if row.grade_seconds > 0),
            catalogue.RUN_GRADE_SECONDS.buckets,
        ),
        retries=summary.retries,
        conflicts=summary.conflicts,
        started_at=heading.started_at,
        finished_at=heading.finished_at,
        last_result_at=datetime.fromisoformat(max(finished)) if finished else None,
    )
