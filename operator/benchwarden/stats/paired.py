"""One trial of each instance on either side: McNemar's test and the paired difference of rates."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchwarden.stats.distributions import (
    binomial_lower_tail,
    binomial_upper_tail,
    normal_upper_tail,
)
from benchwarden.stats.proportion import Interval, wilson


@dataclass(frozen=True, slots=True)
class PairedTable:
    """Counts of instances by outcome on both sides; their sum is the number of pairs."""

    both: int
    new_only: int
    base_only: int
    neither: int

    @property
    def pairs(self) -> int:
        """Number of instances with an outcome on both sides."""
        return self.both + self.new_only + self.base_only + self.neither


@dataclass(frozen=True, slots=True)
class McNemar:
    """P-values of the paired comparison; ``less`` means "new is worse than base"."""

    p_exact: float
    p_mid: float
    p_less: float
    midp_less: float
    p_greater: float
    midp_greater: float
    chi2_corrected: float
    p_corrected: float


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """A one-off comparison of two result sets over the instances they share."""

    table: PairedTable
    base_rate: float
    new_rate: float
    delta: float
    delta_interval: Interval
    base_interval: Interval
    new_interval: Interval
    odds_ratio: float | None
    tests: McNemar


def paired_table(base: Mapping[str, bool], new: Mapping[str, bool]) -> PairedTable:
    """Count the outcomes of the instances present on both sides; the others are left out."""
    both = new_only = base_only = neither = 0
    for instance, base_passed in base.items():
        new_passed = new.get(instance)
        if new_passed is None:
            continue
        both += base_passed and new_passed
        new_only += new_passed and not base_passed
        base_only += base_passed and not new_passed
        neither += not (base_passed or new_passed)
    return PairedTable(both, new_only, base_only, neither)


def mcnemar(table: PairedTable) -> McNemar:
    """Test whether passes moved from one side to the other; only discordant pairs speak.

    Args:
        table: Counts of pairs. Without a discordant pair every exact p is 1 and the one-sided mid-p
            is 1/2.

    Returns:
        Exact and mid-p values, two-sided and one-sided, and chi-squared with continuity correction
        (1 degree of freedom; 0 and p = 1 without a discordant pair).

    Source: McNemar 1947; mid-p after Fagerland, Lydersen and Laake 2013, BMC Med Res Methodol 13:91.
    """
    discordant = table.base_only + table.new_only
    p_less = binomial_lower_tail(table.new_only, discordant, 0.5)
    p_greater = binomial_upper_tail(table.new_only, discordant, 0.5)
    mass = 1.0
    if discordant:
        mass = math.exp(
            math.lgamma(discordant + 1)
            - math.lgamma(table.new_only + 1)
            - math.lgamma(table.base_only + 1)
            - discordant * math.log(2.0)
        )
    smaller = min(p_less, p_greater)
    gap = abs(table.base_only - table.new_only)
    chi2 = max(0.0, gap - 1.0) ** 2 / discordant if discordant else 0.0
    return McNemar(
        p_exact=min(1.0, 2.0 * smaller),
        p_mid=min(1.0, 2.0 * smaller - mass),
        p_less=p_less,
        midp_less=p_less - mass / 2.0,
        p_greater=p_greater,
        midp_greater=p_greater - mass / 2.0,
        chi2_corrected=chi2,
        p_corrected=2.0 * normal_upper_tail(math.sqrt(chi2)),
    )


def newcombe_paired(table: PairedTable, confidence: float = 0.95) -> Interval:
    """Return Newcombe's hybrid-score interval of (new rate - base rate) for paired outcomes.

    Args:
        table: Counts of pairs; with no pair at all the interval is [-1, 1].
        confidence: Coverage in (0, 1).

    Source: Newcombe 1998, Stat Med 17:2635, method 10 (correlation shrunk by n/2).
    """
    pairs = table.pairs
    if pairs == 0:
        return Interval(-1.0, 1.0)
    new_passes = table.both + table.new_only
    base_passes = table.both + table.base_only
    new_rate, base_rate = new_passes / pairs, base_passes / pairs
    new_ci, base_ci = wilson(new_passes, pairs, confidence), wilson(base_passes, pairs, confidence)
    phi = correlation(table)
    delta = (table.new_only - table.base_only) / pairs
    down = _combine(new_rate - new_ci.lower, base_ci.upper - base_rate, phi)
    up = _combine(base_rate - base_ci.lower, new_ci.upper - new_rate, phi)
    return Interval(max(-1.0, delta - down), min(1.0, delta + up))


def correlation(table: PairedTable) -> float:
    """Return Newcombe's corrected correlation of the two sides; 0 when a side never varies."""
    new_passes = table.both + table.new_only
    base_passes = table.both + table.base_only
    margins = new_passes * (table.pairs - new_passes) * base_passes * (table.pairs - base_passes)
    if margins == 0:
        return 0.0
    product = table.both * table.neither - table.new_only * table.base_only
    shrunk = max(product - table.pairs / 2.0, 0.0) if product > 0 else float(product)
    return shrunk / math.sqrt(margins)


def compare_paired(
    base: Mapping[str, bool], new: Mapping[str, bool], confidence: float = 0.95
) -> PairedComparison:
    """Compare two result sets instance by instance.

    Args:
        base: Outcome by instance id of the reference.
        new: Outcome by instance id of what is judged. Only shared ids count.
        confidence: Coverage of the three intervals.

    Returns:
        Rates over the shared instances, ``delta`` = new - base, and the tests; one-sided ``less``
        asks whether new is worse. ``odds_ratio`` (new against base) is new_only / base_only, None
        when base_only is 0.

    Raises:
        ValueError: When no instance is shared.
    """
    table = paired_table(base, new)
    pairs = table.pairs
    if pairs == 0:
        raise ValueError("the two sides share no instance")
    new_passes = table.both + table.new_only
    base_passes = table.both + table.base_only
    return PairedComparison(
        table=table,
        base_rate=base_passes / pairs,
        new_rate=new_passes / pairs,
        delta=(table.new_only - table.base_only) / pairs,
        delta_interval=newcombe_paired(table, confidence),
        base_interval=wilson(base_passes, pairs, confidence),
        new_interval=wilson(new_passes, pairs, confidence),
        odds_ratio=table.new_only / table.base_only if table.base_only else None,
        tests=mcnemar(table),
    )


def _combine(first: float, second: float, phi: float) -> float:
    squared = first * first - 2.0 * phi * first * second + second * second
    return math.sqrt(max(0.0, squared))
