"""Replaying the detectors over synthetic panels: false pages a year and days to notice a change."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from benchwarden.stats.batch import BatchMonitor
from benchwarden.stats.batch_episodes import BatchEpisodes
from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.marginlab import ALPHA
from benchwarden.stats.monitor import MergeRule
from benchwarden.stats.synthetic import (
    Change,
    PanelKind,
    daily_shifts,
    degraded,
    draw_panels,
    shifted,
)

IntArray = npt.NDArray[np.int64]
YEAR_DAYS, MONTH_DAYS = 365, 30
DEFAULT_RERUNS_A_MONTH = 6
"""The most closer looks a schedule takes unless told otherwise."""

POOLED_WINDOWS = (1, 7, 30)
NOTICED_DAYS = (3, 7, 14, 30)
NO_CHANGE = Change()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to simulate.

    Attributes:
        panels: Independent panels.
        instances: Instances of each.
        kind: How they were chosen.
        baseline_days: Complete days before the freeze.
        days: Monitored days.
        trials: Trials per instance and day.
        change: What gets worse; none measures false pages.
        change_within: The change starts on a random day of the first so many (1: the first).
        daily_sd: Standard deviation of effects shared by a day, as a ratio of the pool's rate.
        autocorrelation: Of these effects from day to day.
        missing: Chance that a trial is lost.
        reruns: The day after the watch level everything runs so many times (1: no re-runs).
        reruns_a_month: At most so many such days in a month of 30, as the operator caps them.
        run_length_days: Mean days between false pages asked of the monitor.
        merge_rule: When waiting days join the rates.
        absorb_unconfirmed: Let the days of a page nobody confirmed join the rates instead of
            discarding them. The monitor discards; this is to show what that costs.
    """

    panels: int = 1000
    instances: int = 50
    kind: PanelKind = PanelKind.RANDOM
    baseline_days: int = 14
    days: int = YEAR_DAYS
    trials: int = 1
    change: Change = NO_CHANGE
    change_within: int = 90
    daily_sd: float = 0.0
    autocorrelation: float = 0.0
    missing: float = 0.0
    reruns: int = 1
    reruns_a_month: int = DEFAULT_RERUNS_A_MONTH
    run_length_days: float = 365.0
    merge_rule: MergeRule = MergeRule.CAPABILITY_AT_ZERO
    absorb_unconfirmed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """What one replay leaves behind, one entry per panel.

    Attributes:
        change_day: First degraded day, counted from 1; beyond the end when nothing changes.
        first_alarm: Day of the first alarm of the monitor, infinity when there is none.
        pages: Pages over all days; none while an episode is open.
        unconfirmed: Those of them that the days after did not confirm.
        runs: Mean runs a day before the change.
        pooled_flags: Days x panels, whether the pooled rule flags a degradation.
    """

    change_day: IntArray
    first_alarm: FloatArray
    pages: IntArray
    unconfirmed: IntArray
    runs: float
    pooled_flags: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Delays:
    """Days to notice a change, the first degraded day counting as day 1.

    Quantiles are None where so many panels had not noticed by the end. ``within`` are shares of
    panels that noticed within each of `NOTICED_DAYS`.
    """

    median: int | None
    p90: int | None
    within: dict[int, float]
    panels: int


