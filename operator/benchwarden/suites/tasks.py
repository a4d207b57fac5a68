"""Own tasks: JSONL text becomes instances, or one error that names every bad row and its fix."""

import codecs
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from benchwarden import names
from benchwarden.api.patterns import MEANINGS
from benchwarden.errors import InvalidInputError
from benchwarden.suites.instance import (
    Instance,
    InstanceResources,
    LocalWorkspace,
    ResultParser,
    TestFile,
)
from benchwarden.suites.schema import LocalRow, ResourcesRow, TaskRow

MAX_ROWS: Final = 100_000
ROW_BYTES: Final = 8 * 1024 * 1024
REPORTED_ROWS: Final = 20
_PROBLEMS_PER_ROW: Final = 3

# What other formats call these keys.
_OTHER_NAMES: Final = {
    "instance_id": "id",
    "problem_statement": "prompt",
    "patch": "gold_patch",
    "docker_image": "image",
    "image_name": "image",
    "repo_language": "language",
    "tests": "test_files",
    "files": "test_files",
    "command": "test_command",
    "timeout": "timeouts",
    "disk": "ephemeral_storage",
}


class _RowError(ValueError):
    """One line that is no JSON object we can use; the text says why."""


def parse_tasks(content: bytes) -> tuple[Instance, ...]:
    """Instances of a tasks file, in the order of its lines; blank lines are skipped.

    Args:
        content: UTF-8 text, one JSON object a line.

    Raises:
        InvalidInputError: with reason SuiteInvalid, naming `line N: field` and the fix for up to
            20 bad rows at once. Nothing is half-loaded: one bad row refuses the whole file.
    """
    return parse_rows(_lines(content))


def parse_rows(rows: Iterable[tuple[str, object]]) -> tuple[Instance, ...]:
    """Instances of rows that are decoded already.

    Args:
        rows: pairs of the place for messages (`line 3`) and the row: a mapping, or an exception that
            says why it could not be read.

    Raises:
        InvalidInputError: as `parse_tasks`.
    """
    instances: list[Instance] = []
    seen: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    bad_rows = 0
    for count, (place, row) in enumerate(rows, 1):
        if count > MAX_ROWS:
            _refuse(place, f"is past the limit of {MAX_ROWS} tasks; split the suite")
        found: list[tuple[str, str]] = []
        task = _task(row, found)
        if task is not None and task.id in seen:
            found.append(("id", f"{task.id!r} is there already on {seen[task.id]}; ids are unique"))
        if task is not None:
            seen.setdefault(task.id, place)
        if task is None or found:
            bad_rows += 1
            if bad_rows <= REPORTED_ROWS:
                problems += [(_joined(place, field), text) for field, text in found]
        elif not problems:
            instances.append(_instance(task))
    if problems:
        _refuse_all(problems, bad_rows)
    if not instances:
        raise InvalidInputError(
            "has no tasks; write one JSON object a line",
            reason=names.REASON_EMPTY_PANEL,
            field="suite",
        )
    return tuple(instances)


def _lines(content: bytes) -> Iterator[tuple[str, object]]:
    # Line by line, for suites are large; and not splitlines(): JSON may hold U+2028 unescaped.
    for number, line in enumerate(io.BytesIO(content.removeprefix(codecs.BOM_UTF8)), 1):
        if line.strip():
            yield f"line {number}", _decoded(line)


