"""What went along with the verdicts: cost, turns, time and tokens of the last week, and images that changed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from benchwarden.results.cells import RunCells
from benchwarden.results.signals import SIGNALS, logarithms
from benchwarden.stats.baseline import Baseline
from benchwarden.stats.secondary import Signal, paired_log_ratio

_WEEK = timedelta(days=7)
_NAMED = 3

_Values = dict[str, dict[str, list[float]]]


def signals(
    runs: Sequence[RunCells], baseline: Baseline, until: date, voided: frozenset[date]
) -> tuple[Signal, ...]:
    """The week up to a day against the baseline's days, signal by signal; those that can be compared.

    Args:
        runs: of the current epoch.
        baseline: the frozen one; its panel and days are used.
        until: the last day.
        voided: days that do not count.
    """
    counted = set(baseline.days)
    before, after = _values(), _values()
    for run in runs:
        day = date.fromisoformat(run.day)
        if day in counted:
            _add(before, run)
        elif baseline.frozen_on < day <= until and until - _WEEK < day and day not in voided:
            _add(after, run)
    found = (paired_log_ratio(name, before[name], after[name]) for name in SIGNALS)
    return tuple(signal for signal in found if signal is not None)


def _values() -> _Values:
    return {name: defaultdict(list) for name in SIGNALS}


def _add(values: _Values, run: RunCells) -> None:
    for name, logs in logarithms(run.signals, len(run.instances)).items():
        for instance, value in zip(run.instances, logs, strict=True):
            if value is not None:
                values[name][instance].append(value)


def signal_text(signal: Signal) -> str:
    """A signal in words, such as `cost x1.12 [1.05, 1.20], p 0.0004, 48 instances`."""
    low, high = signal.interval.lower, signal.interval.upper
    return (
        f"{signal.name} x{signal.ratio:.2f} [{low:.2f}, {high:.2f}], p {signal.p_value:.2g},"
        f" {signal.instances} instances"
    )


def image_change(runs: Iterable[RunCells], frozen_on: date | None) -> str:
    """Which images are no longer those the baseline ran in, in words; empty if none changed.

    Args:
        runs: of the current epoch, in slot order.
        frozen_on: last day of the baseline; None without one.

    Returns:
        Such as `2 images changed since the baseline: astropy__1 on 2026-03-20, astropy__7 on 2026-03-20`.
    """
    known: dict[str, str] = {}
    changed: dict[str, str] = {}
    for run in runs:
        for instance, digest in zip(run.instances, run.images, strict=False):
            if not digest:
                continue
            if frozen_on is None or date.fromisoformat(run.day) <= frozen_on:
                known[instance] = digest
            elif known.setdefault(instance, digest) == digest:
                changed.pop(instance, None)
            else:
                changed.setdefault(instance, run.day)
    if not changed:
        return ""
    first = sorted(changed.items(), key=lambda item: (item[1], item[0]))[:_NAMED]
    named = ", ".join(f"{instance} on {day}" for instance, day in first)
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    plural = "image" if len(changed) == 1 else "images"
    return f"{len(changed)} {plural} changed since the baseline: {named}{more}"
