"""Result shards: rows as gzip-compressed JSON lines, small enough for a ConfigMap each.

A row in a shard is a JSON object with default values left out; unknown keys are ignored on reading, so that an
older operator can read a newer one's rows.
"""

import gzip
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from typing import Any

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.results.packed import gunzip
from benchwarden.results.row import Row

KEY_ROWS = "rows.jsonl.gz"

_FIELDS = {each.name: each for each in fields(Row)}
_DEFAULTS = {name: each.default for name, each in _FIELDS.items() if each.default is not MISSING}
_MONEY = re.compile(r"[0-9]{1,13}(\.[0-9]{1,9})?")  # at least what the protocol lets through
_TUPLES = {"tests", "tools"}


def row_to_json(row: Row) -> dict[str, Any]:
    """A row as a JSON object without its default values."""
    found: dict[str, Any] = {}
    for name in _FIELDS:
        value = getattr(row, name)
        if name not in _DEFAULTS or value != _DEFAULTS[name]:
            found[name] = dict(value) if name == "tools" else value
    return found


def row_from_json(data: Any) -> Row:
    """A row from its JSON object.

    Raises:
        InvalidInputError: not an object, or a key is missing or of another type.
    """
    if not isinstance(data, dict):
        raise InvalidInputError("a result row must be a JSON object", reason="RowsInvalid")
    known = {name: value for name, value in data.items() if name in _FIELDS}
    try:
        if "tools" in known:
            known["tools"] = tuple(sorted((str(k), int(v)) for k, v in known["tools"].items()))
        if "tests" in known:
            known["tests"] = tuple(int(value) for value in known["tests"])
        row = Row(**known)
        _check_types(row)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidInputError(f"not a result row: {error}", reason="RowsInvalid") from error
    return row


def _check_types(row: Row) -> None:
    if not _MONEY.fullmatch(row.cost_usd if isinstance(row.cost_usd, str) else ""):
        raise TypeError("cost_usd must be a decimal number of 0 or more as text")
    if len(row.tests) != len(("f2p passed", "f2p total", "p2p passed", "p2p total")):
        raise TypeError("tests needs four numbers")
    for name, each in _FIELDS.items():
        value = getattr(row, name)
        kind = each.type if isinstance(each.type, type) else str
        if name in _TUPLES:
            continue
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")
        if isinstance(value, str) and not value.isascii():
            value.encode()  # half a character would be refused wherever the row is shown or stored


def lines(rows: Iterable[Row]) -> bytes:
    """Rows as JSON lines, one key order, ASCII."""
    return b"".join(
        json.dumps(row_to_json(row), separators=(",", ":")).encode() + b"\n" for row in rows
    )


def pack(rows: Sequence[Row], limit_bytes: int = names.RESULT_SHARD_BYTES) -> list[bytes]:
    """Compress rows into as few shards as stay below `limit_bytes` each (deterministic bytes)."""
    return _packed([lines((row,)) for row in rows], limit_bytes)


def _packed(written: Sequence[bytes], limit_bytes: int) -> list[bytes]:
    """The same of rows that are written already: that costs more than to compress them.

    Rows are much alike, so the whole tells into how many equal parts it goes; only a part that comes out too
    large is cut again.
    """
    if not written:
        return []
    data = gzip.compress(b"".join(written), compresslevel=6, mtime=0)
    if len(data) <= limit_bytes or len(written) == 1:
        return [data]
    parts = max(2, math.ceil(1.03 * len(data) / limit_bytes))
    size = math.ceil(len(written) / parts)
    return [
        shard
        for at in range(0, len(written), size)
        for shard in _packed(written[at : at + size], limit_bytes)
    ]


def count(data: bytes) -> int:
    """How many rows a shard of our own holds."""
    return gunzip(data).count(b"\n")


def unpack(data: bytes) -> list[Row]:
    """Rows of one shard, in order.

    Raises:
        InvalidInputError: the data is not gzip, is cut or too large, or a line is not a row; names the line.
    """
    try:
        text = gunzip(data)
    except ValueError as error:
        raise InvalidInputError(f"not a result shard: {error}", reason="RowsInvalid") from error
    return parse_lines(text)


def parse_lines(text: bytes) -> list[Row]:
    """Rows of JSON lines; blank lines are skipped.

    Raises:
        InvalidInputError: a line is not a row; names the line.
    """
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(row_from_json(json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(
                f"not JSON: {error}", reason="RowsInvalid", field=f"line {number}"
            ) from error
        except InvalidInputError as error:
            raise InvalidInputError(
                str(error), reason="RowsInvalid", field=f"line {number}"
            ) from error
    return rows
