"""How small a change a window can see, and how much must be run to see a given one."""

import math

from benchwarden.stats.distributions import normal_quantile

DEFAULT_ALPHA, DEFAULT_POWER = 0.05, 0.80


def minimum_detectable_effect(
    within_variance: float,
    instances: int,
    inverse_trials: float,
    dispersion: float = 1.0,
    *,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> float:
    """Return the smallest drop of the panel rate that a one-sided window test sees.

    Args:
        within_variance: E[p(1-p)], the mean over instances of the noise of one trial.
        instances: Instances with a trial in the window, at least one.
        inverse_trials: Mean of 1/w_i plus mean of 1/b_i: per-instance trials of window and baseline.
        dispersion: Over-dispersion factor phi >= 1.
        alpha: One-sided level.
        power: Chance to see a drop of the size returned.

    Returns:
        The effect as a rate (0.05 = 5 points): (z_alpha + z_power) sqrt(phi E[pq]/n (1/D + 1/B)).

    Raises:
        ValueError: Without instances.
    """
    if instances < 1:
        raise ValueError("at least one instance is needed")
    z = normal_quantile(1.0 - alpha) + normal_quantile(power)
    return z * math.sqrt(dispersion * within_variance / instances * inverse_trials)


def days_needed(
    effect: float,
    within_variance: float,
    instances: int,
    baseline_trials: float,
    trials_per_day: float = 1.0,
    *,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> int | None:
    """Return the shortest window (days) whose minimum detectable effect is at most ``effect``.

    Args:
        effect: Drop of the panel rate to see, > 0.
        within_variance: E[p(1-p)].
        instances: Panel size.
        baseline_trials: Baseline trials per instance.
        trials_per_day: Trials per instance a day.
        alpha: One-sided level.
        power: Chance to see it.

    Returns:
        Days, or None when the baseline is too short for any window to see the effect.
    """
    z = normal_quantile(1.0 - alpha) + normal_quantile(power)
    room = effect * effect * instances / (z * z * within_variance) - 1.0 / baseline_trials
    if room <= 0.0:
        return None
    return max(1, math.ceil(1.0 / (room * trials_per_day) - 1e-9))


def instances_needed(
    effect: float,
    within_variance: float,
    window_trials: float,
    baseline_trials: float,
    *,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> int:
    """Return the panel size whose window test sees a drop of ``effect`` (a rate, > 0)."""
    z = normal_quantile(1.0 - alpha) + normal_quantile(power)
    inverse = 1.0 / window_trials + 1.0 / baseline_trials
    return max(1, math.ceil(z * z * within_variance * inverse / (effect * effect) - 1e-9))


def questions_needed(
    effect: float,
    between_variance: float,
    noise_new: float = 0.0,
    noise_base: float = 0.0,
    *,
    alpha: float = DEFAULT_ALPHA,
    power: float = DEFAULT_POWER,
) -> float:
    """Return the questions a two-sided paired comparison needs to generalise to new questions.

    Args:
        effect: Difference of rates to see, > 0.
        between_variance: Variance over questions of the difference of their expected scores.
        noise_new: Within-question variance of new divided by its trials per question.
        noise_base: Likewise of base.
        alpha: Two-sided level.
        power: Chance to see it.

    Source: Miller 2024, arXiv 2411.00640, section 5.
    """
    z = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    return z * z * (between_variance + noise_new + noise_base) / (effect * effect)
