"""From statistics to states: ok, watch, degraded, confirmed, resolved, and the tally of alarms.

An alarm opens an episode. The days strictly after it must confirm it by an exact test against the
frozen baseline within seven complete days; else it is counted as a false page. A confirmed episode
ends when a week looks like the baseline again, seven complete days running.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from benchwarden.stats.baseline import Baseline
from benchwarden.stats.difference import panel_difference
from benchwarden.stats.gate import Gate, gate_of
from benchwarden.stats.monitor import (
    WATCH_NATS,
    Component,
    Day,
    Model,
    MonitorState,
    Statistics,
    advance,
    crossed,
    highest,
    reset,
    start,
)
from benchwarden.stats.stratified import IntArray, PanelCounts, stratified_test

CONFIRM_DAYS = 7
CONFIRM_BELOW = 0.01
RESOLVE_DAYS = 7
RESOLVE_ABOVE = 0.20
RESOLVE_DELTA_ABOVE = -0.01
_WEEK = timedelta(days=7)


class Status(StrEnum):
    """What the monitor says; only ``degraded`` and ``confirmed`` page."""

    OK = "ok"
    WATCH = "watch"
    DEGRADED = "degraded"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """What became of an alarm."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One episode: when it was called, by which statistic, and the day the change is put at."""

    day: date
    component: Component
    change_day: date
    outcome: Outcome = Outcome.OPEN
    confirmed_on: date | None = None
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class DayReport:
    """One monitored day: statistics in nats before any reset, and what they led to.

    ``dispersion`` is the factor the day was judged with; on a held day everything is yesterday's.
    """

    day: date
    gate: Gate
    capability: float
    breakage: float
    improvement: float
    evidence_log10: float | None
    dispersion: float
    status: Status


@dataclass(frozen=True, slots=True, eq=False)
class Watchman:
    """The monitor with its episodes.

    ``after_alarm`` are the complete days since an alarm that is not confirmed yet, ``week`` those of
    the last seven calendar days, ``calm_days`` how many in a row looked like the baseline.
    """

    monitor: MonitorState
    status: Status
    alarms: tuple[Alarm, ...] = ()
    after_alarm: tuple[Day, ...] = ()
    week: tuple[Day, ...] = ()
    calm_days: int = 0

    @property
    def change_day(self) -> date | None:
        """First day of the degradation while an episode is open or has just ended, else None."""
        if self.status in {Status.DEGRADED, Status.CONFIRMED, Status.RESOLVED}:
            return self.alarms[-1].change_day
        return None

    @property
    def false_alarms(self) -> int:
        """Alarms that the days after them did not confirm."""
        return sum(alarm.outcome is Outcome.UNCONFIRMED for alarm in self.alarms)


def watchman(model: Model) -> Watchman:
    """Return the monitor with its episodes on the evening the baseline was frozen."""
    return Watchman(start(model), Status.OK)


def watch(
    model: Model, before: Watchman, day: date, passes: IntArray, trials: IntArray
) -> tuple[Watchman, DayReport]:
    """Return the monitor after a day, and the day's report.

    Args:
        model: Fixed at freeze.
        before: State of the evening before.
        day: The slot's date, later than every day seen.
        passes: Passes per panel instance.
        trials: Valid trials per panel instance; below 80 % coverage the day changes nothing.
    """
    gate = gate_of(trials)
    dispersion = before.monitor.learning.dispersion.factor
    if gate is Gate.HELD:
        return before, _report(day, gate, before.monitor, dispersion, before.status)
    today = Day(day, passes, trials)
    monitor = advance(model, before.monitor, today)
    week = (*(past for past in before.week if past.day > day - _WEEK), today)
    # Most days change nothing else, and `replace` is slow where there are thousands.
    seen = Watchman(
        monitor, before.status, before.alarms, before.after_alarm, week, before.calm_days
    )
    after = _judged(model, seen, today)
    return after, _report(day, gate, monitor, dispersion, after.status)


def _report(
    day: date, gate: Gate, monitor: MonitorState, dispersion: float, status: Status
) -> DayReport:
    statistics = monitor.statistics
    return DayReport(
        day=day,
        gate=gate,
        capability=statistics.capability,
        breakage=statistics.breakage,
        improvement=statistics.improvement,
        evidence_log10=monitor.evidence.log10_mean,
        dispersion=dispersion,
        status=status,
    )


def _judged(model: Model, state: Watchman, today: Day) -> Watchman:
    if state.status is Status.DEGRADED:
        return _confirm(model, state, today)
    if state.status is Status.CONFIRMED:
        return _resolve(model, state, today)
    component = crossed(model, state.monitor.statistics)
    if component is not None:
        change_day = _last_zero(state.monitor.statistics, component) + timedelta(days=1)
        alarm = Alarm(today.day, component, change_day)
        return replace(state, status=Status.DEGRADED, alarms=(*state.alarms, alarm), after_alarm=())
    level = highest(state.monitor.statistics)
    status = Status.WATCH if level > WATCH_NATS else Status.OK
    return state if status is state.status else replace(state, status=status)


def _last_zero(statistics: Statistics, component: Component) -> date:
    if component is Component.BREAKAGE:
        return statistics.breakage_zero
    return statistics.capability_zero


def _confirm(model: Model, state: Watchman, today: Day) -> Watchman:
    days = (*state.after_alarm, today)
    alarm = state.alarms[-1]
    if stratified_test(counts_of(model.baseline, days)).midp_less < CONFIRM_BELOW:
        confirmed = replace(alarm, outcome=Outcome.CONFIRMED, confirmed_on=today.day)
        return replace(
            state,
            status=Status.CONFIRMED,
            alarms=(*state.alarms[:-1], confirmed),
            after_alarm=(),
            calm_days=0,
        )
    if len(days) < CONFIRM_DAYS:
        return replace(state, after_alarm=days)
    unconfirmed = replace(alarm, outcome=Outcome.UNCONFIRMED, ended_on=today.day)
    return replace(
        state,
        status=Status.OK,
        monitor=reset(model, state.monitor, today.day, keep_before=None),
        alarms=(*state.alarms[:-1], unconfirmed),
        after_alarm=(),
    )


def _resolve(model: Model, state: Watchman, today: Day) -> Watchman:
    calm = state.calm_days + 1 if _looks_like_baseline(model.baseline, state.week) else 0
    if calm < RESOLVE_DAYS:
        return replace(state, calm_days=calm)
    alarm = state.alarms[-1]
    resolved = replace(alarm, outcome=Outcome.RESOLVED, ended_on=today.day)
    return replace(
        state,
        status=Status.RESOLVED,
        monitor=reset(model, state.monitor, today.day, keep_before=alarm.change_day),
        alarms=(*state.alarms[:-1], resolved),
        calm_days=0,
    )


def _looks_like_baseline(baseline: Baseline, week: tuple[Day, ...]) -> bool:
    counts = counts_of(baseline, week)
    difference = panel_difference(counts)
    # The difference is cheap and usually decides; the exact test is only run when it must.
    if difference is None or difference.delta <= RESOLVE_DELTA_ABOVE:
        return False
    return stratified_test(counts).midp_less > RESOLVE_ABOVE


def counts_of(baseline: Baseline, days: tuple[Day, ...]) -> PanelCounts:
    """Return the sums of the days against the frozen baseline; no day gives no trials."""
    nothing = np.zeros(len(baseline.instances), dtype=np.int64)
    return PanelCounts(
        sum((day.passes for day in days), nothing),
        sum((day.trials for day in days), nothing),
        baseline.passes,
        baseline.trials,
    )