def replay(scenario: Scenario, rng: np.random.Generator) -> Paths:
    """Run a scenario; equal generators give equal results."""
    world = _World(scenario, rng)
    passes, trials = world.baseline()
    monitor = BatchMonitor(
        passes, trials, scenario.trials, scenario.run_length_days, scenario.merge_rule
    )
    pooled_rate = passes.sum(axis=(0, 2)) / trials.sum(axis=(0, 2))
    panels = scenario.panels
    first_alarm = np.full(panels, np.inf)
    episodes = BatchEpisodes(monitor, passes, trials, absorb=scenario.absorb_unconfirmed)
    budget = _MonthlyBudget(panels, scenario.reruns_a_month)
    daily_passes, daily_trials = np.zeros((2, scenario.days, panels))
    runs = runs_days = 0.0
    for day in range(1, scenario.days + 1):
        again = budget.spend(day, episodes.looking)
        y, m = world.day(day, again)
        before_change = day < world.change_day
        runs += float(m[before_change].sum())
        runs_days += float(before_change.sum())
        daily_passes[day - 1], daily_trials[day - 1] = y.sum(axis=1), m.sum(axis=1)
        monitor.step(y, m)
        alarmed = episodes.step(y, m)
        first_alarm[alarmed] = np.minimum(first_alarm[alarmed], day)
    return Paths(
        change_day=world.change_day,
        first_alarm=first_alarm,
        pages=episodes.pages,
        unconfirmed=episodes.unconfirmed,
        runs=runs / runs_days if runs_days else math.nan,
        pooled_flags=pooled_flags(daily_passes, daily_trials, pooled_rate),
    )


