"""Many tests at once: adjusted p-values (Holm, Bonferroni, Benjamini-Hochberg, Yekutieli) and e-BH."""

from collections.abc import Sequence
from math import fsum


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Return p-values times their number, at most 1, in the order given."""
    return [min(1.0, p * len(p_values)) for p in p_values]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's step-down adjusted p-values in the order given.

    Controls the chance of any false rejection under any dependence. Adjusted values are monotone in
    the raw ones and at most 1; an empty list gives an empty list.

    Source: Holm 1979, Scand J Statist 6:65.
    """
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, position in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (count - rank) * p_values[position]))
        adjusted[position] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values that control the false discovery rate of independent tests.

    Source: Benjamini and Hochberg 1995, JRSS B 57:289.
    """
    return _step_up(p_values, 1.0)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values that control the false discovery rate under any dependence.

    Source: Benjamini and Yekutieli 2001, Ann Stat 29:1165.
    """
    return _step_up(p_values, fsum(1.0 / rank for rank in range(1, len(p_values) + 1)))


def e_benjamini_hochberg(e_values: Sequence[float], level: float) -> int:
    """Return how many of the largest e-values are rejected at false discovery rate ``level``.

    Rejects the k largest where k is the largest number with k * e_(k) / K >= 1 / level; valid under
    any dependence.

    Source: Wang and Ramdas 2022, JRSS B 84:822.
    """
    count = len(e_values)
    descending = sorted(e_values, reverse=True)
    passing = [k for k, e in enumerate(descending, start=1) if k * e >= count / level]
    return max(passing, default=0)


def _step_up(p_values: Sequence[float], factor: float) -> list[float]:
    count = len(p_values)
    adjusted = [0.0] * count
    lowest = 1.0
    descending = sorted(range(count), key=lambda i: p_values[i], reverse=True)
    for behind, position in enumerate(descending):
        lowest = min(lowest, factor * count / (count - behind) * p_values[position])
        adjusted[position] = lowest
    return adjusted
