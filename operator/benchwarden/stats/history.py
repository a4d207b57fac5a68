"""A history of daily cells, checked and laid out as a grid of days and instances."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchwarden.errors import InvalidInputError
from benchwarden.stats.stratified import IntArray

INVALID_HISTORY = "InvalidHistory"
"""Reason of every error a history can raise."""


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

    def without(self, days: frozenset[date]) -> "Grid":
        """Return the grid without these days."""
        return self.rows([d for d, day in enumerate(self.days) if day not in days])

    def rows(self, keep: list[int]) -> "Grid":
        """Return the rows at these positions."""
        days = tuple(self.days[d] for d in keep)
        return Grid(days, self.instances, self.passes[keep], self.trials[keep], self.planned[keep])


def grid_of(cells: Iterable[Cell], until: date | None = None) -> Grid:
    """Check cells and lay them out; their order does not matter.

    Args:
        cells: One cell per (day, instance), any order.
        until: End of data; None takes the last day there is.

    Returns:
        The grid, with 0 trials where a cell is absent.

    Raises:
        InvalidInputError: When a (day, instance) comes twice, passes are negative or more than the
            trials, or a day lies after ``until``. The message names the line.
    """
    rows = list(cells)
    if not rows:
        empty = np.zeros((0, 0), dtype=np.int64)
        return Grid((), (), empty, empty, empty.astype(np.bool_))
    day_column, instance_column, passes_column, trials_column, _ = zip(*rows, strict=True)
    given_passes = np.array(passes_column, dtype=np.int64)
    given_trials = np.array(trials_column, dtype=np.int64)
    impossible = np.flatnonzero((given_passes < 0) | (given_passes > given_trials))
    if len(impossible):
        cell = min((rows[i] for i in impossible.tolist()), key=_place)
        message = f"passes must be within 0..trials, got {cell.passes} of {cell.trials}"
        raise _error(cell, message)
    days, instances = sorted(set(day_column)), sorted(set(instance_column))
    if until is not None and days[-1] > until:
        cell = min((cell for cell in rows if cell.day > until), key=_place)
        raise _error(cell, f"day {cell.day} lies after the end of data, {until}")
    day_at = {day: d * len(instances) for d, day in enumerate(days)}
    instance_at = {instance: i for i, instance in enumerate(instances)}
    flat = np.array(list(map(day_at.__getitem__, day_column)), dtype=np.int64)
    flat += np.array(list(map(instance_at.__getitem__, instance_column)), dtype=np.int64)
    cells_in_grid = len(days) * len(instances)
    if int(np.bincount(flat, minlength=cells_in_grid).max()) > 1:
        raise _duplicate(rows)
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


def _place(cell: Cell) -> tuple[int, date, str]:
    return cell.line, cell.day, cell.instance


def _duplicate(rows: list[Cell]) -> InvalidInputError:
    counted = Counter((cell.day, cell.instance) for cell in rows)
    doubled = [cell for cell in rows if counted[cell.day, cell.instance] > 1]
    first = min(doubled, key=_place)
    lines = sorted(
        cell.line
        for cell in doubled
        if (cell.day, cell.instance) == (first.day, first.instance) and cell.line
    )
    where = f" (lines {', '.join(map(str, lines))})" if lines else ""
    last = first._replace(line=lines[-1] if lines else 0)
    return _error(last, f"duplicate row for {first.instance} on {first.day}{where}")


def _error(cell: Cell, message: str) -> InvalidInputError:
    place = f"line {cell.line}" if cell.line else f"{cell.day} {cell.instance}"
    return InvalidInputError(message, reason=INVALID_HISTORY, field=place)
