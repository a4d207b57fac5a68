"""The window test: exact conditional comparison of two sides, instance by instance.

Given an instance's total of passes over both sides, the passes of one side are hypergeometric when
nothing changed, whatever the instance's difficulty. The test statistic is the sum over instances,
its distribution the convolution. With one trial a side it is McNemar's test.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchwarden.stats.distributions import FloatArray, log_factorials, normal_upper_tail
from benchwarden.stats.exact import tails

EXACT_TRIALS_LIMIT = 100_000
"""Above so many trials (both sides) the large-sample Cochran-Mantel-Haenszel test takes over."""

# Masses below this underflow soon anyway; dropping them bounds the width of the convolution.
_NEGLIGIBLE = 1e-280

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PanelCounts:
    """Passes and valid trials per instance on two sides; position i is the same instance in all.

    Raises:
        ValueError: When lengths differ or passes lie outside 0..trials.
    """

    new_passes: IntArray
    new_trials: IntArray
    base_passes: IntArray
    base_trials: IntArray

    def __post_init__(self) -> None:
        if len({len(self.new_passes), len(self.new_trials), len(self.base_passes),
                len(self.base_trials)}) != 1:  # fmt: skip
            raise ValueError("the four lists must be of one length")
        for passes, trials in (
            (self.new_passes, self.new_trials),
            (self.base_passes, self.base_trials),
        ):
            if bool(np.any(passes < 0)) or bool(np.any(passes > trials)):
                raise ValueError("passes must be within 0..trials for every instance")

    @classmethod
    def of(
        cls,
        new_passes: npt.ArrayLike,
        new_trials: npt.ArrayLike,
        base_passes: npt.ArrayLike,
        base_trials: npt.ArrayLike,
    ) -> "PanelCounts":
        """Build counts from any sequences; a single number stands for every instance."""
        arrays = np.broadcast_arrays(
            *(np.asarray(side, dtype=np.int64)
              for side in (new_passes, new_trials, base_passes, base_trials))
        )  # fmt: skip
        return cls(*(np.atleast_1d(array).astype(np.int64) for array in arrays))

    def shared(self) -> "PanelCounts":
        """Return only the instances with a valid trial on both sides."""
        keep = (self.new_trials > 0) & (self.base_trials > 0)
        return PanelCounts(
            self.new_passes[keep],
            self.new_trials[keep],
            self.base_passes[keep],
            self.base_trials[keep],
        )

    @property
    def instances(self) -> int:
        """Number of instances, with or without trials."""
        return len(self.new_passes)


@dataclass(frozen=True, slots=True)
class StratifiedTest:
    """P-values given each instance's total; ``less`` asks whether new is worse.

    ``method`` is ``exact`` or ``cmh``; ``statistic`` and ``expected`` are new's passes over the
    instances that speak (neither all passed nor all failed).
    """

    p_less: float
    p_greater: float
    midp_less: float
    midp_greater: float
    p_two_sided: float
    statistic: int
    expected: float
    method: str


def stratified_test(counts: PanelCounts) -> StratifiedTest:
    """Compare two sides over the instances they share, each instance its own stratum.

    Args:
        counts: Passes and trials per instance. Instances without a valid trial on one side, or with
            one outcome only over both sides, carry no information and are dropped. If none is left
            the exact p-values are 1 and the mid-p 1/2.

    Returns:
        Exact p-values up to `EXACT_TRIALS_LIMIT` trials; above, the Cochran-Mantel-Haenszel normal
        approximation: continuity-corrected p (only if |statistic - expected| >= 1/2), mid-p without
        correction. The two-sided exact p adds up all totals no more likely than the observed one.
        Exact probabilities below about 1e-270 are returned as 0.

    Source: the score test of conditional logistic regression with instance strata; Mantel and
    Haenszel 1959; exact form as in R's ``mantelhaen.test(exact = TRUE)``. Mid-p: Lancaster 1961.
    """
    kept = _informative(counts.shared())
    trials = int(kept.new_trials.sum() + kept.base_trials.sum())
    if trials > EXACT_TRIALS_LIMIT:
        return _large_sample(kept)
    lowest, masses = total_masses(kept)
    statistic = int(kept.new_passes.sum())
    expected, _ = moments(kept)
    index = statistic - lowest
    if not 0 <= index < len(masses):
        # The observed total lies where every probability underflows.
        below = index < 0
        sides = (0.0, 1.0) if below else (1.0, 0.0)
        return StratifiedTest(*sides, *sides, 0.0, statistic, expected, "exact")
    p = tails([float(mass) for mass in masses], index)
    return StratifiedTest(
        p.p_less, p.p_greater, p.midp_less, p.midp_greater, p.p_two_sided,
        statistic, expected, "exact",
    )  # fmt: skip


def moments(counts: PanelCounts) -> tuple[float, float]:
    """Return the mean and variance of new's total passes given each instance's totals.

    Instances with fewer than two trials in all add no variance.
    """
    trials = (counts.new_trials + counts.base_trials).astype(np.float64)
    passes = (counts.new_passes + counts.base_passes).astype(np.float64)
    safe = np.maximum(trials, 1.0)
    mean = counts.new_trials * passes / safe
    spread = counts.new_trials * counts.base_trials * passes * (trials - passes)
    variance = spread / (safe * safe * np.maximum(trials - 1.0, 1.0))
    return math.fsum(mean.tolist()), math.fsum(variance.tolist())


def hypergeometric_masses(trials: int, passes: int, drawn: int) -> tuple[int, FloatArray]:
    """Return the lowest possible count and the probabilities from there on.

    The count is that of passes among ``drawn`` of ``trials`` when ``passes`` of them passed.
    """
    lowest = max(0, drawn + passes - trials)
    k = np.arange(lowest, min(drawn, passes) + 1)
    logs = log_factorials(trials)
    log_masses = (
        logs[passes] - logs[k] - logs[passes - k]
        + logs[trials - passes] - logs[drawn - k] - logs[trials - passes - drawn + k]
        - logs[trials] + logs[drawn] + logs[trials - drawn]
    )  # fmt: skip
    return lowest, np.asarray(np.exp(log_masses), dtype=np.float64)


def total_masses(counts: PanelCounts) -> tuple[int, FloatArray]:
    """Return the lowest total of new's passes kept, and the probabilities from there on.

    Strata are sorted, so the order of instances changes nothing, not even the last digit.
    """
    strata = sorted(
        zip(
            (counts.new_trials + counts.base_trials).tolist(),
            (counts.new_passes + counts.base_passes).tolist(),
            counts.new_trials.tolist(),
            strict=True,
        )
    )
    known: dict[tuple[int, int, int], tuple[int, FloatArray]] = {}
    lowest, masses = 0, np.ones(1)
    for stratum in strata:
        if stratum not in known:
            known[stratum] = hypergeometric_masses(*stratum)
        offset, stratum_masses = known[stratum]
        masses = np.convolve(masses, stratum_masses)
        kept = np.flatnonzero(masses > _NEGLIGIBLE)
        lowest += offset + int(kept[0])
        masses = masses[kept[0] : kept[-1] + 1]
    return lowest, masses


def _informative(counts: PanelCounts) -> PanelCounts:
    passes = counts.new_passes + counts.base_passes
    keep = (passes > 0) & (passes < counts.new_trials + counts.base_trials)
    return PanelCounts(
        counts.new_passes[keep],
        counts.new_trials[keep],
        counts.base_passes[keep],
        counts.base_trials[keep],
    )


def _large_sample(counts: PanelCounts) -> StratifiedTest:
    expected, variance = moments(counts)
    statistic = int(counts.new_passes.sum())
    gap = statistic - expected
    deviation = math.sqrt(variance)
    corrected = math.copysign(abs(gap) - 0.5, gap) if abs(gap) >= 0.5 else gap
    z, z_corrected = gap / deviation, corrected / deviation
    return StratifiedTest(
        p_less=normal_upper_tail(-z_corrected),
        p_greater=normal_upper_tail(z_corrected),
        midp_less=normal_upper_tail(-z),
        midp_greater=normal_upper_tail(z),
        p_two_sided=2.0 * normal_upper_tail(abs(z_corrected)),
        statistic=statistic,
        expected=expected,
        method="cmh",
    )
