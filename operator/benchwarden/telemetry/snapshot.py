"""A snapshot is what one scrape shows: immutable, made by the controller, replaced as a whole.

A run that is not in the snapshot has no series, so series disappear with their run and nothing is stale.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from benchwarden.stats.proportion import Interval
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
        return cls(bounds, (0,) * (len(bounds) + 1), 0.0).more(values)

    def more(self, values: Iterable[float]) -> "Distribution":
        """Return the distribution of these values and those it was made of."""
        counts, total = list(self.counts), self.total
        for value in values:
            counts[bisect_left(self.bounds, value)] += 1
            total += value
        return Distribution(self.bounds, tuple(counts), total)


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
