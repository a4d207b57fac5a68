"""Secondary signals: has the work changed, not its success? Paired log-ratios, instance by instance.

Cost, turns, time and tokens move before or without the pass rate, and for harmless reasons too; so they annotate
a page and never cause one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchwarden.stats.distributions import student_quantile, student_two_sided
from benchwarden.stats.proportion import Interval

LEAST_BASELINE_VALUES = 5


@dataclass(frozen=True, slots=True)
class Signal:
    """How much a signal changed against the baseline.

    Attributes:
        name: Such as ``cost``.
        ratio: Geometric mean over instances of new / baseline; 1.1 is a tenth more.
        interval: 95 % interval of the ratio (paired t on logarithms).
        p_value: Two-sided, not corrected for looking at several signals every day.
        instances: Instances with values on both sides.
    """

    name: str
    ratio: float
    interval: Interval
    p_value: float
    instances: int


def paired_log_ratio(
    name: str, base: Mapping[str, Sequence[float]], new: Mapping[str, Sequence[float]]
) -> Signal | None:
    """Compare the logarithms of a signal instance by instance.

    Args:
        name: Of the signal.
        base: Logarithms per instance, one a day, of the baseline; instances with fewer than
            `LEAST_BASELINE_VALUES` are left out.
        new: The same of the last days.

    Returns:
        The change, or None with fewer than two shared instances or when all change by the same
        amount, which says nothing of chance.

    Source: Student 1908, on log-ratios.
    """
    shared = sorted(
        instance
        for instance, values in base.items()
        if len(values) >= LEAST_BASELINE_VALUES and new.get(instance)
    )
    count = len(shared)
    if count < 2:
        return None
    changes = [_mean(new[instance]) - _mean(base[instance]) for instance in shared]
    middle = _mean(changes)
    spread = math.fsum((change - middle) ** 2 for change in changes) / (count - 1)
    error = math.sqrt(spread / count)
    if error < 1e-12:
        return None
    half = student_quantile(0.975, count - 1) * error
    return Signal(
        name=name,
        ratio=math.exp(middle),
        interval=Interval(math.exp(middle - half), math.exp(middle + half)),
        p_value=student_two_sided(middle / error, count - 1),
        instances=count,
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
