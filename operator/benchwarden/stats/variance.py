"""Where a pass rate's variance comes from, and what repeats of an instance buy (pass@k, pass^k)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class VarianceSplit:
    """Bernoulli variance of one trial, split.

    ``within`` is E[p(1-p)], run-to-run noise on the same instance; ``total`` is mu(1-mu);
    ``within_share`` is their ratio (0 when nothing varies); ``sd_panel_rate`` is the standard
    deviation of the panel's rate in one run of one trial per instance.
    """

    within: float
    total: float
    within_share: float
    sd_panel_rate: float


def variance_split(passes: npt.ArrayLike, trials: npt.ArrayLike) -> VarianceSplit | None:
    """Split the variance of one trial into within-instance noise and differences of difficulty.

    Args:
        passes: Passed trials per instance.
        trials: Valid trials per instance; instances with fewer than two are left out.

    Returns:
        The split, or None when no instance has two trials. Unbiased for ``within``.

    Source: law of total variance; within = mean of s(k-s)/(k(k-1)) = pass@2 - pass@1.
    """
    all_passes = np.asarray(passes, dtype=np.float64)
    all_trials = np.broadcast_to(np.asarray(trials, dtype=np.float64), all_passes.shape)
    repeated = all_trials >= 2
    s, k = all_passes[repeated], all_trials[repeated]
    count = len(s)
    if count == 0:
        return None
    noise = s * (k - s) / (k * (k - 1.0))
    noise_sum = math.fsum(noise.tolist())
    mean = math.fsum((s / k).tolist()) / count
    total = mean * (1.0 - mean)
    within = noise_sum / count
    return VarianceSplit(
        within=within,
        total=total,
        within_share=within / total if total > 0 else 0.0,
        sd_panel_rate=math.sqrt(noise_sum) / count,
    )


def within_variance_from_pass_at(pass_at_1: float, pass_at_2: float) -> float:
    """Return E[p(1-p)] from a published pass@1 and pass@2 (both 0..1): their difference."""
    return pass_at_2 - pass_at_1


def pass_at_k(trials: int, passes: int, k: int) -> float:
    """Return the chance that at least one of k trials passes, unbiased: 1 - C(n-c,k)/C(n,k).

    Args:
        trials: Valid trials n of the instance.
        passes: Passed trials c, 0..n.
        k: Trials drawn, 1..n.

    Raises:
        ValueError: On counts out of range.

    Source: Chen et al. 2021, arXiv 2107.03374.
    """
    _check(trials, passes, k)
    return 1.0 - math.comb(trials - passes, k) / math.comb(trials, k)


def pass_hat_k(trials: int, passes: int, k: int) -> float:
    """Return the chance that all of k trials pass, unbiased: C(c,k)/C(n,k).

    Takes the arguments of `pass_at_k`.

    Raises:
        ValueError: On counts out of range.

    Source: Yao et al. 2024, arXiv 2406.12045 (tau-bench).
    """
    _check(trials, passes, k)
    return math.comb(passes, k) / math.comb(trials, k)


def mean_pass_at_k(counts: Sequence[tuple[int, int]], k: int) -> float | None:
    """Return pass@k averaged over instances given as (trials, passes).

    Instances with fewer than k trials are left out; None when none is left.
    """
    values = [pass_at_k(trials, passes, k) for trials, passes in counts if trials >= k]
    return math.fsum(values) / len(values) if values else None


def mean_pass_hat_k(counts: Sequence[tuple[int, int]], k: int) -> float | None:
    """Return pass^k averaged over instances given as (trials, passes), as `mean_pass_at_k`."""
    values = [pass_hat_k(trials, passes, k) for trials, passes in counts if trials >= k]
    return math.fsum(values) / len(values) if values else None


def _check(trials: int, passes: int, k: int) -> None:
    if not 0 <= passes <= trials:
        raise ValueError(f"passes must be within 0..trials, got {passes} of {trials}")
    if not 1 <= k <= trials:
        raise ValueError(f"k must be within 1..trials, got {k} with {trials} trials")
