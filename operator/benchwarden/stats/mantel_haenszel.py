"""The Cochran-Mantel-Haenszel test and the common odds ratio over instances."""

import math
from dataclasses import dataclass

import numpy as np

from benchwarden.stats.distributions import normal_quantile, normal_upper_tail
from benchwarden.stats.proportion import Interval
from benchwarden.stats.stratified import PanelCounts, moments


@dataclass(frozen=True, slots=True)
class Cmh:
    """Chi-squared with one degree of freedom, its two-sided p, and the signed z (uncorrected)."""

    chi2: float
    p_two_sided: float
    z: float


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """Common odds ratio, new against base; below 1 is worse. None where it has no finite value."""

    estimate: float | None
    interval: Interval | None


def cmh(counts: PanelCounts, *, corrected: bool = True) -> Cmh:
    """Return the Cochran-Mantel-Haenszel test of "no change in any instance".

    Args:
        counts: Passes and trials per instance; instances with one outcome only add nothing.
        corrected: Subtract 1/2 from |observed - expected| when that is at least 1/2 (R's rule).

    Returns:
        The test; without any informative instance chi-squared and z are 0 and p is 1.

    Source: Mantel and Haenszel 1959, JNCI 22:719.
    """
    shared = counts.shared()
    expected, variance = moments(shared)
    if variance <= 0.0:
        return Cmh(0.0, 1.0, 0.0)
    gap = float(shared.new_passes.sum()) - expected
    reduced = abs(gap) - 0.5 if corrected and abs(gap) >= 0.5 else abs(gap)
    deviation = math.sqrt(variance)
    return Cmh(
        chi2=reduced * reduced / variance,
        p_two_sided=2.0 * normal_upper_tail(reduced / deviation),
        z=gap / deviation,
    )


def odds_ratio(counts: PanelCounts, confidence: float = 0.95) -> OddsRatio:
    """Return the Mantel-Haenszel odds ratio with the Robins-Breslow-Greenland interval.

    Args:
        counts: Passes and trials per instance.
        confidence: Coverage in (0, 1).

    Returns:
        Both None when no instance won for base (the ratio is infinite or undefined); a ratio of
        exactly 0 comes without an interval.

    Source: Robins, Breslow and Greenland 1986, Biometrics 42:311.
    """
    shared = counts.shared()
    trials = (shared.new_trials + shared.base_trials).astype(np.float64)
    new_fails = shared.new_trials - shared.new_passes
    base_fails = shared.base_trials - shared.base_passes
    r = shared.new_passes * base_fails / trials
    s = new_fails * shared.base_passes / trials
    sum_r, sum_s = math.fsum(r.tolist()), math.fsum(s.tolist())
    if sum_s == 0.0:
        return OddsRatio(None, None)
    if sum_r == 0.0:
        return OddsRatio(0.0, None)
    p = (shared.new_passes + base_fails) / trials
    q = (new_fails + shared.base_passes) / trials
    variance = (
        math.fsum((p * r).tolist()) / (2.0 * sum_r * sum_r)
        + math.fsum((p * s + q * r).tolist()) / (2.0 * sum_r * sum_s)
        + math.fsum((q * s).tolist()) / (2.0 * sum_s * sum_s)
    )
    half = normal_quantile(0.5 + confidence / 2.0) * math.sqrt(variance)
    estimate = sum_r / sum_s
    return OddsRatio(estimate, Interval(estimate * math.exp(-half), estimate * math.exp(half)))
