"""The reporting windows: the last 1, 7 and 30 days against the frozen baseline."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from benchwarden.stats.baseline import Baseline
from benchwarden.stats.difference import panel_difference
from benchwarden.stats.distributions import normal_quantile
from benchwarden.stats.episodes import counts_of
from benchwarden.stats.independent import fisher_exact
from benchwarden.stats.mantel_haenszel import OddsRatio, odds_ratio
from benchwarden.stats.monitor import Day
from benchwarden.stats.multiplicity import holm
from benchwarden.stats.power import minimum_detectable_effect
from benchwarden.stats.proportion import Interval, wilson
from benchwarden.stats.stratified import PanelCounts, StratifiedTest, stratified_test

WINDOW_DAYS = (1, 7, 30)
ALPHA = 0.05


class Verdict(StrEnum):
    """What a window or a comparison says; ``ok`` only if the stated effect would have shown."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    INCONCLUSIVE = "inconclusive"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Window:
    """One window; rates, differences and effects are ratios (0.05 = 5 points).

    ``delta`` compares per-instance rates with their raw baseline rates, ``expected`` pools shrunken
    ones, so ``delta`` is not ``pass_rate - expected``; both are right for their purpose.
    """

    days_present: int
    instances: int
    passes: int
    trials: int
    pass_rate: float
    wilson: Interval
    panel_interval: Interval
    expected: float
    delta: float
    delta_interval: Interval
    delta_interval_paired: Interval | None
    test: StratifiedTest
    odds_ratio: OddsRatio
    fisher_less: float
    mde: float
    holm_less: float
    holm_greater: float
    verdict: Verdict


def window_days(days: Sequence[Day], until: date, length_days: int) -> tuple[Day, ...]:
    """Return the days within the calendar days (until - length_days, until]."""
    return tuple(day for day in days if until - timedelta(days=length_days) < day.day <= until)


def report_windows(
    baseline: Baseline,
    days: Sequence[Day],
    until: date,
    dispersion: float,
    minimum_effect: float,
    lengths: Sequence[int] = WINDOW_DAYS,
) -> dict[int, Window | None]:
    """Report every window.

    Args:
        baseline: The frozen baseline.
        days: The complete, not voided days after freeze, on the baseline's panel, ascending.
        until: Last day of the windows.
        dispersion: Over-dispersion factor as of the end of ``until``; widens intervals and the
            minimum detectable effect, not the exact test.
        minimum_effect: The drop (ratio) the user must not miss; a window that could not see it is
            inconclusive.
        lengths: Window lengths in calendar days.

    Returns:
        One entry per length; None without a valid cell. Holm's correction runs over windows with
        distinct days only: windows that hold the same days share one test.
    """
    chosen = {length: window_days(days, until, length) for length in lengths}
    raw = {length: _window(baseline, selected, dispersion) for length, selected in chosen.items()}
    present = {
        length: (tuple(day.day for day in chosen[length]), window)
        for length, window in raw.items()
        if window is not None
    }
    return {length: _decided(length, present, minimum_effect) for length in lengths}


def _decided(
    length: int,
    present: Mapping[int, tuple[tuple[date, ...], Window]],
    minimum_effect: float,
) -> Window | None:
    if length not in present:
        return None
    own_days, window = present[length]
    tests = {days: other.test for days, other in present.values()}
    position = list(tests).index(own_days)
    less = holm([test.midp_less for test in tests.values()])[position]
    greater = holm([test.midp_greater for test in tests.values()])[position]
    verdict = verdict_of(less, greater, window.mde, minimum_effect)
    return replace(window, holm_less=less, holm_greater=greater, verdict=verdict)


def verdict_of(p_less: float, p_greater: float, mde: float, minimum_effect: float) -> Verdict:
    """Return the verdict of two one-sided p-values and the effect that could have been seen."""
    if p_less < ALPHA:
        return Verdict.REGRESSED
    if p_greater < ALPHA:
        return Verdict.IMPROVED
    return Verdict.INCONCLUSIVE if mde > minimum_effect else Verdict.OK


def _window(baseline: Baseline, days: tuple[Day, ...], dispersion: float) -> Window | None:
    counts = counts_of(baseline, days)
    difference = panel_difference(counts, dispersion)
    if difference is None:
        return None
    present = counts.new_trials > 0
    rates, weights = baseline.rates[present], counts.new_trials[present]
    passes, trials = int(counts.new_passes.sum()), int(weights.sum())
    test = stratified_test(counts)
    noise = math.fsum((rates * (1.0 - rates) * weights).tolist())
    half = normal_quantile(0.975) * math.sqrt(dispersion * noise) / trials
    rate = passes / trials
    return Window(
        days_present=len(days),
        instances=int(np.count_nonzero(present)),
        passes=passes,
        trials=trials,
        pass_rate=rate,
        wilson=wilson(passes, trials),
        panel_interval=Interval(max(0.0, rate - half), min(1.0, rate + half)),
        expected=math.fsum((weights * rates).tolist()) / trials,
        delta=difference.delta,
        delta_interval=difference.interval,
        delta_interval_paired=difference.interval_paired,
        test=test,
        odds_ratio=odds_ratio(counts),
        fisher_less=fisher_exact(
            passes, trials, baseline.total_passes, baseline.total_trials
        ).p_less,
        mde=_mde(baseline, counts, dispersion),
        holm_less=test.midp_less,
        holm_greater=test.midp_greater,
        verdict=Verdict.INCONCLUSIVE,
    )


def _mde(baseline: Baseline, counts: PanelCounts, dispersion: float) -> float:
    present = counts.new_trials > 0
    rates = baseline.rates[present]
    count = len(rates)
    noise = math.fsum((rates * (1.0 - rates)).tolist()) / count
    inverse = 1.0 / counts.new_trials[present] + 1.0 / counts.base_trials[present]
    return minimum_detectable_effect(noise, count, math.fsum(inverse.tolist()) / count, dispersion)


def is_robust(baseline: Baseline, days: Sequence[Day], nominal_trials: int) -> bool | None:
    """Return whether the window's verdict survives counting every missing cell as passed.

    Args:
        baseline: The frozen baseline.
        days: The days of the window.
        nominal_trials: Trials a missing cell would have had.

    Returns:
        Whether the uncorrected mid-p stays on its side of 0.05; None without days.
    """
    if not days:
        return None
    filled = tuple(
        Day(
            day.day,
            np.where(day.trials == 0, nominal_trials, day.passes),
            np.where(day.trials == 0, nominal_trials, day.trials),
        )
        for day in days
    )
    worse = stratified_test(counts_of(baseline, tuple(days))).midp_less < ALPHA
    still_worse = stratified_test(counts_of(baseline, filled)).midp_less < ALPHA
    return worse == still_worse
