"""The log-likelihood ratio of one day: a stated kind of degradation against "nothing changed"."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchwarden.stats.distributions import FloatArray, expit, logit

CAPABILITY_SHIFT = 0.5
"""Logit shift of the capability alternative: odds ratio 0.61, about 5 points on a random panel."""

BREAKAGE_SHARE = 0.10
"""Share of sessions broken in the breakage alternative."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Nats that one pass and one fail of each instance add for the alternative.

    One alternative is a vector over instances, several are rows of a matrix (`stacked`).
    """

    on_pass: FloatArray
    on_fail: FloatArray

    def day(self, passes: npt.ArrayLike, trials: npt.ArrayLike) -> float:
        """Return a day's log-likelihood ratio in nats; instances with no trial add nothing."""
        y = np.asarray(passes, dtype=np.float64)
        fails = np.asarray(trials, dtype=np.float64) - y
        return math.fsum((y * self.on_pass + fails * self.on_fail).tolist())

    def days(self, passes: FloatArray, trials: FloatArray) -> list[float]:
        """Return the day's log-likelihood ratio for each of several alternatives."""
        rows = passes * self.on_pass + (trials - passes) * self.on_fail
        return [math.fsum(row) for row in rows.tolist()]


def capability(rates: FloatArray, shift: float | FloatArray = CAPABILITY_SHIFT) -> FloatArray:
    """Return the rates after every instance's log odds fell by ``shift`` (negative: rose).

    A column of shifts gives one row each.
    """
    return expit(logit(rates) - shift)


def breakage(rates: FloatArray, share: float = BREAKAGE_SHARE) -> FloatArray:
    """Return the rates when a ``share`` (0..1) of all sessions fails whatever the instance."""
    return np.asarray(rates * (1.0 - share), dtype=np.float64)


def weights(rates: FloatArray, alternative: FloatArray) -> Weights:
    """Return the weights of an alternative against ``rates``; all rates lie strictly in (0, 1).

    Alternatives that are rows of a matrix give a matrix of weights.
    """
    return Weights(np.log(alternative / rates), np.log((1.0 - alternative) / (1.0 - rates)))


def stacked(alternatives: Sequence[Weights]) -> Weights:
    """Return several alternatives as one matrix of weights, one row each; at least one."""
    return Weights(
        np.array([alternative.on_pass for alternative in alternatives]),
        np.array([alternative.on_fail for alternative in alternatives]),
    )
