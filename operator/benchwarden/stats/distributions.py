"""The distribution functions the package needs: the one door to ``scipy.special``.

``scipy.stats`` is not used at run time: importing it costs about a second, and the few functions
below are all that is needed.
"""

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]


@cache
def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile of a probability in (0, 1)."""
    return float(special.ndtri(probability))


def normal_upper_tail(value: float) -> float:
    """Return P(Z > value) for a standard normal Z, accurate far into the tail."""
    return float(special.ndtr(-value))


def student_two_sided(value: float, degrees_of_freedom: float) -> float:
    """Return P(|T| >= |value|) for Student's t with ``degrees_of_freedom`` > 0."""
    return float(2.0 * special.stdtr(degrees_of_freedom, -abs(value)))


def student_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Return the quantile of Student's t of a probability in (0, 1)."""
    return float(special.stdtrit(degrees_of_freedom, probability))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return the quantile of a Beta(a, b) distribution; ``a`` and ``b`` are positive."""
    return float(special.betaincinv(a, b, probability))


def binomial_lower_tail(successes: int, trials: int, probability: float) -> float:
    """Return P(X <= successes) for X ~ Binomial(trials, probability).

    ``successes`` may lie outside 0..trials; the tail is then 0 or 1.
    """
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return float(special.betaincc(successes + 1, trials - successes, probability))


def binomial_upper_tail(successes: int, trials: int, probability: float) -> float:
    """Return P(X >= successes) for X ~ Binomial(trials, probability)."""
    if successes <= 0:
        return 1.0
    if successes > trials:
        return 0.0
    return float(special.betainc(successes, trials - successes + 1, probability))


def binomial_masses(trials: int, probability: float) -> FloatArray:
    """Return P(X = k) for k = 0..trials, X ~ Binomial(trials, probability)."""
    if probability in (0.0, 1.0):
        masses = np.zeros(trials + 1)
        masses[0 if probability == 0.0 else trials] = 1.0
        return masses
    k = np.arange(trials + 1)
    logs = log_factorials(trials)
    log_masses = (
        logs[trials]
        - logs[k]
        - logs[trials - k]
        + k * math.log(probability)
        + (trials - k) * math.log1p(-probability)
    )
    return np.asarray(np.exp(log_masses), dtype=np.float64)


def log_factorials(largest: int) -> FloatArray:
    """Return log(k!) for k = 0..largest, natural logarithm."""
    return np.asarray(special.gammaln(np.arange(largest + 1) + 1.0), dtype=np.float64)


def expit(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) elementwise."""
    return np.asarray(special.expit(values), dtype=np.float64)


def logit(probabilities: FloatArray) -> FloatArray:
    """Return log(p / (1 - p)) elementwise for p in (0, 1)."""
    return np.asarray(special.logit(probabilities), dtype=np.float64)
