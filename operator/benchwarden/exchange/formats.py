"""The formats by name, and which one some bytes are of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from benchwarden.errors import InvalidInputError
from benchwarden.exchange import eval_results, harbor, inspect_read, inspect_write, parquet
from benchwarden.exchange.names import ExchangeFormat
from benchwarden.exchange.results import About, Results, unreadable
from benchwarden.results import shards
from benchwarden.results.base import GZIP_MAGIC
from benchwarden.results.row import Row

_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK"


@dataclass(frozen=True, slots=True)
class Choice:
    """What has to be chosen where a format holds less, or more, than rows do.

    Attributes:
        trial: which trial `eval-results` is about.
        scorer: which of several scores or rewards decides.
    """

    trial: int | None = None
    scorer: str = ""


def write(results: Results, form: ExchangeFormat, choice: Choice) -> dict[str, bytes]:
    """Files by path; a single one of the name "" for all formats but harbor's folder.

    Raises:
        InvalidInputError: the results do not fit into the format.
        UnavailableError: a package is needed that is not installed.
    """
    match form:
        case ExchangeFormat.jsonl:
            return {"": shards.lines(results.rows)}
        case ExchangeFormat.parquet:
            return {"": parquet.write(results)}
        case ExchangeFormat.eval_results:
            return {"": eval_results.write(results, choice.trial)}
        case ExchangeFormat.inspect:
            return {"": inspect_write.write(results)}
        case ExchangeFormat.harbor:
            return harbor.write(results)


def read(files: Mapping[str, bytes], form: ExchangeFormat | None, choice: Choice) -> Results:
    """Results from the files that `write` describes; the format is found out if None.

    Raises:
        InvalidInputError: the files are not of that format, or of none known here.
        UnavailableError: a package is needed that is not installed.
    """
    data = files.get("")
    if form is ExchangeFormat.harbor or data is None:
        return harbor.read(files, choice.scorer)
    match form or detect(data):
        case ExchangeFormat.parquet:
            return parquet.read(data)
        case ExchangeFormat.eval_results:
            return eval_results.read(data, choice.trial or 0)
        case ExchangeFormat.inspect:
            return inspect_read.read(data, choice.scorer)
        case _:
            return Results(About(), tuple(_rows(data)))


def detect(data: bytes) -> ExchangeFormat:
    """The format of a file's content; JSON lines where nothing speaks against it."""
    if data.startswith(_PARQUET_MAGIC):
        return ExchangeFormat.parquet
    if data.startswith(_ZIP_MAGIC):
        return ExchangeFormat.inspect
    if data.lstrip()[:1] == b"{":
        try:
            whole = json.loads(data)
        except (ValueError, RecursionError):
            return ExchangeFormat.jsonl
        if "instance" not in whole:
            return ExchangeFormat.eval_results
    return ExchangeFormat.jsonl


def _rows(data: bytes) -> list[Row]:
    try:
        return shards.unpack(data) if data.startswith(GZIP_MAGIC) else shards.parse_lines(data)
    except InvalidInputError as error:
        raise unreadable(str(error)) from error
