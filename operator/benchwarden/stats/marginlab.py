"""The view of MarginLab's public tracker: pooled exact binomial against a constant rate.

Described from its published behaviour, for comparison only: no pairing, no correction for repeated
looks, the baseline rate taken as known without error.
"""

from dataclasses import dataclass

from benchwarden.stats.distributions import binomial_lower_tail, binomial_upper_tail
from benchwarden.stats.proportion import Interval, wilson

ALPHA = 0.05
THRESHOLD_CEILING = 0.15


@dataclass(frozen=True, slots=True)
class PooledThreshold:
    """Pass counts at which the rule flags, and the mean distance of both from the rate.

    A count is None where no count is extreme enough.
    """

    degraded_at_most: int | None
    improved_at_least: int | None
    shown: float | None


@dataclass(frozen=True, slots=True)
class PooledView:
    """One window as the pooled rule sees it; the interval is two-sided, the test one-sided."""

    rate: float
    interval: Interval
    p_degradation: float
    p_improvement: float
    degraded: bool
    improved: bool


def pooled_view(passes: int, trials: int, rate: float, alpha: float = ALPHA) -> PooledView:
    """Judge a pooled window of ``passes`` out of ``trials`` (at least one) against ``rate``.

    The flag can appear while the interval still contains the rate: a one-sided 5 % test stands
    beside a two-sided 95 % interval.

    Raises:
        ValueError: Without trials, or on counts out of range.
    """
    if trials < 1:
        raise ValueError("at least one valid trial is needed")
    interval = wilson(passes, trials)
    p_degradation = binomial_lower_tail(passes, trials, rate)
    p_improvement = binomial_upper_tail(passes, trials, rate)
    return PooledView(
        rate=passes / trials,
        interval=interval,
        p_degradation=p_degradation,
        p_improvement=p_improvement,
        degraded=p_degradation < alpha,
        improved=p_improvement < alpha,
    )


def pooled_threshold(trials: int, rate: float, alpha: float = ALPHA) -> PooledThreshold:
    """Return the counts at which the rule flags and the threshold shown beside the rate.

    Args:
        trials: Pooled valid trials of the window.
        rate: The constant baseline rate, 0..1.
        alpha: One-sided level.

    Returns:
        Largest count flagged as degraded, smallest flagged as improved, and (difference)/(2 trials)
        capped at 0.15; None where no count qualifies.
    """
    degraded = [k for k in range(trials + 1) if binomial_lower_tail(k, trials, rate) < alpha]
    improved = [k for k in range(trials + 1) if binomial_upper_tail(k, trials, rate) < alpha]
    low = max(degraded, default=None)
    high = min(improved, default=None)
    shown = None
    if low is not None and high is not None:
        shown = min(THRESHOLD_CEILING, (high - low) / (2.0 * trials))
    return PooledThreshold(low, high, shown)
