"""Many monitors at once, as arrays of panels x instances: the same arithmetic, for simulation.

Tested to follow `monitor` step by step. Panels do not talk to each other; a row is a panel.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchwarden.stats.dispersion import PRIOR_DAYS
from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.likelihood import BREAKAGE_SHARE, CAPABILITY_SHIFT
from benchwarden.stats.monitor import WATCH_NATS, MergeRule
from benchwarden.stats.threshold import monitor_threshold

Mask = npt.NDArray[np.bool_]

_RATE_FLOOR, _RATE_CEILING = 0.001, 0.999
_CAPABILITY_TILT = math.expm1(-CAPABILITY_SHIFT)
_IMPROVEMENT_TILT = math.expm1(CAPABILITY_SHIFT)
_BREAKAGE_LOG = math.log1p(-BREAKAGE_SHARE)


def batch_rates(passes: FloatArray, trials: FloatArray) -> FloatArray:
    """Return the empirical-Bayes rates of each row, as `instance_rates` does for one."""
    raw = passes / trials
    raw_mean = raw.mean(axis=1, keepdims=True)
    mean = np.clip(raw_mean, 0.02, 0.98)
    inverse = (1.0 / trials).mean(axis=1, keepdims=True)
    variance = raw.var(axis=1, ddof=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (variance / (mean * (1.0 - mean)) - inverse) / (1.0 - inverse)
    rho = np.where(inverse < 1.0, np.clip(excess, 0.05, 0.75), 0.60)
    strength = 1.0 / rho - 1.0
    rates = (mean * strength + passes) / (strength + trials)
    return np.asarray(np.clip(rates, _RATE_FLOOR, _RATE_CEILING), dtype=np.float64)


@dataclass(slots=True)
class _Tables:
    """What one fail adds for capability, breakage and improvement; passes add constants more."""

    capability: FloatArray
    breakage: FloatArray
    improvement: FloatArray

    @classmethod
    def of(cls, rates: FloatArray) -> "_Tables":
        return cls(
            -np.log1p(rates * _CAPABILITY_TILT),
            np.log((1.0 - rates * (1.0 - BREAKAGE_SHARE)) / (1.0 - rates)),
            -np.log1p(rates * _IMPROVEMENT_TILT),
        )


class BatchMonitor:
    """The monitors of many panels, all with a complete baseline.

    Attributes:
        capability: Statistic in nats, one per panel; likewise `breakage` and `improvement`.
        threshold: Alarm threshold in nats, one per panel.
    """

    def __init__(
        self,
        passes: npt.NDArray[np.int64],
        trials: npt.NDArray[np.int64],
        nominal_trials: int,
        run_length_days: float,
        merge_rule: MergeRule = MergeRule.CAPABILITY_AT_ZERO,
    ) -> None:
        """Freeze baselines given as days x panels x instances."""
        self._passes = passes.sum(axis=0).astype(np.float64)
        self._trials = trials.sum(axis=0).astype(np.float64)
        self.rates = batch_rates(self._passes, self._trials)
        self._tables = _Tables.of(self.rates)
        self._merge_rule = merge_rule
        panels = len(self.rates)
        residuals = (passes - trials * self.rates).sum(axis=2)
        variances = (trials * (self.rates * (1.0 - self.rates))).sum(axis=2)
        spread = ((residuals - residuals.mean(axis=0)) ** 2).sum(axis=0)
        self._squares = PRIOR_DAYS + spread / variances.mean(axis=0)
        self._days = np.full(panels, PRIOR_DAYS + len(passes) - 1)
        information = (nominal_trials * self.rates * (1.0 - self.rates)).sum(axis=1)
        scales = CAPABILITY_SHIFT * np.sqrt(information)
        self.threshold = np.array([monitor_threshold(float(s), run_length_days) for s in scales])
        self.capability, self.breakage, self.improvement = np.zeros((3, panels))
        self._drop_pending(np.ones(panels, dtype=np.bool_), first=True)

    def _drop_pending(self, rows: Mask, *, first: bool = False) -> None:
        if first:
            self._waiting_passes = np.zeros_like(self.rates)
            self._waiting_trials = np.zeros_like(self.rates)
            self._waiting_squares = np.zeros(len(self.rates))
            self._waiting_days = np.zeros(len(self.rates))
            return
        for waiting in (self._waiting_passes, self._waiting_trials):
            waiting[rows] = 0.0
        self._waiting_squares[rows] = 0.0
        self._waiting_days[rows] = 0.0

    @property
    def dispersion(self) -> FloatArray:
        """The over-dispersion factor of each panel."""
        return np.asarray(np.maximum(1.0, self._squares / self._days), dtype=np.float64)

    @property
    def watching(self) -> Mask:
        """Panels whose next run may look closer."""
        return np.asarray(np.maximum(self.capability, self.breakage) > WATCH_NATS)

    @property
    def alarmed(self) -> Mask:
        """Panels at or above their threshold."""
        return np.asarray(np.maximum(self.capability, self.breakage) >= self.threshold)

    def step(self, passes: FloatArray, trials: FloatArray) -> None:
        """Take in one day of every panel; each panel needs at least one valid trial."""
        phi = self.dispersion
        passed = passes.sum(axis=1)
        tables = self._tables
        shifted = (trials * tables.capability).sum(axis=1) - CAPABILITY_SHIFT * passed
        broken = ((trials - passes) * tables.breakage).sum(axis=1) + _BREAKAGE_LOG * passed
        improved = (trials * tables.improvement).sum(axis=1) + CAPABILITY_SHIFT * passed
        self.capability = np.maximum(0.0, self.capability + shifted / phi)
        self.breakage = np.maximum(0.0, self.breakage + broken / phi)
        self.improvement = np.maximum(0.0, self.improvement + improved / phi)
        expected = trials * self.rates
        noise = (expected * (1.0 - self.rates)).sum(axis=1)
        self._waiting_passes += passes
        self._waiting_trials += trials
        self._waiting_squares += (passed - expected.sum(axis=1)) ** 2 / noise
        self._waiting_days += 1.0
        self._merge(self._mergeable())

    def _mergeable(self) -> Mask:
        quiet = self.capability == 0.0
        if self._merge_rule is MergeRule.ALL_QUIET:
            quiet &= (self.breakage < WATCH_NATS) & (self.improvement < self.threshold)
        return np.asarray(quiet)

    def _merge(self, rows: Mask) -> None:
        self._passes[rows] += self._waiting_passes[rows]
        self._trials[rows] += self._waiting_trials[rows]
        self._squares[rows] += self._waiting_squares[rows]
        self._days[rows] += self._waiting_days[rows]
        self._drop_pending(rows)
        rates = batch_rates(self._passes[rows], self._trials[rows])
        self.rates[rows] = rates
        fresh = _Tables.of(rates)
        self._tables.capability[rows] = fresh.capability
        self._tables.breakage[rows] = fresh.breakage
        self._tables.improvement[rows] = fresh.improvement

    def restart(self, rows: Mask, *, absorb: bool = False) -> None:
        """Set the statistics of these panels to zero; the days that wait are forgotten or absorbed."""
        self.capability[rows] = 0.0
        self.breakage[rows] = 0.0
        self.improvement[rows] = 0.0
        if absorb:
            self._merge(rows)
        else:
            self._drop_pending(rows)
