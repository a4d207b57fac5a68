"""Over-dispersion: how much more the daily pass count varies than independent trials would.

Whatever moves a whole day together (load, time of day, a bad node) adds variance that no instance
knows of. phi is estimated from standardised daily residuals and never taken below 1.
"""

import math
from dataclasses import dataclass

import numpy as np

from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.stratified import IntArray

PRIOR_DAYS = 10.0
"""The estimate starts as if so many days of exactly Bernoulli noise had been seen."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Sum of squared standardised daily residuals, and the days behind it."""

    squares: float = PRIOR_DAYS
    days: float = PRIOR_DAYS

    @property
    def factor(self) -> float:
        """The over-dispersion factor phi, at least 1."""
        return max(1.0, self.squares / self.days)

    def absorb(self, squared_residual: float) -> "Dispersion":
        """Return the estimate after one more day."""
        return Dispersion(self.squares + squared_residual, self.days + 1.0)


def baseline_dispersion(passes: IntArray, trials: IntArray, rates: FloatArray) -> Dispersion:
    """Return the estimate after a baseline.

    Args:
        passes: Days x instances.
        trials: Days x instances, 0 where missing.
        rates: Rate per instance in (0, 1).

    Returns:
        The prior plus the sum of squared deviations of the daily residuals sum(y - m p) from their
        mean, divided by their mean variance; days - 1 degrees of freedom. Fewer than two days, or
        no trial, add nothing.
    """
    count = len(passes)
    if count < 2 or int(trials.sum()) == 0:
        return Dispersion()
    residuals = [math.fsum(row.tolist()) for row in passes - trials * rates]
    mean = math.fsum(residuals) / count
    variance = math.fsum((trials * (rates * (1.0 - rates))).ravel().tolist()) / count
    squares = math.fsum((residual - mean) ** 2 for residual in residuals) / variance
    return Dispersion(PRIOR_DAYS + squares, PRIOR_DAYS + count - 1)


def squared_residual(passes: FloatArray, trials: FloatArray, rates: FloatArray) -> float:
    """Return a day's squared standardised residual (sum(y - m p))^2 / sum m p(1-p).

    The day must hold at least one trial.
    """
    expected = trials * rates
    gap = math.fsum((passes - expected).tolist())
    variance = math.fsum((expected * (1.0 - rates)).tolist())
    return float(np.square(gap)) / variance
