"""The episodes of many panels at once: page, confirm within seven days, resolve after seven calm ones.

Follows `episodes` panel by panel (tested), but for one thing: at `resolved` all waiting days are
dropped, while the single monitor keeps those before the change point.
"""

import numpy as np
import numpy.typing as npt

from benchwarden.stats.batch import BatchMonitor, Mask
from benchwarden.stats.distributions import FloatArray, normal_quantile
from benchwarden.stats.episodes import (
    CONFIRM_BELOW,
    CONFIRM_DAYS,
    RESOLVE_ABOVE,
    RESOLVE_DAYS,
    RESOLVE_DELTA_ABOVE,
)
from benchwarden.stats.stratified import PanelCounts, stratified_test

IntArray = npt.NDArray[np.int64]
_WEEK_DAYS = 7
_DOUBT = 0.7  # standard deviations within which the exact test decides, not its normal limit


class BatchEpisodes:
    """Which panels page, and what became of their alarms.

    Attributes:
        degraded: Panels with an alarm that is not confirmed yet.
        confirmed: Panels with a confirmed one.
        pages: Alarms of each panel so far.
        unconfirmed: Those the following days did not confirm.
    """

    def __init__(
        self, monitor: BatchMonitor, passes: IntArray, trials: IntArray, *, absorb: bool = False
    ) -> None:
        """Begin on the evening of the freeze; baselines are days x panels x instances."""
        self._monitor, self._absorb = monitor, absorb
        self._base_passes, self._base_trials = passes.sum(axis=0), trials.sum(axis=0)
        shape = self._base_passes.shape
        self.degraded, self.confirmed = np.zeros((2, shape[0]), dtype=np.bool_)
        self.pages, self.unconfirmed, self._waited, self._calm = np.zeros(
            (4, shape[0]), dtype=np.int64
        )
        self._after = np.zeros((2, *shape))
        self._week = np.zeros((_WEEK_DAYS, 2, *shape))
        self._day = 0

    @property
    def looking(self) -> Mask:
        """Panels whose next run may look closer: watching, with no episode open."""
        return np.asarray(self._monitor.watching & ~self.degraded & ~self.confirmed)

    def step(self, passes: FloatArray, trials: FloatArray) -> Mask:
        """Judge the day the monitor has just taken in; return the panels that page for it."""
        self._week[self._day % _WEEK_DAYS] = passes, trials
        self._day += 1
        quiet = ~self.degraded & ~self.confirmed
        self._resolve()
        self._confirm(passes, trials)
        alarmed = np.asarray(self._monitor.alarmed & quiet)
        self.degraded |= alarmed
        self.pages += alarmed
        self._after[:, alarmed] = 0.0
        self._waited[alarmed] = 0
        return alarmed

    def _confirm(self, passes: FloatArray, trials: FloatArray) -> None:
        rows = np.flatnonzero(self.degraded)
        if not len(rows):
            return
        self._after[0, rows] += passes[rows]
        self._after[1, rows] += trials[rows]
        self._waited[rows] += 1
        worse = rows[self._below(rows, self._after[:, rows], CONFIRM_BELOW)]
        self.degraded[worse] = False
        self.confirmed[worse] = True
        self._calm[worse] = 0
        over = self.degraded & (self._waited == CONFIRM_DAYS)
        self.degraded[over] = False
        self.unconfirmed += over
        self._monitor.restart(over, absorb=self._absorb)

    def _resolve(self) -> None:
        rows = np.flatnonzero(self.confirmed)
        if not len(rows):
            return
        sums = self._week[:, :, rows].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            change = sums[0] / sums[1] - self._base_passes[rows] / self._base_trials[rows]
        near = np.nanmean(change, axis=1) > RESOLVE_DELTA_ABOVE
        calm = np.zeros_like(near)
        calm[near] = ~self._below(rows[near], sums[:, near], RESOLVE_ABOVE)
        self._calm[rows] = np.where(calm, self._calm[rows] + 1, 0)
        resolved = np.zeros_like(self.confirmed)
        resolved[rows] = self._calm[rows] >= RESOLVE_DAYS
        self.confirmed[resolved] = False
        self._monitor.restart(resolved)

    def _below(self, rows: IntArray, sums: FloatArray, level: float) -> Mask:
        """Where the exact mid-p of these sums against the baseline is below the level."""
        passes, trials = sums
        base_passes, base_trials = self._base_passes[rows], self._base_trials[rows]
        total, won = trials + base_trials, passes + base_passes
        share = won / total
        spread = trials * share * (1.0 - share) * base_trials / np.maximum(total - 1.0, 1.0)
        gap = passes.sum(axis=1) - (trials * share).sum(axis=1)
        z = gap / np.sqrt(np.maximum(spread.sum(axis=1), 1e-12))
        # The exact test takes a third of a millisecond; far from the level nobody needs it.
        at = normal_quantile(level)
        below = z < at
        for place in np.flatnonzero(np.abs(z - at) < _DOUBT):
            counts = PanelCounts.of(
                passes[place], trials[place], base_passes[place], base_trials[place]
            )
            below[place] = stratified_test(counts).midp_less < level
        return np.asarray(below)
