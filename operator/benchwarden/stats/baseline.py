"""The baseline: the first complete days, then frozen; every later number is compared with it."""

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from benchwarden.stats.dispersion import Dispersion, baseline_dispersion
from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.gate import Gate, gate_of
from benchwarden.stats.history import Grid
from benchwarden.stats.likelihood import CAPABILITY_SHIFT
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.stratified import IntArray

DEFAULT_DAYS, MINIMUM_DAYS = 14, 7
_PANEL_SHARE_NUMERATOR, _PANEL_SHARE_DENOMINATOR = 8, 10


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A frozen baseline.

    ``days`` are the counted days; ``frozen_on`` is the last calendar day it used: monitoring starts
    the day after. ``dropped`` left the panel for want of trials. ``scale`` is the standard deviation
    (nats) of a nominal day's log-likelihood ratio, ``nominal_trials`` the planned trials per cell.
    """

    instances: tuple[str, ...]
    passes: IntArray
    trials: IntArray
    rates: FloatArray
    days: tuple[date, ...]
    frozen_on: date
    dropped: tuple[str, ...]
    nominal_trials: int
    scale: float
    dispersion: Dispersion
    digest: str

    @property
    def total_passes(self) -> int:
        """Passed trials over panel and days."""
        return int(self.passes.sum())

    @property
    def total_trials(self) -> int:
        """Valid trials over panel and days."""
        return int(self.trials.sum())


@dataclass(frozen=True, slots=True)
class Collecting:
    """A baseline that is not frozen, with what it has; ``problem`` is empty while it may still grow."""

    days: tuple[date, ...]
    wanted_days: int
    passes: int
    trials: int
    dropped: tuple[str, ...] = ()
    problem: str = ""


def freeze(
    grid: Grid,
    until: date,
    wanted_days: int = DEFAULT_DAYS,
    panel: frozenset[str] | None = None,
    nominal_trials: int | None = None,
) -> Baseline | Collecting:
    """Collect the first complete days of a history and freeze them.

    Args:
        grid: The history, without voided days.
        until: Last day known; a baseline still short of days may grow only after it.
        wanted_days: Complete days wanted, at least `MINIMUM_DAYS`.
        panel: The instances planned, whether they were seen or not; rows of others are as if they
            were not there. None takes all seen up to the end of the baseline.
        nominal_trials: Planned trials per cell; None takes the most frequent count.

    Returns:
        `Baseline` once enough days are in or twice as many calendar days have gone by. Days that
        the gate holds do not count. Instances with fewer than max(5, wanted_days / 2) valid trials
        leave the panel. `Collecting` before that, and for good (with a ``problem``) when fewer than
        80 % of the panel are left.

    Raises:
        ValueError: On fewer wanted days than `MINIMUM_DAYS`.
    """
    if wanted_days < MINIMUM_DAYS:
        raise ValueError(f"a baseline needs at least {MINIMUM_DAYS} days, got {wanted_days}")
    if panel is not None:
        grid = grid.planned_for(panel)
    if not grid.days:
        return Collecting((), wanted_days, 0, 0)
    first = grid.days[0]
    deadline = first + timedelta(days=2 * wanted_days - 1)
    counted: list[int] = []
    members: tuple[str, ...] = ()
    end = first + timedelta(days=wanted_days - 1)
    while end <= deadline:
        members, counted = _counted_days(grid, end, panel)
        if len(counted) >= wanted_days or end >= until:
            break
        end += timedelta(days=1)
    selection = grid.only(members).rows(counted)
    passes, trials, days = selection.passes, selection.trials, selection.days
    if len(counted) < wanted_days and until < deadline:
        return Collecting(days, wanted_days, int(passes.sum()), int(trials.sum()))
    needed = max(5, math.ceil(wanted_days / 2))
    enough = trials.sum(axis=0) >= needed
    dropped = tuple(name for name, kept in zip(members, enough, strict=True) if not kept)
    kept_count = len(members) - len(dropped)
    if _PANEL_SHARE_DENOMINATOR * kept_count < _PANEL_SHARE_NUMERATOR * len(members) or not counted:
        problem = (
            f"only {kept_count} of {len(members)} instances have {needed} valid trials"
            f" on {len(counted)} complete days"
        )
        totals = int(passes.sum()), int(trials.sum())
        return Collecting(days, wanted_days, *totals, dropped, problem)
    # With enough days the last counted one ends it; else the deadline did.
    frozen_on = days[-1] if len(counted) >= wanted_days else deadline
    kept = tuple(name for name in members if name not in dropped)
    return _frozen(selection.only(kept), frozen_on, dropped, nominal_trials)


def _counted_days(
    grid: Grid, end: date, panel: frozenset[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    rows = [d for d, day in enumerate(grid.days) if day <= end]
    if panel is None:
        planned = set(np.flatnonzero(grid.planned[rows].any(axis=0)).tolist())
        members = tuple(name for i, name in enumerate(grid.instances) if i in planned)
    else:
        members = grid.instances
    trials = grid.only(members).trials
    return members, [d for d in rows if gate_of(trials[d]) is not Gate.HELD]


def _frozen(
    kept: Grid, frozen_on: date, dropped: tuple[str, ...], nominal_trials: int | None
) -> Baseline:
    passes, trials = kept.passes.sum(axis=0), kept.trials.sum(axis=0)
    rates = instance_rates(passes, trials).rates
    nominal = nominal_trials or most_frequent_trials(kept.trials)
    information = math.fsum((nominal * rates * (1.0 - rates)).tolist())
    return Baseline(
        instances=kept.instances,
        passes=passes,
        trials=trials,
        rates=rates,
        days=kept.days,
        frozen_on=frozen_on,
        dropped=dropped,
        nominal_trials=nominal,
        scale=CAPABILITY_SHIFT * math.sqrt(information),
        dispersion=baseline_dispersion(kept.passes, kept.trials, rates),
        digest=grid_digest(kept),
    )


def most_frequent_trials(trials: IntArray) -> int:
    """Return the most frequent number of valid trials per cell; the smaller one on a tie."""
    values, counts = np.unique(trials[trials > 0], return_counts=True)
    return int(values[int(np.argmax(counts))])


def grid_digest(grid: Grid) -> str:
    """Return a sha256 over days, instances and counts, the same whatever order they came in."""
    content = {
        "days": [day.isoformat() for day in grid.days],
        "instances": list(grid.instances),
        "passes": grid.passes.tolist(),
        "trials": grid.trials.tolist(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
