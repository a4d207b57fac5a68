"""Rows as a Parquet table for data frames: a column per field, what the rows are of in the file's metadata."""

import io
import json
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any, Final

from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.exchange.results import OURS, Results, about_from, unreadable
from benchwarden.results.row import Row
from benchwarden.results.shards import row_from_json

if TYPE_CHECKING:
    import pyarrow as pa

_TESTS: Final = (
    "fail_to_pass_passed",
    "fail_to_pass_total",
    "pass_to_pass_passed",
    "pass_to_pass_total",
)
_RUN: Final = "run"


def write(results: Results) -> bytes:
    """Write a table; `run` is a column too, so that files of several runs can be put together.

    Raises:
        UnavailableError: pyarrow is not installed.
        InvalidInputError: a row holds what the format cannot, such as a number beyond 64 bits.
    """
    arrow, parquet = _arrow()
    columns: dict[str, list[Any]] = {_RUN: [results.about.run] * len(results.rows)}
    for each in fields(Row):
        values = [getattr(row, each.name) for row in results.rows]
        if each.name == "tests":
            columns |= {name: [v[n] for v in values] for n, name in enumerate(_TESTS)}
        elif each.name == "tools":
            columns[each.name] = [list(value) for value in values]
        else:
            columns[each.name] = values
    metadata = {OURS: json.dumps(asdict(results.about))}
    try:
        table = arrow.table(columns, schema=_schema(arrow, metadata))
    except (arrow.ArrowException, OverflowError, UnicodeError) as error:
        raise unreadable(f"does not fit into Parquet: {error}") from error
    written = io.BytesIO()
    parquet.write_table(table, written, compression="zstd")
    return written.getvalue()


def read(data: bytes) -> Results:
    """Read a table that `write` wrote, or one with at least its required columns.

    Raises:
        UnavailableError: pyarrow is not installed.
        InvalidInputError: not Parquet, or a column is missing or of another type; names it.
    """
    arrow, parquet = _arrow()
    try:
        table = parquet.read_table(io.BytesIO(data))
    except (arrow.ArrowException, OSError) as error:
        raise unreadable(f"not a Parquet file: {error}") from error
    needed = [each.name for each in fields(Row) if each.default is MISSING]
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise unreadable("there is no such column", missing[0])
    rows = []
    for number, line in enumerate(table.to_pylist()):
        try:
            rows.append(_row(line))
        except InvalidInputError as error:
            raise unreadable(str(error), f"row {number}") from error
    about = (table.schema.metadata or {}).get(OURS.encode())
    try:
        return Results(about_from(json.loads(about or b"null")), tuple(rows))
    except ValueError as error:
        raise unreadable(f"the metadata is not JSON: {error}") from error


def _row(line: dict[str, Any]) -> Row:
    known = {name: value for name, value in line.items() if value is not None}
    if all(name in known for name in _TESTS):
        known["tests"] = [known[name] for name in _TESTS]
    if "tools" in known:
        known["tools"] = dict(known["tools"])
    return row_from_json(known)


def _schema(arrow: Any, metadata: dict[str, str]) -> "pa.Schema":
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    columns = [(_RUN, arrow.string())]
    for each in fields(Row):
        if each.name == "tests":
            columns += [(name, arrow.int64()) for name in _TESTS]
        elif each.name == "tools":
            columns.append((each.name, arrow.map_(arrow.string(), arrow.int64())))
        elif isinstance(each.type, type):
            columns.append((each.name, kinds[each.type]))
    return arrow.schema(columns, metadata=metadata)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UnavailableError(
            "Parquet needs pyarrow: install benchwarden with the extra `datasets` or `storage`"
        ) from error
    return pa, parquet
