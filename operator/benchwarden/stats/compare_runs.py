"""One run against another over the instances they share: effect, interval, exact p, and what it could have seen.

With one trial a side this is McNemar's mid-p test and a paired difference; with several trials each instance is
a stratum of the exact conditional test. Either way an instance is only ever compared with itself.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchwarden.stats.difference import panel_difference
from benchwarden.stats.paired import compare_paired
from benchwarden.stats.power import minimum_detectable_effect
from benchwarden.stats.proportion import Interval
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.stratified import PanelCounts, stratified_test

Cells = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RunComparison:
    """New minus base over the shared instances; rates are 0..1.

    Attributes:
        p_worse, p_better: one-sided mid-p values.
        p_two_sided: exact.
        mde: smallest drop seen with 80 % power at the one-sided 5 % level.
        gained, lost: instances whose rate rose or fell, largest change first.
    """

    pairs: int
    only_new: int
    only_base: int
    base_rate: float
    new_rate: float
    delta: float
    interval: Interval
    p_worse: float
    p_better: float
    p_two_sided: float
    mde: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def compare_cells(base: Cells, new: Cells) -> RunComparison | None:
    """Compare passes and valid trials per instance of two runs.

    Args:
        base: (passes, trials) by instance id of the reference; cells without trials are left out.
        new: the same of what is judged.

    Returns:
        The comparison, or None when no instance has a valid trial on both sides. Rates are means of
        instance rates, so that `delta` is their difference whatever the numbers of trials. The interval is
        Newcombe's paired one with a single trial a side, else the within-instance one.

    Source: see `stratified_test`, `compare_paired`, `panel_difference`.
    """
    here = {key for key, (_, trials) in new.items() if trials > 0}
    there = {key for key, (_, trials) in base.items() if trials > 0}
    shared = sorted(here & there)
    if not shared:
        return None
    counts = PanelCounts.of(
        [new[key][0] for key in shared],
        [new[key][1] for key in shared],
        [base[key][0] for key in shared],
        [base[key][1] for key in shared],
    )
    test = stratified_test(counts)
    changes = {key: _rate(new[key]) - _rate(base[key]) for key in shared}
    return RunComparison(
        pairs=len(shared),
        only_new=len(here - there),
        only_base=len(there - here),
        base_rate=math.fsum(_rate(base[key]) for key in shared) / len(shared),
        new_rate=math.fsum(_rate(new[key]) for key in shared) / len(shared),
        delta=math.fsum(changes.values()) / len(shared),
        interval=_interval(base, new, shared, counts),
        p_worse=test.midp_less,
        p_better=test.midp_greater,
        p_two_sided=test.p_two_sided,
        mde=_smallest_drop(counts),
        gained=tuple(sorted((k for k in shared if changes[k] > 0), key=lambda k: (-changes[k], k))),
        lost=tuple(sorted((k for k in shared if changes[k] < 0), key=lambda k: (changes[k], k))),
    )


def _rate(cell: tuple[int, int]) -> float:
    return cell[0] / cell[1]


def _interval(base: Cells, new: Cells, shared: list[str], counts: PanelCounts) -> Interval:
    if all(base[key][1] == 1 and new[key][1] == 1 for key in shared):
        paired = compare_paired(
            {key: bool(base[key][0]) for key in shared}, {key: bool(new[key][0]) for key in shared}
        )
        return paired.delta_interval
    difference = panel_difference(counts)
    return difference.interval if difference is not None else Interval(-1.0, 1.0)


def _smallest_drop(counts: PanelCounts) -> float:
    rates = instance_rates(
        counts.new_passes + counts.base_passes, counts.new_trials + counts.base_trials
    ).rates
    inverse = 1.0 / counts.new_trials + 1.0 / counts.base_trials
    return minimum_detectable_effect(
        math.fsum((rates * (1.0 - rates)).tolist()) / counts.instances,
        counts.instances,
        math.fsum(inverse.tolist()) / counts.instances,
    )
