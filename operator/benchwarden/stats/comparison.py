"""One-off comparison of two sides: any number of trials per instance on either."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchwarden.errors import InvalidInputError
from benchwarden.stats.difference import panel_difference
from benchwarden.stats.mantel_haenszel import OddsRatio, odds_ratio
from benchwarden.stats.paired import McNemar, PairedTable, mcnemar, newcombe_paired
from benchwarden.stats.power import minimum_detectable_effect
from benchwarden.stats.proportion import Interval, wilson
from benchwarden.stats.stratified import PanelCounts, StratifiedTest, stratified_test
from benchwarden.stats.windows import Verdict, verdict_of

NOTHING_SHARED = "NothingShared"

Outcomes = Mapping[str, tuple[int, int]]
"""Passes and valid trials by instance id."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from base to new over the instances with a valid trial on both sides.

    Attributes:
        n_common: Those instances.
        base_rate: Mean over instances of base's pass rate.
        new_rate: Likewise of new; ``new_rate - base_rate`` is ``delta``.
        delta: Mean difference of rates, new minus base.
        delta_interval: 95 %: Newcombe's paired interval with one trial a side, else the fixed-panel
            interval.
        wilson_base: 95 % interval of base's pooled trials.
        wilson_new: Likewise of new.
        mcnemar: Tests on discordant pairs; None unless every instance has one trial a side.
        odds_ratio: Mantel-Haenszel, new against base, below 1 is worse.
        discordant: Instances that did better on base, and on new.
        test: Exact stratified test; with one trial a side the same as McNemar's.
        mde80: Smallest drop (ratio) that would be seen with 80 % power.
        verdict: At one-sided 5 % mid-p; ``inconclusive`` when ``mde80`` exceeds the minimum effect.
    """

    n_common: int
    base_rate: float
    new_rate: float
    delta: float
    delta_interval: Interval
    wilson_base: Interval
    wilson_new: Interval
    mcnemar: McNemar | None
    odds_ratio: OddsRatio
    discordant: tuple[int, int]
    test: StratifiedTest
    mde80: float
    verdict: Verdict


def compare(base: Outcomes, new: Outcomes, minimum_effect: float = 0.05) -> Comparison:
    """Compare two sides instance by instance.

    Args:
        base: Passes and valid trials by instance of the reference.
        new: Those of what is judged.
        minimum_effect: The drop (ratio) that must not be missed.

    Raises:
        InvalidInputError: When no instance has a valid trial on both sides.
    """
    shared = sorted(i for i in base.keys() & new.keys() if base[i][1] > 0 and new[i][1] > 0)
    if not shared:
        raise InvalidInputError(
            "the two sides share no instance with a valid trial; name results of the same instances",
            reason=NOTHING_SHARED,
        )
    counts = PanelCounts.of(
        [new[i][0] for i in shared],
        [new[i][1] for i in shared],
        [base[i][0] for i in shared],
        [base[i][1] for i in shared],
    )
    base_rates = counts.base_passes / counts.base_trials
    new_rates = counts.new_passes / counts.new_trials
    lost, won = int(np.sum(new_rates < base_rates)), int(np.sum(new_rates > base_rates))
    single = int(counts.new_trials.max()) == int(counts.base_trials.max()) == 1
    table = _paired_table(counts, lost, won) if single else None
    difference = panel_difference(counts)
    test, mde80 = stratified_test(counts), _mde(counts)
    return Comparison(
        n_common=len(shared),
        base_rate=_mean(base_rates.tolist()),
        new_rate=_mean(new_rates.tolist()),
        delta=_mean((new_rates - base_rates).tolist()),
        delta_interval=_interval(table, difference.interval if difference else None),
        wilson_base=wilson(int(counts.base_passes.sum()), int(counts.base_trials.sum())),
        wilson_new=wilson(int(counts.new_passes.sum()), int(counts.new_trials.sum())),
        mcnemar=mcnemar(table) if table else None,
        odds_ratio=odds_ratio(counts),
        discordant=(lost, won),
        test=test,
        mde80=mde80,
        verdict=verdict_of(test.midp_less, test.midp_greater, mde80, minimum_effect),
    )


def merge_trials(sides: list[Outcomes]) -> dict[str, tuple[int, int]]:
    """Add up several result sets of one side: each contributes its trials of an instance."""
    merged: dict[str, tuple[int, int]] = {}
    for outcomes in sides:
        for instance, (passes, trials) in outcomes.items():
            before_passes, before_trials = merged.get(instance, (0, 0))
            merged[instance] = (before_passes + passes, before_trials + trials)
    return merged


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _interval(table: PairedTable | None, panel: Interval | None) -> Interval:
    if table is not None:
        return newcombe_paired(table)
    return panel or Interval(-1.0, 1.0)


def _paired_table(counts: PanelCounts, lost: int, won: int) -> PairedTable:
    both = int(np.sum((counts.new_passes == 1) & (counts.base_passes == 1)))
    return PairedTable(both, won, lost, counts.instances - both - won - lost)


def _mde(counts: PanelCounts) -> float:
    trials = counts.new_trials + counts.base_trials
    passes = counts.new_passes + counts.base_passes
    noise = passes * (trials - passes) / (trials * (trials - 1.0))
    # Two sides that agree everywhere do not make every effect visible: assume one disagreement.
    total = max(math.fsum(noise.tolist()), 1.0 / float(trials.max()))
    inverse = _mean((1.0 / counts.new_trials + 1.0 / counts.base_trials).tolist())
    return minimum_detectable_effect(total / counts.instances, counts.instances, inverse)
