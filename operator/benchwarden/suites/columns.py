"""Columns that SWE-bench data sets share: lists written as text, commits, and names in either case."""

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from benchwarden.suites.instance import Instance, LocalWorkspace
from benchwarden.suites.rows import HALF_A_CHARACTER, Convert, RowError, is_writable
from benchwarden.suites.schema import LocalRow

_MAX_LIST_CHARACTERS: Final = 4 * 1024 * 1024
_PROBLEMS_PER_ROW: Final = 3
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,199}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Columns(BaseModel):
    """Columns in lower case; those that decide nothing are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


def instance_id(value: str) -> str:
    """An id that is a safe name of a folder and of an image."""
    if not _ID.fullmatch(value):
        raise _fail("must be letters, digits, '_', '-' and single dots, at most 200")
    return value


def commit(value: str) -> str:
    """A commit in lower-case hex."""
    if not _COMMIT.fullmatch(value):
        raise _fail("must be 7-64 lower-case hex digits")
    return value


def parse_list(value: Any) -> list[str]:
    """A list of text, given as one or written as JSON or as a Python literal; repeats are dropped.

    Raises:
        PydanticCustomError: it is neither; nothing in it is ever evaluated.
    """
    if isinstance(value, str):
        value = _read_list(value)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _fail("must be a list of text, or one written as JSON or as a Python literal")
    return list(dict.fromkeys(value))


InstanceName = Annotated[str, AfterValidator(instance_id)]
Commit = Annotated[str, AfterValidator(commit)]
TextList = Annotated[list[str], BeforeValidator(parse_list)]


Row = TypeVar("Row", bound=Columns)


def converter(model: type[Row], make: Callable[[Row], Instance]) -> Convert:
    """A conversion that reads a row's columns, whatever their case, and makes an instance of them."""

    def convert(row: Mapping[str, Any]) -> Instance:
        lowered = {str(key).lower(): value for key, value in row.items()}
        try:
            columns = model.model_validate(lowered)
        except ValidationError as error:
            raise _explained(error) from None
        broken = [name for name, value in columns if not is_writable(value)]
        if broken:
            raise RowError(*((name, HALF_A_CHARACTER) for name in broken[:_PROBLEMS_PER_ROW]))
        return make(columns)

    return convert


def local_workspace(row: LocalRow | None) -> LocalWorkspace | None:
    """Where a run without images takes the work tree from; no data set has the column, tests and own rows do."""
    return None if row is None else LocalWorkspace(row.archive, tuple(row.path_entries))


def _read_list(text: str) -> object:
    if len(text) > _MAX_LIST_CHARACTERS:
        raise _fail(f"is over {_MAX_LIST_CHARACTERS} characters")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _explained(error: ValidationError) -> RowError:
    problems = []
    for item in error.errors(include_url=False, include_input=False)[:_PROBLEMS_PER_ROW]:
        field = ".".join(str(part) for part in item["loc"])
        missing = item["type"] == "missing"
        problems.append((field, "is required; add the column" if missing else item["msg"]))
    return RowError(*problems)


def _fail(text: str) -> PydanticCustomError:
    return PydanticCustomError("fix", "{text}", {"text": text})
