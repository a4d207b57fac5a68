"""What a plan of runs can see: windows, and the monitor's expected delay."""

import math
from dataclasses import dataclass

from benchwarden.stats.likelihood import CAPABILITY_SHIFT
from benchwarden.stats.power import days_needed, instances_needed, minimum_detectable_effect
from benchwarden.stats.threshold import monitor_threshold, siegmund_run_length
from benchwarden.stats.windows import WINDOW_DAYS

TYPICAL_WITHIN_VARIANCE = 0.0985
"""E[p(1-p)] of a published Claude Code run with five trials an instance (pass@2 - pass@1)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run: panel size, trials per instance and day, baseline days, noise, false pages."""

    instances: int = 50
    trials_per_day: int = 1
    baseline_days: int = 14
    within_variance: float = TYPICAL_WITHIN_VARIANCE
    run_length_days: float = 365.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What a plan can see of one effect (all effects are drops of the panel's own rate).

    Attributes:
        mde: Smallest drop each window sees with 80 % power at one-sided 5 %.
        days_needed: Shortest window that sees the effect; None when the baseline is too short.
        instances_needed: Panel size with which each window would see the effect.
        threshold: The monitor's alarm threshold, nats.
        expected_delay_days: Mean days from a capability drop of this size to the page, known rates;
            None when the drop is too small for the monitor to move.
        runs_per_day: Trials a day.
    """

    mde: dict[int, float]
    days_needed: int | None
    instances_needed: dict[int, int]
    threshold: float
    expected_delay_days: float | None
    runs_per_day: int


def sight(plan: Plan, effect: float) -> Sight:
    """Return what a plan can see of a drop of ``effect`` (ratio, > 0)."""
    baseline_trials = float(plan.baseline_days * plan.trials_per_day)
    noise, per_day = plan.within_variance, float(plan.trials_per_day)
    scale = CAPABILITY_SHIFT * math.sqrt(plan.instances * per_day * noise)
    threshold = monitor_threshold(scale, plan.run_length_days)
    return Sight(
        mde={
            days: minimum_detectable_effect(
                noise, plan.instances, 1.0 / (days * per_day) + 1.0 / baseline_trials
            )
            for days in WINDOW_DAYS
        },
        days_needed=days_needed(effect, noise, plan.instances, baseline_trials, per_day),
        instances_needed={
            days: instances_needed(effect, noise, days * per_day, baseline_trials)
            for days in WINDOW_DAYS
        },
        threshold=threshold,
        expected_delay_days=_delay(plan, effect, scale, threshold),
        runs_per_day=plan.instances * plan.trials_per_day,
    )


def _delay(plan: Plan, effect: float, scale: float, threshold: float) -> float | None:
    # In standard deviations of a day: the statistic gains drift - scale/2 a day on average.
    drift = effect / plan.within_variance / CAPABILITY_SHIFT * scale
    if drift <= scale / 2.0:
        return None
    return max(1.0, siegmund_run_length(scale / 2.0, threshold / scale, drift))
