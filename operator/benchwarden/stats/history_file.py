"""A history as JSON lines: ``{"day": "YYYY-MM-DD", "instance": ..., "passes": y, "trials": m}``."""

import json
import re
from datetime import date
from operator import itemgetter
from typing import Any

from pydantic_core import from_json

from benchwarden.errors import InvalidInputError
from benchwarden.stats.history import INVALID_HISTORY, Columns

_CHUNK = 5000
_KEYS = {"day": str, "instance": str, "passes": int, "trials": int}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARS = range(1900, 3000)  # windows and baselines reach some days beyond those given


def parse_history(text: str) -> Columns:
    """Read a history; empty lines are skipped, further keys are ignored.

    Args:
        text: JSON lines, any order.

    Returns:
        The cells with their line numbers. Counts are checked by `grid_of`.

    Raises:
        InvalidInputError: On a line that is not an object with the four keys and their types; the
            message names the line.
    """
    # Not splitlines: a name may hold characters that only typography takes for the end of a line.
    lines = text.lstrip("\ufeff").split("\n")
    numbers = [n for n, line in enumerate(lines, start=1) if line and not line.isspace()]
    known: dict[str, date] = {}
    names: dict[str, str] = {}
    days: list[date] = []
    instances: list[str] = []
    passes: list[int] = []
    trials: list[int] = []
    for begin in range(0, len(numbers), _CHUNK):
        chunk = numbers[begin : begin + _CHUNK]
        rows = _rows([lines[number - 1] for number in chunk], chunk)
        given, who, passed, tried = _checked(rows, chunk)
        for day in dict.fromkeys(given):
            if day not in known:
                known[day] = _date(chunk, given, day)
        days += map(known.__getitem__, given)
        instances += map(names.setdefault, who, who)
        passes += passed
        trials += tried
    return Columns(days, instances, passes, trials, numbers)


def _rows(lines: list[str], numbers: list[int]) -> list[Any]:
    # One call for many lines is several times faster, and this parser is once more; any doubt goes
    # to the slow way, which knows the line.
    try:
        rows = from_json("[" + ",".join(lines) + "]")
    except ValueError:
        rows = None
    if rows is not None and len(rows) == len(lines):
        return list(rows)
    return [_one(number, line) for number, line in zip(numbers, lines, strict=True)]


def _checked(rows: list[Any], numbers: list[int]) -> list[list[Any]]:
    """Return the columns in the order of the keys; types are looked at line by line only if one is wrong."""
    columns: list[list[Any]] = []
    try:
        columns = [list(map(itemgetter(key), rows)) for key in _KEYS]
        kinds = [set(map(type, column)) for column in columns]
    except (KeyError, TypeError, IndexError):  # said below, with its line
        kinds = []
    if kinds != [{kind} for kind in _KEYS.values()]:
        for number, row in zip(numbers, rows, strict=True):
            _check(number, row)
            _date(
                [number], [row["day"]], row["day"]
            )  # the first bad line is named, whatever it lacks
    return columns


def _check(number: int, row: Any) -> None:
    if not isinstance(row, dict) or not row.keys() >= _KEYS.keys():
        raise _error(number, "needs day, instance, passes and trials")
    if type(row["passes"]) is not int or type(row["trials"]) is not int:
        raise _error(number, "needs whole numbers for passes and trials")
    if not isinstance(row["instance"], str):
        raise _error(number, "needs text for instance")
    if not isinstance(row["day"], str):
        raise _error(number, "day must be text, YYYY-MM-DD")


def _one(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _error(number, f"not JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise _error(number, f"not JSON: {error}") from None


def _date(numbers: list[int], given: list[str], text: str) -> date:
    """Return the date of a text, or name the first line that gives it."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError  # noqa: TRY301 - one message for both kinds of bad day
        day = date.fromisoformat(text)
    except ValueError:
        wanted = f"day must be a date YYYY-MM-DD, got {text!r:.40}"
        raise _error(numbers[given.index(text)], wanted) from None
    if day.year not in _YEARS:
        wanted = f"day must lie in {_YEARS[0]} to {_YEARS[-1]}, got {text}"
        raise _error(numbers[given.index(text)], wanted)
    return day


def _error(number: int, message: str) -> InvalidInputError:
    return InvalidInputError(message, reason=INVALID_HISTORY, field=f"line {number}")
