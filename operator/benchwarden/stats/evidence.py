"""Evidence for a change: six Shiryaev-Roberts e-detectors, averaged.

Each runs M = (1 + M) * LR from 0. With known rates the average exceeds A on average not before day
A, whatever the mixture: the value reads as "days of luck needed to see this by chance".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.likelihood import Weights, breakage, capability, weights

EFFECTS = (0.02, 0.05, 0.10)
"""Drops of the panel rate that the six alternatives stand for, each as capability and breakage."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Logarithms of the detectors' values; minus infinity at the start."""

    log_values: tuple[float, ...]

    @classmethod
    def start(cls, detectors: int) -> "Evidence":
        """Return detectors at zero."""
        return cls((-math.inf,) * detectors)

    def after(self, log_ratios: Sequence[float]) -> "Evidence":
        """Return the detectors after a day with these log-likelihood ratios (nats)."""
        return Evidence(
            tuple(
                ratio + _log1p_exp(value)
                for value, ratio in zip(self.log_values, log_ratios, strict=True)
            )
        )

    @property
    def log10_mean(self) -> float | None:
        """Decimal logarithm of the mean over detectors; None before the first day."""
        highest = max(self.log_values, default=-math.inf)
        if highest == -math.inf:
            return None
        total = math.fsum(math.exp(value - highest) for value in self.log_values)
        return (highest + math.log(total / len(self.log_values))) / math.log(10.0)


def evidence_weights(rates: FloatArray) -> tuple[Weights, ...]:
    """Return the weights of the alternatives for a panel with these frozen rates.

    An effect not smaller than the panel's mean rate cannot happen; its two alternatives are left
    out.
    """
    mean = math.fsum(rates.tolist()) / len(rates)
    reachable = [effect for effect in EFFECTS if effect < mean]
    shifted = [weights(rates, capability(rates, shift_for(rates, e))) for e in reachable]
    broken = [weights(rates, breakage(rates, effect / mean)) for effect in reachable]
    return (*shifted, *broken)


def shift_for(rates: FloatArray, effect: float) -> float:
    """Return the logit shift that lowers the panel's mean rate by ``effect``.

    Args:
        rates: Instance rates in (0, 1).
        effect: Drop, 0 <= effect < mean rate.

    Raises:
        ValueError: When no shift lowers the mean by so much.
    """
    mean = math.fsum(rates.tolist()) / len(rates)
    if not 0.0 <= effect < mean:
        raise ValueError(f"the mean rate {mean} cannot fall by {effect}")
    low, high = 0.0, 1.0
    while _drop(rates, mean, high) < effect:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if _drop(rates, mean, middle) < effect:
            low = middle
        else:
            high = middle
    return high


def _drop(rates: FloatArray, mean: float, shift: float) -> float:
    return mean - math.fsum(capability(rates, shift).tolist()) / len(rates)


def _log1p_exp(value: float) -> float:
    return value + math.log1p(math.exp(-value)) if value > 0 else math.log1p(math.exp(value))
