"""Empirical-Bayes pass rates per instance: each raw rate is pulled towards the panel's mean."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchwarden.stats.distributions import FloatArray

RATE_FLOOR, RATE_CEILING = 0.001, 0.999
_MEAN_FLOOR, _MEAN_CEILING = 0.02, 0.98
_RHO_FLOOR, _RHO_CEILING = 0.05, 0.75
_RHO_WITHOUT_REPEATS = 0.60


@dataclass(frozen=True, slots=True, eq=False)
class InstanceRates:
    """Estimated rates with the two moments behind them.

    ``mean`` is the panel's mean rate, ``rho`` the share of variance between instances, ``strength``
    the prior's weight in trials (1/rho - 1), ``rates`` one rate per instance.
    """

    mean: float
    rho: float
    strength: float
    rates: FloatArray


def instance_rates(passes: npt.ArrayLike, trials: npt.ArrayLike) -> InstanceRates:
    """Estimate every instance's pass rate from its own trials and the whole panel.

    Args:
        passes: Passed trials per instance.
        trials: Valid trials per instance, at least one each.

    Returns:
        Rates (mean * strength + passes) / (strength + trials), clipped to [0.001, 0.999]. The mean
        is clipped to [0.02, 0.98], rho to [0.05, 0.75]. With one trial everywhere, or one instance,
        rho cannot be estimated and is taken as 0.60.

    Raises:
        ValueError: On an empty panel or an instance without trials.

    Source: moment estimator of the beta-binomial (Kleinman 1973); sample variance with n - 1.
    """
    passes_array = np.asarray(passes, dtype=np.float64)
    trials_array = np.asarray(trials, dtype=np.float64)
    if trials_array.shape != passes_array.shape:
        trials_array = np.broadcast_to(trials_array, passes_array.shape)
    count = len(passes_array)
    if count == 0 or float(trials_array.min()) < 1.0:
        raise ValueError("every instance needs at least one valid trial")
    raw = passes_array / trials_array
    raw_mean = math.fsum(raw.tolist()) / count
    mean = min(max(raw_mean, _MEAN_FLOOR), _MEAN_CEILING)
    inverse = math.fsum((1.0 / trials_array).tolist()) / count
    rho = _RHO_WITHOUT_REPEATS
    if count > 1 and inverse < 1.0:
        variance = math.fsum(np.square(raw - raw_mean).tolist()) / (count - 1)
        excess = (variance / (mean * (1.0 - mean)) - inverse) / (1.0 - inverse)
        rho = min(max(excess, _RHO_FLOOR), _RHO_CEILING)
    strength = 1.0 / rho - 1.0
    rates = np.clip(
        (mean * strength + passes_array) / (strength + trials_array), RATE_FLOOR, RATE_CEILING
    )
    return InstanceRates(mean, rho, strength, rates)
