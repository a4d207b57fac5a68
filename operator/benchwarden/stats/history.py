"""A history of daily cells, checked and laid out as a grid of days and instances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchwarden.errors import InvalidInputError
from benchwarden.stats.stratified import IntArray

INVALID_HISTORY = "InvalidHistory"
"""Reason of every error a history can raise."""

MOST_TRIALS = 1_000_000
"""No cell holds more trials; a larger number is a mistake, and would not fit where sums are kept."""


class Cell(NamedTuple):
    """Passes among valid trials of one instance on one day.

    ``trials`` 0 is an instance that was planned and is missing. ``line`` is the place in the file
    the cell came from, 0 when there is none.
    """

    day: date
    instance: str
    passes: int
    trials: int
    line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Cells column by column, which is several times faster for a million of them.

    ``lines`` may be empty when the cells come from no file.
    """

    days: Sequence[date]
    instances: Sequence[str]
    passes: Sequence[int]
    trials: Sequence[int]
    lines: Sequence[int] = ()

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> "Columns":
        """Return the columns of these cells."""
        rows = list(cells)
        return cls(*zip(*rows, strict=True)) if rows else cls((), (), (), ())

    def cell(self, position: int) -> Cell:
        """Return one cell."""
        line = self.lines[position] if len(self.lines) else 0
        return Cell(
            self.days[position],
            self.instances[position],
            self.passes[position],
            self.trials[position],
            line,
        )

    def first(self, positions: Iterable[int]) -> Cell:
        """Return the cell that comes first in the file, or else by day and instance."""
        return min((self.cell(position) for position in positions), key=_place)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells as arrays: row d is ``days[d]`` (ascending), column i is ``instances[i]`` (sorted).

    ``planned`` tells whether a cell was given at all, with or without a valid trial.
    """

    days: tuple[date, ...]
    instances: tuple[str, ...]
    passes: IntArray
    trials: IntArray
    planned: npt.NDArray[np.bool_]

    def between(self, first: date, last: date) -> "Grid":
        """Return the rows of the days from ``first`` to ``last``, both included."""
        return self.rows([d for d, day in enumerate(self.days) if first <= day <= last])

    def only(self, instances: tuple[str, ...]) -> "Grid":
        """Return the columns of these instances, in the order given; each must be present."""
        position = {instance: i for i, instance in enumerate(self.instances)}
        keep = [position[instance] for instance in instances]
        return Grid(
            self.days,
            instances,
            self.passes[:, keep],
            self.trials[:, keep],
            self.planned[:, keep],
        )

    def planned_for(self, panel: frozenset[str]) -> "Grid":
        """Return the columns of a panel, also of those never seen, from the first day that plans one."""
        names = tuple(sorted(panel))
        absent = [name for name in names if name not in set(self.instances)]
        nothing = np.zeros((len(self.days), len(absent)), dtype=np.int64)
        wider = Grid(
            self.days,
            (*self.instances, *absent),
            np.hstack((self.passes, nothing)),
            np.hstack((self.trials, nothing)),
            np.hstack((self.planned, nothing.astype(np.bool_))),
        ).only(names)
        begun = np.logical_or.accumulate(wider.planned.any(axis=1))
        return wider.rows(np.flatnonzero(begun).tolist())

    def without(self, days: frozenset[date]) -> "Grid":
        """Return the grid without these days."""
        return self.rows([d for d, day in enumerate(self.days) if day not in days])

    def rows(self, keep: list[int]) -> "Grid":
        """Return the rows at these positions."""
        days = tuple(self.days[d] for d in keep)
        return Grid(days, self.instances, self.passes[keep], self.trials[keep], self.planned[keep])


def grid_of(cells: Iterable[Cell] | Columns, until: date | None = None) -> Grid:
    """Check cells and lay them out; their order does not matter.

    Args:
        cells: One cell per (day, instance), any order.
        until: End of data; None takes the last day there is.

    Returns:
        The grid, with 0 trials where a cell is absent.

    Raises:
        InvalidInputError: When a (day, instance) comes twice, passes are negative or more than the
            trials, trials are more than `MOST_TRIALS`, or a day lies after ``until``. The message
            names the line.
    """
    columns = cells if isinstance(cells, Columns) else Columns.of(cells)
    if not columns.days:
        empty = np.zeros((0, 0), dtype=np.int64)
        return Grid((), (), empty, empty, empty.astype(np.bool_))
    given_passes, given_trials = _counts(columns)
    days, instances = sorted(set(columns.days)), sorted(set(columns.instances))
    if until is not None and days[-1] > until:
        late = (position for position, day in enumerate(columns.days) if day > until)
        cell = columns.first(late)
        raise _error(cell, f"day {cell.day} lies after the end of data, {until}")
    day_at = {day: d * len(instances) for d, day in enumerate(days)}
    instance_at = {instance: i for i, instance in enumerate(instances)}
    flat = np.array(list(map(day_at.__getitem__, columns.days)), dtype=np.int64)
    flat += np.array(list(map(instance_at.__getitem__, columns.instances)), dtype=np.int64)
    cells_in_grid = len(days) * len(instances)
    if int(np.bincount(flat, minlength=cells_in_grid).max()) > 1:
        raise _duplicate(columns)
    passes = np.zeros(cells_in_grid, dtype=np.int64)
    trials = np.zeros_like(passes)
    passes[flat] = given_passes
    trials[flat] = given_trials
    planned = np.zeros(len(passes), dtype=np.bool_)
    planned[flat] = True
    shape = (len(days), len(instances))
    return Grid(
        tuple(days),
        tuple(instances),
        passes.reshape(shape),
        trials.reshape(shape),
        planned.reshape(shape),
    )


def _counts(columns: Columns) -> tuple[IntArray, IntArray]:
    try:
        passes = np.array(columns.passes, dtype=np.int64)
        trials = np.array(columns.trials, dtype=np.int64)
    except OverflowError:
        enormous = [n for n in range(len(columns.days)) if not _possible(columns, n)]
        raise _impossible(columns, enormous) from None
    impossible = np.flatnonzero((passes < 0) | (passes > trials) | (trials > MOST_TRIALS))
    if len(impossible):
        raise _impossible(columns, impossible.tolist())
    return passes, trials


def _possible(columns: Columns, position: int) -> bool:
    return 0 <= columns.passes[position] <= columns.trials[position] <= MOST_TRIALS


def _impossible(columns: Columns, positions: list[int]) -> InvalidInputError:
    cell = columns.first(positions)
    if 0 <= cell.passes <= cell.trials:
        return _error(cell, f"trials must be at most {MOST_TRIALS}, got {cell.trials!r:.24}")
    given = f"{cell.passes!r:.24} of {cell.trials!r:.24}"
    return _error(cell, f"passes must be within 0..trials, got {given}")


def _place(cell: Cell) -> tuple[int, date, str]:
    return cell.line, cell.day, cell.instance


def _duplicate(columns: Columns) -> InvalidInputError:
    where: dict[tuple[date, str], list[int]] = {}
    for position, key in enumerate(zip(columns.days, columns.instances, strict=True)):
        where.setdefault(key, []).append(position)
    doubled = [
        position for positions in where.values() if len(positions) > 1 for position in positions
    ]
    first = columns.first(doubled)
    positions = where[first.day, first.instance]
    lines = sorted(columns.cell(position).line for position in positions)
    place = f" (lines {', '.join(map(str, lines))})" if lines[0] else ""
    last = first._replace(line=lines[-1])
    return _error(last, f"duplicate row for {first.instance} on {first.day}{place}")


def _error(cell: Cell, message: str) -> InvalidInputError:
    place = f"line {cell.line}" if cell.line else f"{cell.day} {cell.instance}"
    return InvalidInputError(message, reason=INVALID_HISTORY, field=place)
