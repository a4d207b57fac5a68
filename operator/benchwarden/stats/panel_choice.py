"""Choosing a mixed panel from screening results: instances that speak, and sentinels.

Instances with mixed outcomes carry most of the information about a change of capability, the closer to
one half the more; instances that always passed are the first to show that sessions break. The screen's
own trials must not enter the baseline: whoever was picked for being in the middle moves back when
measured again.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchwarden.errors import InvalidInputError
from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.shrinkage import instance_rates

INVALID_SCREEN = "InvalidScreen"
DEFAULT_SIZE = 50
SENTINEL_SHARE = 0.26
"""Fewer sentinels see a capability drop sooner and breakage later; this share keeps both promises."""

_TIE_BREAK = 1e-9  # far below the difference of two shares that differ


def unevenness(passes: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """Return how far from one half screening results lie; the smallest are wanted first.

    Half passes is 0, all or none is 1. Of two that lie equally far, the one that passed more often
    comes first: it also shows when sessions break.
    """
    share = np.asarray(passes, dtype=np.float64) / np.asarray(trials, dtype=np.float64)
    return np.asarray(np.abs(2.0 * share - 1.0) - _TIE_BREAK * share, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class PanelChoice:
    """A panel.

    Attributes:
        informative: Instances that passed and failed in the screen, those nearest to one half first
            chosen; sorted by name.
        sentinels: Instances that always passed, sorted.
        others: Fill-ins that always failed, when there was nothing better, sorted.
        within_variance: Expected E[p(1-p)] of the panel, shrunken, so not inflated by the choice.
        pass_rate: Expected pass rate of the panel, shrunken.
        screened: Instances with at least two valid trials.
        notes: What the user should know.
    """

    informative: tuple[str, ...]
    sentinels: tuple[str, ...]
    others: tuple[str, ...]
    within_variance: float
    pass_rate: float
    screened: int
    notes: tuple[str, ...]

    @property
    def panel(self) -> tuple[str, ...]:
        """All instances, sorted."""
        return tuple(sorted((*self.informative, *self.sentinels, *self.others)))


def choose_panel(
    screen: Mapping[str, tuple[int, int]],
    size: int = DEFAULT_SIZE,
    sentinels: int | None = None,
    seed: str = "0",
) -> PanelChoice:
    """Choose a mixed panel.

    Args:
        screen: Passes and valid trials by instance; instances with fewer than two trials cannot be
            judged and are left out.
        size: Instances wanted.
        sentinels: How many of them should have always passed; None takes 26 %.
        seed: Decides between equals, the same on every machine.

    Raises:
        InvalidInputError: When fewer than ``size`` instances can be judged, or numbers make no
            sense.
    """
    wanted_sentinels = round(SENTINEL_SHARE * size) if sentinels is None else sentinels
    if size < 1 or not 0 <= wanted_sentinels <= size:
        raise InvalidInputError(
            f"sentinels must be within 0..{size}", reason=INVALID_SCREEN, field="--sentinels"
        )
    judged = {i: counts for i, counts in sorted(screen.items()) if counts[1] >= 2}
    if len(judged) < size:
        raise InvalidInputError(
            f"{len(judged)} instances have two or more valid trials, {size} are wanted;"
            " give more screening results or a smaller --size",
            reason=INVALID_SCREEN,
        )
    order = sorted(judged, key=lambda instance: _draw(seed, instance))
    mixed = [i for i in order if 0 < judged[i][0] < judged[i][1]]
    mixed.sort(key=lambda instance: float(unevenness(*judged[instance])))
    always = [i for i in order if judged[i][0] == judged[i][1]]
    never = [i for i in order if judged[i][0] == 0]
    informative = mixed[: size - wanted_sentinels]
    kept_sentinels = always[: size - len(informative)]
    informative = mixed[: size - len(kept_sentinels)]
    others = never[: size - len(informative) - len(kept_sentinels)]
    chosen = {*informative, *kept_sentinels, *others}
    noise, rate = _expected(judged, chosen)
    return PanelChoice(
        informative=tuple(sorted(informative)),
        sentinels=tuple(sorted(kept_sentinels)),
        others=tuple(sorted(others)),
        within_variance=noise,
        pass_rate=rate,
        screened=len(judged),
        notes=_notes(size, wanted_sentinels, len(informative), len(kept_sentinels)),
    )


def _expected(judged: Mapping[str, tuple[int, int]], chosen: set[str]) -> tuple[float, float]:
    names = list(judged)
    estimate = instance_rates([judged[i][0] for i in names], [judged[i][1] for i in names])
    rates = dict(zip(names, estimate.rates.tolist(), strict=True))
    # The mean of p(1-p) over a beta posterior, not at its mean: the difference is its variance.
    noise = []
    for name in chosen:
        weight = estimate.strength + judged[name][1]
        noise.append(rates[name] * (1.0 - rates[name]) * weight / (weight + 1.0))
    return math.fsum(noise) / len(noise), math.fsum(rates[name] for name in chosen) / len(chosen)


def _notes(size: int, sentinels: int, informative: int, kept: int) -> tuple[str, ...]:
    notes = [
        "Do not let these screening trials into the baseline; start it on a later day.",
        "Re-grade the gold patch of informative instances three times: flaky graders look mixed.",
    ]
    if informative < size - sentinels:
        notes.append(f"Only {informative} instances had mixed outcomes; the rest is filled up.")
    if kept < sentinels:
        notes.append(f"Only {kept} instances always passed.")
    return tuple(notes)


def _draw(seed: str, instance: str) -> str:
    return hashlib.sha256(f"{seed}\n{instance}".encode()).hexdigest()
