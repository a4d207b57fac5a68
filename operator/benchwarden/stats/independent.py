"""Two unpaired pass rates: Newcombe's interval of their difference and Fisher's exact test."""

import math

from benchwarden.stats.exact import ExactP, tails
from benchwarden.stats.proportion import Interval, wilson
from benchwarden.stats.stratified import hypergeometric_masses


def newcombe_independent(
    new_passes: int, new_trials: int, base_passes: int, base_trials: int, confidence: float = 0.95
) -> Interval:
    """Return the interval of (new rate - base rate) of two independent samples.

    Args:
        new_passes: Passed trials of the side that is judged.
        new_trials: Valid trials of that side, at least one.
        base_passes: Passed trials of the reference.
        base_trials: Valid trials of the reference, at least one.
        confidence: Coverage in (0, 1).

    Raises:
        ValueError: On a side without trials or counts out of range.

    Source: Newcombe 1998, Stat Med 17:873, method 10 (square-and-add of Wilson intervals).
    """
    if new_trials == 0 or base_trials == 0:
        raise ValueError("both sides need at least one valid trial")
    new_ci = wilson(new_passes, new_trials, confidence)
    base_ci = wilson(base_passes, base_trials, confidence)
    new_rate, base_rate = new_passes / new_trials, base_passes / base_trials
    delta = new_rate - base_rate
    return Interval(
        delta - math.hypot(new_rate - new_ci.lower, base_ci.upper - base_rate),
        delta + math.hypot(new_ci.upper - new_rate, base_rate - base_ci.lower),
    )


def fisher_exact(new_passes: int, new_trials: int, base_passes: int, base_trials: int) -> ExactP:
    """Test two independent pass counts exactly, given their total.

    ``less`` asks whether new is worse. A side without trials gives p = 1. Two-sided by the rule of
    R: all tables no more likely than the observed one.

    Raises:
        ValueError: On counts out of range.

    Source: Fisher 1935.
    """
    for passes, trials in ((new_passes, new_trials), (base_passes, base_trials)):
        if not 0 <= passes <= trials:
            raise ValueError(f"passes must be within 0..trials, got {passes} of {trials}")
    lowest, masses = hypergeometric_masses(
        new_trials + base_trials, new_passes + base_passes, new_trials
    )
    return tails([float(mass) for mass in masses], new_passes - lowest)
