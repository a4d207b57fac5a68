"""What the operator says of a schedule: small, and every figure the exact text of the number computed."""

from typing import Annotated

from benchwarden.api.model import KubeModel, Unique
from benchwarden.api.scalars import Int
from benchwarden.api.status import Condition, IntervalStatus, ResultShard


class BaselineStatus(KubeModel):
    """The baseline, growing or frozen."""

    progress: str = ""
    """Complete days and days wanted, such as `9/14`."""
    digest: str = ""
    """sha256 over the frozen days, instances and counts; empty until frozen."""
    pass_rate: str = ""
    """Passed over valid trials."""
    trials: Int = 0
    """Valid trials."""
    instances: Int = 0
    """Instances of the frozen panel."""
    dropped: Int = 0
    """Instances that left the panel for want of valid trials."""
    first_day: str = ""
    """First day of the series."""
    frozen_on: str = ""
    """Last day of the baseline."""
    series: Int = 0
    """Grows with every new baseline."""
    identity: str = ""
    """sha256 of what is measured; the CLI version is no part of it."""
    problem: str = ""
    """Why there can be no baseline."""


class MonitorStatus(KubeModel):
    """The pager."""

    state: str = ""
    """baseline_collecting, baseline_impossible, ok, watch, degraded, confirmed or resolved."""
    day: str = ""
    """Last day that was judged."""
    capability: str = ""
    """CUSUM of a general loss of ability, in nats."""
    breakage: str = ""
    """CUSUM of broken sessions, in nats."""
    improvement: str = ""
    """CUSUM of a gain, in nats; it never pages."""
    threshold: str = ""
    """A page is due from here, in nats."""
    overdispersion: str = ""
    """Factor by which days vary more than chance alone."""
    evidence_log10: str = ""
    """Decimal logarithm of the evidence for a change."""
    alarm_day: str = ""
    """Day of the last alarm."""
    changepoint: str = ""
    """First day of the degradation, as estimated."""
    confirmed_on: str = ""
    """Day on which the last alarm was confirmed."""
    robust: str = ""
    """false if missing results could turn the week's verdict."""
    cli_change: str = ""
    """Newest change of the CLI up to the changepoint."""
    image_change: str = ""
    """Images that are no longer the baseline's."""
    signals: tuple[str, ...] = ()
    """The week's cost, turns, seconds, tokens; never paging."""
    attribution: str = ""
    """With a pinned series: Cli, ModelOrService, Both or Undetermined."""
    acknowledged_by: str = ""
    """Who took note of the last alarm, and why."""
    alarms: Int = 0
    """Alarms of this series."""
    false_alarms: Int = 0
    """Alarms that the days after them did not confirm."""


class WindowStatus(KubeModel):
    """The last days against the frozen baseline."""

    days: Int
    """Length in calendar days."""
    days_present: Int = 0
    """Complete days in it."""
    passes: Int = 0
    """Passed trials."""
    trials: Int = 0
    """Valid trials."""
    pass_rate: str = ""
    """Passed over valid trials."""
    pass_rate_interval: IntervalStatus | None = None
    """95 % Wilson interval."""
    expected: str = ""
    """Pass rate that the baseline expects."""
    delta: str = ""
    """Mean over instances of the change of their pass rate."""
    delta_interval: IntervalStatus | None = None
    """95 % interval of the change."""
    p_worse: str = ""
    """Exact stratified test of "worse", mid-p."""
    p_worse_holm: str = ""
    """The same, corrected for several windows."""
    minimum_detectable_effect: str = ""
    """Smallest drop that would be seen with 80 % power."""
    verdict: str = ""
    """ok, regressed, improved or inconclusive."""


class FlippedStatus(KubeModel):
    """An instance that changed."""

    instance: str
    """Id of the instance."""
    baseline: str = ""
    """Passes and trials in the baseline, such as `12/14`."""
    now: str = ""
    """Passes and trials since the change, or in the last week."""


class PinnedStatus(KubeModel):
    """The series with the pinned CLI."""

    baseline: BaselineStatus | None = None
    """Its own baseline."""
    monitor: MonitorStatus | None = None
    """Its own monitor."""
    windows: Annotated[tuple[WindowStatus, ...], Unique("days")] = ()
    """Its own windows."""


class ScheduledRun(KubeModel):
    """One of the last runs; it may have been deleted since."""

    name: str
    """Name of the run."""
    slot: str = ""
    """The moment it stands for, RFC 3339."""
    day: str = ""
    """The slot's date in the schedule's time zone."""
    reason: str = ""
    """Reason of its condition Succeeded."""
    resolved: str = ""
    """Resolved and valid trials, such as `34/50`."""
    cli_version: str = ""
    """CLI that ran."""
    factor: Int = 1
    """How often the panel was run, more than once for a closer look."""
    rolled_up: bool = False
    """Its results are kept, so that it may be deleted."""


class ScheduleHistory(KubeModel):
    """The schedule's own store of daily results."""

    days: Int = 0
    """Days with results."""
    runs: Int = 0
    """Runs in it."""
    cells: Int = 0
    """Cells of (day, instance)."""
    shards: Annotated[tuple[ResultShard, ...], Unique("name")] = ()
    """The ConfigMaps."""


class SeriesComparison(KubeModel):
    """The series before against the one that replaced it, published once."""

    series: Int = 0
    """Number of the new series."""
    summary: str = ""
    """In one sentence."""
    delta: str = ""
    """New minus old, mean over shared instances."""
    p_value: str = ""
    """Exact two-sided test."""


class RerunStatus(KubeModel):
    """Closer looks of this month."""

    month: str = ""
    """Such as 2026-03."""
    used: Int = 0
    """Closer looks taken."""
    limit: Int = 0
    """Closer looks allowed."""


class BenchmarkScheduleStatus(KubeModel):
    """What the monitor says."""

    observed_generation: Int = 0
    """Generation of the spec that this status is about."""
    conditions: Annotated[tuple[Condition, ...], Unique("type")] = ()
    """Accepted, Scheduling, BaselineReady, Degraded, DataQuality."""
    next_schedule_time: str | None = None
    """The next slot, RFC 3339."""
    last_schedule_time: str | None = None
    """The last slot that was started, RFC 3339."""
    last_successful_time: str | None = None
    """End of the last run that succeeded, RFC 3339."""
    last_missed_time: str | None = None
    """The last slot that was skipped because it was too late, RFC 3339."""
    active: tuple[str, ...] = ()
    """Runs that have not ended."""
    baseline: BaselineStatus | None = None
    """The baseline, growing or frozen."""
    monitor: MonitorStatus | None = None
    """The pager."""
    windows: Annotated[tuple[WindowStatus, ...], Unique("days")] = ()
    """The last days against the frozen baseline."""
    flipped: tuple[FlippedStatus, ...] = ()
    """The instances that changed most."""
    pinned: PinnedStatus | None = None
    """The series with the pinned CLI."""
    control: str = ""
    """The control arm's week, and the panel's without what both share."""
    comparison: SeriesComparison | None = None
    """The series before against this one."""
    reruns: RerunStatus | None = None
    """Closer looks of this month."""
    last_runs: Annotated[tuple[ScheduledRun, ...], Unique("name")] = ()
    """At most ten runs, the newest first."""
    history: ScheduleHistory | None = None
    """The schedule's own store of daily results."""
    ignored_void_days: tuple[str, ...] = ()
    """Void days that lie in the frozen baseline, which stays as it is."""
