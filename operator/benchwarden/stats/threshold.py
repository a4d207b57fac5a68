"""How high an alarm threshold must be for a stated number of days between false alarms."""

import math

import numpy as np
from scipy import special

from benchwarden.stats.distributions import FloatArray

OVERSHOOT = 1.166
"""Twice the mean overshoot of a standard normal random walk, 2 * 0.583 (Siegmund 1985)."""

MARGIN_NATS = 0.25
"""Added to the closed form: it pays for estimated rates (chosen by simulation)."""


def siegmund_run_length(reference: float, limit: float, mean: float = 0.0) -> float:
    """Return Siegmund's approximation of the mean days to alarm of a normal CUSUM.

    Args:
        reference: Allowance k subtracted each day, in standard deviations.
        limit: Decision limit h, in standard deviations.
        mean: True daily mean, in standard deviations.

    Source: Siegmund 1985, Sequential Analysis, with b = h + 1.166.
    """
    drift = mean - reference
    b = limit + OVERSHOOT
    if abs(drift) < 1e-12:
        return b * b
    return (math.exp(-2.0 * drift * b) + 2.0 * drift * b - 1.0) / (2.0 * drift * drift)


def normal_cusum_run_length(
    reference: float, limit: float, mean: float = 0.0, nodes: int = 80
) -> float:
    """Return the mean days to alarm of a one-sided normal CUSUM that starts at zero, exactly.

    Takes the arguments of `siegmund_run_length`; ``nodes`` is the number of quadrature points.

    Source: Goel and Wu 1971 integral equation, solved on Gauss-Legendre nodes.
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    x = (points + 1.0) * limit / 2.0
    w = weights * limit / 2.0
    starts = np.concatenate(([0.0], x))
    stay_at_zero = special.ndtr(reference - mean - starts)
    density = _normal_density(x[None, :] + reference - mean - starts[:, None]) * w[None, :]
    matrix = np.eye(nodes + 1)
    matrix[:, 0] -= stay_at_zero
    matrix[:, 1:] -= density
    return float(np.linalg.solve(matrix, np.ones(nodes + 1))[0])


def llr_threshold(daily_scale: float, run_length_days: float) -> float:
    """Return the threshold (nats) of a log-likelihood-ratio CUSUM for a mean time between alarms.

    Args:
        daily_scale: Standard deviation of a day's log-likelihood ratio, > 0.
        run_length_days: Mean days between false alarms.

    Returns:
        x - 1.166 * daily_scale with (e^x - x - 1) / (daily_scale^2 / 2) = run_length_days. May be
        negative for a very large scale: a single day then says more than is needed.

    Raises:
        ValueError: When an argument is not positive.

    Source: Siegmund 1985, written for a likelihood ratio (drift -D^2/2, deviation D).
    """
    if daily_scale <= 0.0 or run_length_days <= 0.0:
        raise ValueError("daily scale and run length must be positive")
    target = run_length_days * daily_scale * daily_scale / 2.0
    # Newton from above on a convex increasing function: monotone, so it cannot overshoot.
    x = min(math.sqrt(2.0 * target), math.log(2.0 * target + 3.0) + 1.0)
    for _ in range(100):
        step = (math.expm1(x) - x - target) / math.expm1(x)
        x -= step
        if abs(step) <= 1e-15 * x:
            break
    return x - OVERSHOOT * daily_scale


def monitor_threshold(daily_scale: float, run_length_days: float) -> float:
    """Return the threshold (nats) that capability and breakage CUSUM share.

    Two CUSUMs run, so each gets twice the run length; `MARGIN_NATS` is added, and the result is
    never below `MARGIN_NATS`: the closed form turns negative when a day carries thousands of
    informative trials, and a threshold below zero would page every day.

    Args:
        daily_scale: d * sqrt(sum k p(1-p)) at freeze, d the logit shift looked for.
        run_length_days: Mean days between false pages of the whole monitor.
    """
    return max(llr_threshold(daily_scale, 2.0 * run_length_days) + MARGIN_NATS, MARGIN_NATS)


def _normal_density(values: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-values * values / 2.0) / math.sqrt(2.0 * math.pi), dtype=np.float64)
