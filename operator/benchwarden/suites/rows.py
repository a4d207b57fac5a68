"""Rows of a suite become instances, or one error that names every bad row and its fix."""

import codecs
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.suites.instance import Instance

_SURROGATE = re.compile("[\\ud800-\\udfff]")
MAX_ROWS: Final = 100_000
ROW_BYTES: Final = 8 * 1024 * 1024
REPORTED_ROWS: Final = 20

HALF_A_CHARACTER: Final = (
    "holds half a character (a lone surrogate such as \\ud800), which no file can; remove it"
)

Problem = tuple[str, str]
"""A field of the row (empty = the row itself) and what is wrong with it."""

Convert = Callable[[Mapping[str, Any]], Instance]
"""Makes an instance of a row, or raises RowError."""

Rows = Iterable[tuple[str, object]]
"""Pairs of the place for messages (`line 3`) and the row: a mapping, or an exception that says why
it could not be read."""


class RowError(ValueError):
    """A row that cannot be used, with all that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(
            "; ".join(f"{field}: {text}" if field else text for field, text in problems)
        )


def collect(rows: Rows, convert: Convert) -> tuple[Instance, ...]:
    """Instances of rows, in their order; nothing is half-loaded: one bad row refuses them all.

    Raises:
        InvalidInputError: with reason SuiteInvalid, naming `place: field` and the fix for up to 20
            bad rows at once, or EmptyPanel.
    """
    instances: list[Instance] = []
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    bad_rows = 0
    for count, (place, row) in enumerate(rows, 1):
        if count > MAX_ROWS:
            _refuse(place, f"is past the limit of {MAX_ROWS} tasks; split the suite")
        try:
            instance = _converted(row, convert, seen)
            seen[instance.id] = place
            if not problems:
                instances.append(instance)
        except RowError as error:
            bad_rows += 1
            if bad_rows <= REPORTED_ROWS:
                problems += [(_joined(place, field), text) for field, text in error.problems]
    if problems:
        _refuse_all(problems, bad_rows)
    if not instances:
        raise InvalidInputError(
            "has no tasks; write one JSON object a line",
            reason=names.REASON_EMPTY_PANEL,
            field="suite",
        )
    return tuple(instances)


def json_lines(content: bytes) -> Iterator[tuple[str, object]]:
    """Rows of UTF-8 text, one JSON object a line; blank lines are skipped."""
    # Line by line, for suites are large; and not splitlines(): JSON may hold U+2028 unescaped.
    for number, line in enumerate(io.BytesIO(content.removeprefix(codecs.BOM_UTF8)), 1):
        if line.strip():
            yield f"line {number}", _decoded(line)


def numbered(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    """Rows of a table, where every row has every key, and null where there is nothing."""
    for number, row in enumerate(rows, 1):
        yield f"row {number}", _without_nulls(row)


def _converted(row: object, convert: Convert, seen: Mapping[str, str]) -> Instance:
    if isinstance(row, RowError):
        raise row
    if not isinstance(row, Mapping):
        raise RowError(("", 'must be a JSON object such as {"id": "...", "image": "..."}'))
    instance = convert(row)
    if instance.id in seen:
        text = f"{instance.id!r} is there already on {seen[instance.id]}; ids are unique"
        raise RowError(("id", text))
    return instance


def _decoded(line: bytes) -> object:
    if len(line) > ROW_BYTES:
        return _bad(f"is over {ROW_BYTES} bytes; put large files into the image")
    try:
        text = line.decode()
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        return _bad("is nested too deeply")
    except UnicodeDecodeError:
        return _bad("is not UTF-8 text; save the file as UTF-8")
    except json.JSONDecodeError as error:
        hint = "one JSON object a line, without line breaks inside"
        if line.lstrip().startswith(b"["):
            hint = "a JSON array is no JSONL; convert it with `jq -c '.[]' FILE`"
        return _bad(f"is not JSON ({error.msg} at column {error.colno}); {hint}")
    except RowError as error:
        return error
    except ValueError:
        return _bad("holds a number that is too long")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _bad(f'has the key "{clean(key)}" twice; remove one')
        found[key] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise _bad(f"holds {word}, which is not JSON")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def is_writable(value: object) -> bool:
    """Whether all text in a value of JSON can be written as UTF-8; JSON may escape what cannot."""
    if isinstance(value, str):
        return value.isascii() or not _SURROGATE.search(value)
    if isinstance(value, Mapping):
        return all(is_writable(key) and is_writable(item) for key, item in value.items())
    return not isinstance(value, list | tuple) or all(is_writable(item) for item in value)


def clean(text: str) -> str:
    """Text of the user's, short and printable, for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:60])


def _bad(text: str) -> RowError:
    return RowError(("", text))


def _joined(place: str, field: str) -> str:
    return f"{place}: {field}" if field else place


def _refuse(place: str, text: str) -> NoReturn:
    raise InvalidInputError(text, reason=names.REASON_SUITE_INVALID, field=place)


def _refuse_all(problems: list[Problem], bad_rows: int) -> NoReturn:
    (place, text), *others = problems
    lines = [text, *(f"{where}: {what}" for where, what in others)]
    if bad_rows > REPORTED_ROWS:
        lines.append(f"and {bad_rows - REPORTED_ROWS} more bad rows")
    _refuse(place, "\n".join(lines))