class _MonthlyBudget:
    """Closer looks left in the month of each panel; months begin on different days."""

    def __init__(self, panels: int, most: int) -> None:
        self._most = most
        self._used = np.zeros(panels, dtype=np.int64)
        self._first = np.arange(panels) % MONTH_DAYS

    def spend(self, day: int, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which of the panels that want a closer look today may take it."""
        self._used[day % MONTH_DAYS == self._first] = 0
        allowed = wanted & (self._used < self._most)
        self._used += allowed
        return np.asarray(allowed)


class _World:
    """Draws the days of a scenario."""

    def __init__(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self._scenario, self._rng = scenario, rng
        panels = scenario.panels
        self._rates = draw_panels(rng, panels, scenario.instances, scenario.kind)
        self._worse = degraded(rng, self._rates, scenario.change)
        changes = bool(np.any(self._worse != self._rates))
        last = np.full(panels, scenario.days + 1, dtype=np.int64)
        drawn = rng.integers(1, scenario.change_within + 1, panels)
        self.change_day: IntArray = drawn.astype(np.int64) if changes else last
        self._shifts = daily_shifts(
            rng,
            scenario.baseline_days + scenario.days,
            panels,
            scenario.daily_sd,
            scenario.autocorrelation,
        )

    def baseline(self) -> tuple[IntArray, IntArray]:
        days = [
            self._draw(self._rates, number, np.zeros(self._scenario.panels, dtype=np.bool_))
            for number in range(self._scenario.baseline_days)
        ]
        passes = np.array([day[0] for day in days], dtype=np.int64)
        trials = np.array([day[1] for day in days], dtype=np.int64)
        # A panel instance has at least one valid trial in its baseline; the gate sees to that.
        lost = trials.sum(axis=0) == 0
        trials[0][lost] = 1
        return passes, trials

    def day(self, number: int, again: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        changed = (number >= self.change_day)[:, None]
        rates = np.where(changed, self._worse, self._rates)
        return self._draw(rates, self._scenario.baseline_days + number - 1, again)

    def _draw(
        self, rates: FloatArray, number: int, again: npt.NDArray[np.bool_]
    ) -> tuple[FloatArray, FloatArray]:
        scenario, rng = self._scenario, self._rng
        if scenario.daily_sd > 0.0:
            rates = shifted(rates, self._shifts[number][:, None])
        passes, trials = np.zeros(rates.shape), np.zeros(rates.shape)
        for _ in range(scenario.trials):
            _one_trial(rng, rates, scenario.missing, passes, trials)
        if scenario.reruns > 1 and bool(again.any()):
            extra_passes, extra_trials = passes[again], trials[again]
            for _ in range(scenario.trials * (scenario.reruns - 1)):
                _one_trial(rng, rates[again], scenario.missing, extra_passes, extra_trials)
            passes[again], trials[again] = extra_passes, extra_trials
        return passes, trials


def _one_trial(
    rng: np.random.Generator,
    rates: FloatArray,
    missing: float,
    passes: FloatArray,
    trials: FloatArray,
) -> None:
    passed = rng.random(rates.shape) < rates
    if missing == 0.0:
        passes += passed
        trials += 1.0
        return
    valid = rng.random(rates.shape) >= missing
    passes += passed & valid
    trials += valid


def pooled_flags(
    passes: FloatArray, trials: FloatArray, rates: FloatArray
) -> npt.NDArray[np.bool_]:
    """Return where the pooled rule flags a degradation in any of its 1, 7 and 30-day windows.

    Args:
        passes: Days x panels.
        trials: Days x panels.
        rates: The constant rate of each panel.
    """
    flags = np.zeros(passes.shape, dtype=np.bool_)
    for length in POOLED_WINDOWS:
        window_passes, window_trials = _rolling(passes, length), _rolling(trials, length)
        flags |= special.bdtr(window_passes, window_trials.astype(np.int64), rates) < ALPHA
    return flags


def _rolling(values: FloatArray, length: int) -> FloatArray:
    sums = np.cumsum(values, axis=0)
    sums[length:] = sums[length:] - sums[:-length].copy()
    return sums


def false_pages_a_year(paths: Paths, scenario: Scenario) -> float:
    """Return pages a year of a scenario without a change."""
    pages = float(paths.pages.mean())
    return pages * YEAR_DAYS / scenario.days


def first_page_rate(paths: Paths, scenario: Scenario) -> float:
    """Return the yearly rate of first false pages, -ln P(no page), in a scenario without a change.

    This is the number the threshold is calibrated for; `false_pages_a_year` also counts what comes
    after a first false page, when the statistics start again at zero.
    """
    panels = len(paths.first_alarm)
    quiet = int(np.count_nonzero(np.isinf(paths.first_alarm)))
    return -math.log(max(quiet, 0.5) / panels) * YEAR_DAYS / scenario.days


def pooled_episodes_a_year(paths: Paths, scenario: Scenario) -> float:
    """Return how often a year the pooled rule starts to flag, in a scenario without a change."""
    flags = paths.pooled_flags
    starts = flags[1:] & ~flags[:-1]
    total = int(np.count_nonzero(starts)) + int(np.count_nonzero(flags[0]))
    return total / int(flags.shape[1]) * YEAR_DAYS / scenario.days


def monitor_delays(paths: Paths) -> Delays:
    """Return the monitor's delays over panels that had not alarmed before the change."""
    fresh = paths.first_alarm >= paths.change_day
    delays = paths.first_alarm - paths.change_day.astype(np.float64) + 1.0
    return _delays(delays[fresh])


def pooled_delays(paths: Paths) -> Delays:
    """Return the pooled rule's delays over panels it did not flag the day before the change."""
    flags = paths.pooled_flags
    days = np.arange(1, len(flags) + 1)[:, None]
    after = flags & (days >= paths.change_day)
    first = np.where(after.any(axis=0), np.argmax(after, axis=0) + 1.0, np.inf)
    eve = np.maximum(paths.change_day - 2, 0)
    flagged_before = flags[eve, np.arange(flags.shape[1])] & (paths.change_day > 1)
    delays = first - paths.change_day.astype(np.float64) + 1.0
    return _delays(delays[~flagged_before])


def _delays(delays: FloatArray) -> Delays:
    ordered = np.sort(delays)
    count = len(ordered)

    def quantile(share: float) -> int | None:
        if count == 0:
            return None
        value = float(ordered[min(count - 1, math.ceil(share * count) - 1)])
        return int(value) if math.isfinite(value) else None

    shares = {days: float(np.mean(ordered <= days)) if count else 0.0 for days in NOTICED_DAYS}
    return Delays(quantile(0.5), quantile(0.9), shares, count)
