"""Secondary signals of a run, packed: what each instance's trials cost, and how much work they were.

Two characters of base 36 per instance and signal hold the logarithm of the mean over valid trials, in steps
of one sixtieth: 1.7 % apart, a fraction of what one trial varies. Ten years of 50 instances take about a megabyte.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchwarden.results.row import Row

SIGNALS: Final = ("cost", "turns", "seconds", "tokens")
"""US dollars, turns, seconds of the agent's own work, output tokens; each the mean of a trial."""

STEPS_PER_E: Final = 60
_UNITS: Final = {"cost": 0.0001, "turns": 1.0, "seconds": 0.1, "tokens": 1.0}
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
_LARGEST: Final = _BASE**2 - 1


def measured(verdicts: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Mean of each signal over an instance's verdicts, by signal and instance; zeros are left out."""
    sums: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in SIGNALS}
    for row in verdicts:
        work = max(0.0, row.agent_seconds - row.throttle_seconds)
        values = (float(row.cost_usd), float(row.turns), work, float(row.output_tokens))
        for name, value in zip(SIGNALS, values, strict=True):
            if value > 0.0:
                sums[name][row.instance].append(value)
    return {
        name: {instance: math.fsum(all_) / len(all_) for instance, all_ in found.items()}
        for name, found in sums.items()
    }


def packed(values: Mapping[str, Mapping[str, float]], instances: Sequence[str]) -> str:
    """The text of these values for a panel; empty if there is none."""
    if not any(values.get(name) for name in SIGNALS):
        return ""
    return "".join(
        _two(values.get(name, {}).get(instance, 0.0), _UNITS[name])
        for name in SIGNALS
        for instance in instances
    )


def logarithms(text: str, count: int) -> dict[str, list[float | None]]:
    """Natural logarithm per instance of each signal, in units of no matter; None where unknown.

    Nothing for text that does not fit a panel of so many instances: secondary signals decide nothing.
    """
    if len(text) != 2 * count * len(SIGNALS) or not set(text) <= set(_DIGITS):
        return {}
    levels = [int(text[at : at + 2], _BASE) for at in range(0, len(text), 2)]
    return {
        name: [
            (level - 1) / STEPS_PER_E if level else None
            for level in levels[place * count : (place + 1) * count]
        ]
        for place, name in enumerate(SIGNALS)
    }


def _two(value: float, unit: float) -> str:
    if value <= 0.0:
        return "00"
    level = 1 + round(STEPS_PER_E * math.log(max(value / unit, 1.0)))
    first, second = divmod(min(level, _LARGEST), _BASE)
    return _DIGITS[first] + _DIGITS[second]
