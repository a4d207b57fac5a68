"""The panel difference: the mean over instances of (new rate - base rate), with two intervals.

The within-instance interval answers "did this panel change?", the paired t interval answers "would
it hold on other instances?". They are different questions; the first one is the one to watch daily.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchwarden.stats.distributions import (
    FloatArray,
    normal_quantile,
    student_quantile,
    student_two_sided,
)
from benchwarden.stats.proportion import Interval
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.stratified import PanelCounts

SIGN_FLIP_LIMIT = 20


@dataclass(frozen=True, slots=True)
class PanelDifference:
    """Mean difference of rates (-1..1) with its fixed-panel and its paired-t uncertainty.

    ``se_repeats`` and its interval estimate each instance's noise from its own repeats alone and are
    None when an instance has a single trial on a side. The paired fields are None with fewer than
    two instances or when all differences are equal.
    """

    delta: float
    se_within: float
    interval: Interval
    instances: int
    se_repeats: float | None
    interval_repeats: Interval | None
    se_paired: float | None
    t_paired: float | None
    p_paired: float | None
    interval_paired: Interval | None


def panel_difference(
    counts: PanelCounts, dispersion: float = 1.0, confidence: float = 0.95
) -> PanelDifference | None:
    """Return the mean over shared instances of new rate minus base rate.

    Args:
        counts: Passes and trials per instance; only instances with trials on both sides count.
        dispersion: Over-dispersion factor phi >= 1 that widens the within-instance interval.
        confidence: Coverage of both intervals.

    Returns:
        The difference, or None when no instance has trials on both sides. The within-instance
        variance uses the empirical-Bayes rate of both sides together, so an instance that always
        passed still contributes a little. Intervals are the difference plus
        and minus so many standard errors, uncut: with very few trials they reach beyond -1 or 1.

    Source: Miller 2024 (arXiv 2411.00640) for the paired interval; the fixed-panel variance is
    phi * sum r(1-r)(1/w + 1/b) / n^2, from repeats phi * sum (f(1-f)/(w-1) + g(1-g)/(b-1)) / n^2
    with f, g the raw rates of the two sides.
    """
    shared = counts.shared()
    count = shared.instances
    if count == 0:
        return None
    differences = shared.new_passes / shared.new_trials - shared.base_passes / shared.base_trials
    delta = math.fsum(differences.tolist()) / count
    rates = instance_rates(
        shared.new_passes + shared.base_passes, shared.new_trials + shared.base_trials
    ).rates
    spread = rates * (1.0 - rates) * (1.0 / shared.new_trials + 1.0 / shared.base_trials)
    se_within = math.sqrt(dispersion * math.fsum(spread.tolist())) / count
    z = normal_quantile(0.5 + confidence / 2.0)
    se_repeats = _error_from_repeats(shared, dispersion)
    return PanelDifference(
        delta,
        se_within,
        _around(delta, z * se_within),
        count,
        se_repeats,
        None if se_repeats is None else _around(delta, z * se_repeats),
        *_paired_t(differences, delta, confidence),
    )


def sign_flip_test(differences: Sequence[float]) -> tuple[float, float]:
    """Test that differences are symmetric about zero by flipping every sign pattern.

    Args:
        differences: At most `SIGN_FLIP_LIMIT` per-instance differences.

    Returns:
        (one-sided p of so low a sum or lower, two-sided p of so large an absolute sum or larger).

    Raises:
        ValueError: On more differences than can be enumerated.

    Source: Fisher's permutation test, complete enumeration.
    """
    if len(differences) > SIGN_FLIP_LIMIT:
        raise ValueError(f"at most {SIGN_FLIP_LIMIT} differences can be enumerated")
    sums = np.zeros(1)
    for difference in sorted(abs(value) for value in differences):
        sums = np.concatenate((sums - difference, sums + difference))
    observed = math.fsum(differences)
    slack = 1e-9 * max(1.0, abs(observed))
    less = float(np.mean(sums <= observed + slack))
    two_sided = float(np.mean(np.abs(sums) >= abs(observed) - slack))
    return less, two_sided


def _error_from_repeats(shared: PanelCounts, dispersion: float) -> float | None:
    spread = 0.0
    for passes, trials in (
        (shared.new_passes, shared.new_trials),
        (shared.base_passes, shared.base_trials),
    ):
        if int(trials.min()) < 2:
            return None
        rates = passes / trials
        spread += math.fsum((rates * (1.0 - rates) / (trials - 1)).tolist())
    return math.sqrt(dispersion * spread) / shared.instances


def _around(delta: float, half: float) -> Interval:
    return Interval(delta - half, delta + half)


def _paired_t(
    differences: FloatArray, delta: float, confidence: float
) -> tuple[float | None, float | None, float | None, Interval | None]:
    count = len(differences)
    if count < 2:
        return None, None, None, None
    variance = math.fsum(np.square(differences - delta).tolist()) / (count - 1)
    if variance == 0.0:
        return 0.0, None, None, Interval(delta, delta)
    error = math.sqrt(variance / count)
    t = delta / error
    half = student_quantile(0.5 + confidence / 2.0, count - 1) * error
    return error, t, student_two_sided(t, count - 1), _around(delta, half)
