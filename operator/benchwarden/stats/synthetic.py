"""Synthetic panels and days: the difficulty of published Claude Code runs, and ways to get worse."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np

from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.panel_choice import SENTINEL_SHARE, unevenness

UNSOLVABLE_SHARE = 0.23
BETA_A, BETA_B = 0.926, 0.448
"""Fit to published pass@1..5 of Claude Code: 23 % unsolvable, the others Beta(.926, .448)."""

SCREENED, SCREEN_TRIALS = 200, 4

_REFERENCE_DRAWS = 200_001


class PanelKind(StrEnum):
    """``random``: drawn from the pool; ``mixed``: 74 % informative, 26 % always-pass sentinels."""

    RANDOM = "random"
    MIXED = "mixed"


class Shape(StrEnum):
    """How the agent gets worse."""

    NONE = "none"
    CAPABILITY = "capability"
    BREAKAGE = "breakage"
    COLLAPSE = "collapse"


@dataclass(frozen=True, slots=True)
class Change:
    """A degradation: ``effect`` is the drop of the pool's rate, for collapse the share hit."""

    shape: Shape = Shape.NONE
    effect: float = 0.0


def draw_panels(
    rng: np.random.Generator, panels: int, instances: int, kind: PanelKind
) -> FloatArray:
    """Return true rates, panels x instances.

    A mixed panel screens `SCREENED` instances with `SCREEN_TRIALS` trials each and keeps, as
    `choose_panel` does, those with the most mixed outcomes and some that always passed; where there
    are too few, others fill up. The screen's trials are then forgotten: they must not enter a
    baseline.
    """
    if kind is PanelKind.RANDOM:
        return _draw_rates(rng, (panels, instances))
    pool = _draw_rates(rng, (panels, max(SCREENED, 4 * instances)))
    passes = rng.binomial(SCREEN_TRIALS, pool)
    sentinels = round(SENTINEL_SHARE * instances)
    always = passes == SCREEN_TRIALS
    order = unevenness(passes, SCREEN_TRIALS)
    # Neither those that always failed nor the sentinels before any that is mixed.
    order[passes == 0] = 2.0
    order[always] = 3.0
    first = _first(pool, order, instances - sentinels)
    second = _first(pool, np.where(always, 0.0, 1.0), sentinels)
    return np.concatenate((first, second), axis=1)


def _draw_rates(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    rates = rng.beta(BETA_A, BETA_B, shape)
    rates[rng.random(shape) < UNSOLVABLE_SHARE] = 0.0
    return rates


def _first(pool: FloatArray, order: FloatArray, count: int) -> FloatArray:
    # A stable sort keeps the random order of those that are wanted equally.
    chosen = np.argsort(order, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(pool, chosen, axis=1)


@cache
def pool_rates() -> FloatArray:
    """Return rates that represent the whole pool, evenly spaced in probability."""
    from scipy import special  # one quantile function, used here only

    grid = (np.arange(_REFERENCE_DRAWS) + 0.5) / _REFERENCE_DRAWS
    solvable = np.asarray(special.betaincinv(BETA_A, BETA_B, grid), dtype=np.float64)
    zeros = np.zeros(round(_REFERENCE_DRAWS * UNSOLVABLE_SHARE / (1.0 - UNSOLVABLE_SHARE)))
    rates = np.concatenate((zeros, solvable))
    rates.setflags(write=False)  # it is shared
    return rates


def shifted(rates: FloatArray, shift: FloatArray | float) -> FloatArray:
    """Return the rates after the log odds fell by ``shift``; 0 and 1 stay."""
    odds = rates * np.exp(-np.asarray(shift))
    return np.asarray(odds / (1.0 - rates + odds), dtype=np.float64)


@cache
def pool_shift(effect: float) -> float:
    """Return the logit shift that lowers the pool's mean rate by ``effect``; negative raises it."""
    rates = pool_rates()
    mean = float(rates.mean())
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if mean - float(shifted(rates, middle).mean()) < effect:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def degraded(rng: np.random.Generator, rates: FloatArray, change: Change) -> FloatArray:
    """Return the rates of each panel after a change."""
    if change.shape is Shape.NONE or change.effect == 0.0:
        return rates
    if change.shape is Shape.CAPABILITY:
        return shifted(rates, pool_shift(change.effect))
    if change.shape is Shape.BREAKAGE:
        return rates * (1.0 - change.effect / float(pool_rates().mean()))
    hit = rng.random(rates.shape) < change.effect
    return np.where(hit, 0.0, rates)


def daily_shifts(
    rng: np.random.Generator, days: int, panels: int, sd: float, autocorrelation: float = 0.0
) -> FloatArray:
    """Return logit shifts shared by a whole day, days x panels.

    Args:
        rng: Source of randomness.
        days: Days.
        panels: Panels, independent of each other.
        sd: Standard deviation of the pool's rate that the shifts cause (0.01 = 1 point).
        autocorrelation: Correlation of one day with the next.
    """
    if sd == 0.0:
        return np.zeros((days, panels))
    scale = pool_shift(sd)
    noise = rng.standard_normal((days, panels))
    for day in range(1, days):
        innovation = np.sqrt(1.0 - autocorrelation**2) * noise[day]
        noise[day] = autocorrelation * noise[day - 1] + innovation
    return np.asarray(scale * noise, dtype=np.float64)
