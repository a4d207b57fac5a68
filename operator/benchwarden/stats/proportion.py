"""Intervals for one pass rate: Wilson, Clopper-Pearson and Jeffreys."""

import math
from dataclasses import dataclass

from benchwarden.stats.distributions import beta_quantile, normal_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval on the scale of the estimate it belongs to (a rate, a difference, a ratio)."""

    lower: float
    upper: float

    def contains(self, value: float) -> bool:
        """Return whether ``value`` lies within the interval, ends included."""
        return self.lower <= value <= self.upper


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return the two-sided Wilson score interval of a pass rate, without continuity correction.

    Args:
        successes: Passed trials, 0..trials.
        trials: Valid trials. Zero trials know nothing: the interval is [0, 1].
        confidence: Coverage in (0, 1).

    Returns:
        Interval of the rate (0..1). With no success the lower end is exactly 0, with no failure the
        upper end is exactly 1.

    Raises:
        ValueError: On counts or a confidence out of range.

    Source: Wilson 1927; recommended and tabulated by Newcombe 1998, Stat Med 17:857.
    """
    _check(successes, trials, confidence)
    if trials == 0:
        return Interval(0.0, 1.0)
    z = normal_quantile(0.5 + confidence / 2.0)
    rate = successes / trials
    spread = z * z / trials
    centre = (rate + spread / 2.0) / (1.0 + spread)
    half = z * math.sqrt(rate * (1.0 - rate) / trials + spread / (4.0 * trials)) / (1.0 + spread)
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(lower, upper)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return the exact (Clopper-Pearson) interval of a pass rate; it never covers too little.

    Args:
        successes: Passed trials, 0..trials.
        trials: Valid trials. Zero trials give [0, 1].
        confidence: Coverage in (0, 1), guaranteed, usually exceeded.

    Raises:
        ValueError: On counts or a confidence out of range.

    Source: Clopper and Pearson 1934, by quantiles of the beta distribution.
    """
    _check(successes, trials, confidence)
    tail = (1.0 - confidence) / 2.0
    failures = trials - successes
    lower = 0.0 if successes == 0 else beta_quantile(tail, successes, failures + 1)
    upper = 1.0 if failures == 0 else beta_quantile(1.0 - tail, successes + 1, failures)
    return Interval(lower, upper)


def jeffreys(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return the equal-tailed Jeffreys interval: quantiles of Beta(successes + 1/2, failures + 1/2).

    By convention the lower end is 0 when nothing passed and the upper end 1 when nothing failed.
    Zero trials give [0, 1].

    Raises:
        ValueError: On counts or a confidence out of range.

    Source: Brown, Cai and DasGupta 2001, Statistical Science 16:101.
    """
    _check(successes, trials, confidence)
    tail = (1.0 - confidence) / 2.0
    failures = trials - successes
    lower = 0.0 if successes == 0 else beta_quantile(tail, successes + 0.5, failures + 0.5)
    upper = 1.0 if failures == 0 else beta_quantile(1.0 - tail, successes + 0.5, failures + 0.5)
    return Interval(lower, upper)


def _check(successes: int, trials: int, confidence: float) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must be within 0..trials, got {successes} of {trials}")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
