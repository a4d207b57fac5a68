"""Own tasks: JSONL text becomes instances; a mistake is explained in the words of the tasks format."""

import difflib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from benchwarden.api.patterns import MEANINGS
from benchwarden.suites.instance import (
    Instance,
    InstanceResources,
    LocalWorkspace,
    ResultParser,
    TestFile,
)
from benchwarden.suites.rows import (
    Problem,
    RowError,
    Rows,
    clean,
    collect,
    json_lines,
)
from benchwarden.suites.schema import LocalRow, ResourcesRow, TaskRow

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


def parse_tasks(content: bytes) -> tuple[Instance, ...]:
    """Instances of a tasks file, in the order of its lines; blank lines are skipped.

    Args:
        content: UTF-8 text, one JSON object a line.

    Raises:
        InvalidInputError: see `rows.collect`.
    """
    return parse_rows(json_lines(content))


def parse_rows(rows: Rows) -> tuple[Instance, ...]:
    """Instances of rows that are decoded already.

    Raises:
        InvalidInputError: see `rows.collect`.
    """
    return collect(rows, instance_of)


def instance_of(row: Mapping[str, Any]) -> Instance:
    """The instance a row describes.

    Raises:
        RowError: the row is not of the tasks format.
    """
    try:
        return _instance(TaskRow.model_validate(dict(row)))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    except RecursionError:
        raise RowError(("", "is nested too deeply")) from None
    problems: list[Problem] = [_explained(item) for item in details[:_PROBLEMS_PER_ROW]]
    more = len(details) - _PROBLEMS_PER_ROW
    if more > 0:
        problems.append(("", f"has {more} more problems"))
    raise RowError(*problems)


def _explained(item: ErrorDetails) -> tuple[str, str]:
    place = item["loc"]
    field = ""
    for part in place:
        if part != "[key]":  # pydantic's own mark for the key of a map
            field += f"[{part}]" if isinstance(part, int) else f".{clean(part)}"
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
