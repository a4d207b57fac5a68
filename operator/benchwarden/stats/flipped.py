"""Which instances changed most against the baseline: what a page and a report should name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchwarden.stats.baseline import Baseline
from benchwarden.stats.episodes import counts_of
from benchwarden.stats.independent import fisher_exact
from benchwarden.stats.monitor import Day

FLIPPED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Flipped:
    """One instance: counts on both sides, the change of its rate, and how surprising it is.

    ``midp`` is the one-sided exact mid-p of the change in its own direction, for ranking only: the
    extreme ones of a panel are small by selection.
    """

    instance: str
    baseline_passes: int
    baseline_trials: int
    passes: int
    trials: int
    delta: float
    midp: float


def flipped(
    baseline: Baseline, days: Sequence[Day], limit: int = FLIPPED_SHOWN
) -> tuple[Flipped, ...]:
    """Return the instances that changed most over these days, worst first.

    Args:
        baseline: The frozen baseline.
        days: Days after freeze, on the baseline's panel.
        limit: How many to return at most.

    Returns:
        Instances whose rate differs from the baseline's, the ``limit`` most surprising ones, falls
        before rises, then by surprise and name.
    """
    counts = counts_of(baseline, tuple(days))
    rows = zip(
        baseline.instances,
        counts.base_passes.tolist(),
        counts.base_trials.tolist(),
        counts.new_passes.tolist(),
        counts.new_trials.tolist(),
        strict=True,
    )
    changed = [
        _flipped(*row)
        for row in rows
        if row[4] and not math.isclose(row[1] / row[2], row[3] / row[4])
    ]
    changed.sort(key=lambda item: (item.midp, item.instance))
    return tuple(
        sorted(changed[:limit], key=lambda item: (item.delta > 0, item.midp, item.instance))
    )


def _flipped(
    instance: str, baseline_passes: int, baseline_trials: int, passes: int, trials: int
) -> Flipped:
    test = fisher_exact(passes, trials, baseline_passes, baseline_trials)
    delta = passes / trials - baseline_passes / baseline_trials
    return Flipped(
        instance=instance,
        baseline_passes=baseline_passes,
        baseline_trials=baseline_trials,
        passes=passes,
        trials=trials,
        delta=delta,
        midp=test.midp_less if delta < 0 else test.midp_greater,
    )
