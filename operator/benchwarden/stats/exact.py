"""Exact tests of one pass count: against a known rate, or against known rates per instance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from benchwarden.stats.distributions import (
    binomial_lower_tail,
    binomial_masses,
    binomial_upper_tail,
)

# Outcomes whose probability ties with the observed one up to rounding count as equally extreme.
_TIE = 1.0 + 1e-7


@dataclass(frozen=True, slots=True)
class ExactP:
    """P-values of an exact test; ``less`` is the chance of so few passes or fewer."""

    p_less: float
    p_greater: float
    midp_less: float
    midp_greater: float
    p_two_sided: float


def binomial_test(successes: int, trials: int, rate: float) -> ExactP:
    """Test a pass count against a known rate.

    Args:
        successes: Passed trials, 0..trials.
        trials: Valid trials; with none every p is 1 and the mid-p is 1/2.
        rate: The known rate, 0..1.

    Returns:
        One-sided exact and mid-p values, and the two-sided p that adds up all outcomes no more
        likely than the observed one (the rule of R and scipy).

    Raises:
        ValueError: On counts or a rate out of range.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must be within 0..trials, got {successes} of {trials}")
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"rate must lie within 0..1, got {rate}")
    masses = binomial_masses(trials, rate)
    observed = float(masses[successes])
    p_less = binomial_lower_tail(successes, trials, rate)
    p_greater = binomial_upper_tail(successes, trials, rate)
    return ExactP(
        p_less=p_less,
        p_greater=p_greater,
        midp_less=p_less - observed / 2.0,
        midp_greater=p_greater - observed / 2.0,
        p_two_sided=min(1.0, fsum(masses[masses <= observed * _TIE].tolist())),
    )


def poisson_binomial_masses(rates: Sequence[float]) -> list[float]:
    """Return P(S = s), s = 0..n, for the sum of independent trials with their own rates.

    Rates are sorted first, so the result does not depend on their order.

    Raises:
        ValueError: When a rate lies outside 0..1.
    """
    masses = np.ones(1)
    for rate in sorted(rates):
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"rates must lie within 0..1, got {rate}")
        masses = np.convolve(masses, (1.0 - rate, rate))
    return [float(mass) for mass in masses]


def poisson_binomial_test(successes: int, rates: Sequence[float]) -> ExactP:
    """Test a pass count of one trial per instance when every instance's rate is known.

    Args:
        successes: Total passes, 0..len(rates).
        rates: Rate of each instance, 0..1, any order.

    Raises:
        ValueError: On a count or a rate out of range.

    Source: the Poisson-binomial distribution, by convolution (Hong 2013, CSDA 59:41).
    """
    if not 0 <= successes <= len(rates):
        raise ValueError(f"successes must be within 0..{len(rates)}, got {successes}")
    return tails(poisson_binomial_masses(rates), successes)


def tails(masses: Sequence[float], index: int) -> ExactP:
    """Return the p-values of the outcome at ``index`` of a list of probabilities that sum to 1."""
    observed = masses[index]
    p_less = min(1.0, fsum(masses[: index + 1]))
    p_greater = min(1.0, fsum(masses[index:]))
    return ExactP(
        p_less=p_less,
        p_greater=p_greater,
        midp_less=p_less - observed / 2.0,
        midp_greater=p_greater - observed / 2.0,
        p_two_sided=min(1.0, fsum(mass for mass in masses if mass <= observed * _TIE)),
    )