def _decoded(line: bytes) -> object:
    if len(line) > ROW_BYTES:
        return _RowError(f"is over {ROW_BYTES} bytes; put large files into the image")
    try:
        text = line.decode()
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        return _RowError("is nested too deeply")
    except UnicodeDecodeError:
        return _RowError("is not UTF-8 text; save the file as UTF-8")
    except json.JSONDecodeError as error:
        hint = "one JSON object a line, without line breaks inside"
        if line.lstrip().startswith(b"["):
            hint = "a JSON array is no JSONL; convert it with `jq -c '.[]' FILE`"
        return _RowError(f"is not JSON ({error.msg} at column {error.colno}); {hint}")
    except ValueError as error:
        return (
            error if isinstance(error, _RowError) else _RowError("holds a number that is too long")
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _RowError(f"has the key {_shown(twice)} twice; remove one")
    return dict(pairs)


def _no_constant(word: str) -> NoReturn:
    raise _RowError(f"holds {word}, which is not JSON")


def _task(row: object, problems: list[tuple[str, str]]) -> TaskRow | None:
    if isinstance(row, Exception):
        problems.append(("", str(row)))
        return None
    if not isinstance(row, Mapping):
        problems.append(("", 'must be a JSON object such as {"id": "...", "image": "..."}'))
        return None
    try:
        return TaskRow.model_validate(dict(row))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    except RecursionError:
        problems.append(("", "is nested too deeply"))
        return None
    problems += [_explained(item) for item in details[:_PROBLEMS_PER_ROW]]
    more = len(details) - _PROBLEMS_PER_ROW
    if more > 0:
        problems.append(("", f"has {more} more problems"))
    return None


def _explained(item: ErrorDetails) -> tuple[str, str]:
    place = item["loc"]
    field = ""
    for part in place:
        if part != "[key]":  # pydantic's own mark for the key of a map
            field += f"[{part}]" if isinstance(part, int) else f".{_clean(part)}"
    field = field.lstrip(".")
    kind = item["type"]
    if kind == "missing":
        return field, "is required; add it"
    if kind == "extra_forbidden":
        return field, f"unknown key; {_suggestion(place)}"
    if kind == "fix":
        return field, str(item["ctx"]["text"])
    if kind == "string_pattern_mismatch":
        pattern = str(item["ctx"]["pattern"])
        return field, f"must be {MEANINGS.get(pattern, f'text like {pattern}')}"
    message = item["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return field, f"should be {message}" if message != item["msg"] else message


def _suggestion(place: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = TaskRow
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        model = _inner(model, part) or model
    known = list(model.model_fields)
    key = str(place[-1])
    squeezed = {name.replace("_", ""): name for name in known}
    wanted = key.lower().replace("_", "").replace("-", "")
    other = _OTHER_NAMES.get(key.lower(), "")
    if other in known:
        return f'did you mean "{other}"?'
    near = difflib.get_close_matches(wanted[:100], squeezed, n=1)
    if near:
        return f'did you mean "{squeezed[near[0]]}"?'
    return f"known keys here: {', '.join(known)}"


def _inner(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    """The model behind a field, looking through `| None` and `list[...]`."""
    info = model.model_fields.get(field)
    waiting = [info.annotation] if info else []
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        waiting += list(getattr(kind, "__args__", ()))
    return None


def _instance(row: TaskRow) -> Instance:
    return Instance(
        id=row.id,
        image=row.image,
        workdir=row.workdir.rstrip("/"),
        base_commit=row.base_commit or "",
        prompt=row.prompt,
        test_command=row.test_command,
        parser=ResultParser(row.parser.kind, row.parser.path or "", row.parser.script or ""),
        fail_to_pass=tuple(row.fail_to_pass),
        pass_to_pass=tuple(row.pass_to_pass),
        gold_patch=row.gold_patch,
        test_patch=row.test_patch,
        test_files=tuple(TestFile(f.path, f.data(), f.executable) for f in row.test_files),
        setup_command=row.setup_command,
        restore_paths=tuple(row.restore_paths),
        env=tuple(sorted(row.env.items())),
        repo=row.repo,
        language=row.language,
        agent_timeout_seconds=row.timeouts.agent_seconds,
        grade_timeout_seconds=row.timeouts.grade_seconds,
        resources=_resources(row.resources),
        local=_local(row.local),
        skipped_counts_as_pass=row.skipped_counts_as_pass,
        grader_needs_network=row.grader_needs_network,
    )


def _resources(row: ResourcesRow | None) -> InstanceResources | None:
    if row is None:
        return None
    return InstanceResources(
        cpu_request=row.requests.cpu or "",
        cpu_limit=row.limits.cpu or "",
        memory_request=row.requests.memory or "",
        memory_limit=row.limits.memory or "",
        ephemeral_storage_limit=row.limits.ephemeral_storage or "",
    )


def _local(row: LocalRow | None) -> LocalWorkspace | None:
    return None if row is None else LocalWorkspace(row.archive, tuple(row.path_entries))


def _joined(place: str, field: str) -> str:
    return f"{place}: {field}" if field else place


def _clean(text: str) -> str:
    """Text of the user's, short and printable, for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:60])


def _shown(text: str) -> str:
    return f'"{_clean(text)}"'


def _refuse(place: str, text: str) -> NoReturn:
    raise InvalidInputError(text, reason=names.REASON_SUITE_INVALID, field=place)


def _refuse_all(problems: list[tuple[str, str]], bad_rows: int) -> NoReturn:
    (place, text), *others = problems
    lines = [text, *(f"{where}: {what}" for where, what in others)]
    if bad_rows > REPORTED_ROWS:
        lines.append(f"and {bad_rows - REPORTED_ROWS} more bad rows")
    _refuse(place, "\n".join(lines))
