"""A history as JSON lines: ``{"day": "YYYY-MM-DD", "instance": ..., "passes": y, "trials": m}``."""

import json
import re
from datetime import date
from typing import Any

from benchwarden.errors import InvalidInputError
from benchwarden.stats.history import INVALID_HISTORY, Cell

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_history(text: str) -> list[Cell]:
    """Read a history; empty lines are skipped, further keys are ignored.

    Args:
        text: JSON lines, any order.

    Returns:
        One cell per line, each with its line number. Counts are checked by `grid_of`.

    Raises:
        InvalidInputError: On a line that is not an object with the four keys and their types; the
            message names the line.
    """
    lines = text.lstrip("\ufeff").splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    rows = _all_at_once([line for _, line in numbered])
    if rows is None:
        rows = [_one(number, line) for number, line in numbered]
    days: dict[str, date] = {}
    cells: list[Cell] = []
    for (number, _), row in zip(numbered, rows, strict=True):
        try:
            day, instance = row["day"], row["instance"]
            passes, trials = row["passes"], row["trials"]
        except (KeyError, TypeError):
            raise _error(number, "needs day, instance, passes and trials") from None
        if type(passes) is not int or type(trials) is not int or type(instance) is not str:
            raise _error(number, "needs text for instance, whole numbers for passes and trials")
        if not isinstance(day, str):
            raise _error(number, "day must be text, YYYY-MM-DD")
        if day not in days:
            days[day] = _date(number, day)
        cells.append(Cell(days[day], instance, passes, trials, number))
    return cells


def _all_at_once(lines: list[str]) -> list[Any] | None:
    # One call for the whole file is several times faster; any doubt goes to the slow way, which
    # knows the line.
    try:
        rows = json.loads("[" + ",".join(lines) + "]")
    except json.JSONDecodeError:
        return None
    return rows if len(rows) == len(lines) else None


def _one(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _error(number, f"not JSON: {error.msg}") from None


def _date(number: int, text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError  # noqa: TRY301 - one message for both kinds of bad day
        return date.fromisoformat(text)
    except ValueError:
        raise _error(number, f"day must be a date YYYY-MM-DD, got {text!r:.40}") from None


def _error(number: int, message: str) -> InvalidInputError:
    return InvalidInputError(message, reason=INVALID_HISTORY, field=f"line {number}")
