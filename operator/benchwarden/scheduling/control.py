"""The control arm: what a second model on a few instances lost too is not the agent's own loss.

A bad network or a slow day hits both arms. The week's change of the panel minus the control arm's is what is
left. It is told beside a page and changes no statistic of the monitor, whose arithmetic is fixed.
"""

import math
from dataclasses import dataclass

from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.stats.proportion import Interval
from benchwarden.stats.windows import Window

_WEEK = 7


@dataclass(frozen=True, slots=True)
class WithoutShared:
    """Changes of pass rates against each arm's own baseline, as ratios.

    Attributes:
        control: the control arm's.
        delta: the panel's minus the control arm's.
        interval: 95 % of that difference; the arms' errors are independent.
    """

    control: float
    delta: float
    interval: Interval


def without_shared(panel: Window, control: Window) -> WithoutShared:
    """Subtract what the control arm saw from what the panel saw, over the same days."""
    delta = panel.delta - control.delta
    half = math.hypot(_half(panel.delta_interval), _half(control.delta_interval))
    return WithoutShared(control.delta, delta, Interval(delta - half, delta + half))


def control_text(latest: Evaluation, control: Evaluation | None) -> str:
    """The control arm in words; empty without one, or before it has anything to say."""
    if control is None or control.analysis is None:
        return ""
    if control.baseline is None:
        found = control.document["baseline"]
        return f"control arm: baseline {found['days']}/{control.settings.baseline_days}"
    there, here = _week(control), _week(latest)
    if there is None:
        return "control arm: no results this week"
    told = f"control arm {_points(there.delta)} {_range(there.delta_interval)}"
    if here is None:
        return told
    rest = without_shared(here, there)
    return f"{told}; without what both share {_points(rest.delta)} {_range(rest.interval)}"


def _week(evaluation: Evaluation) -> Window | None:
    if evaluation.analysis is None:
        return None
    windows = evaluation.analysis.windows
    return windows.get(_WEEK) or next((each for each in windows.values() if each), None)


def _half(interval: Interval) -> float:
    return (interval.upper - interval.lower) / 2.0


def _points(value: float) -> str:
    return f"{value * 100:+.1f} points"


def _range(interval: Interval) -> str:
    return f"[{interval.lower * 100:+.1f}, {interval.upper * 100:+.1f}]"
