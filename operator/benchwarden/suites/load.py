"""From a suite's spec to its panel: read, parse, select."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchwarden import names
from benchwarden.api.suite import Source, SuiteSpec
from benchwarden.errors import BenchwardenError, InvalidInputError
from benchwarden.suites.instance import Instance, LocalWorkspace, Panel
from benchwarden.suites.select import select_panel
from benchwarden.suites.sources import Sources, check_sha256
from benchwarden.suites.tasks import parse_rows, parse_tasks

_SOURCE = "spec.suite.tasks.source"


def load_panel(spec: SuiteSpec, sources: Sources, *, local_root: Path | None = None) -> Panel:
    """The panel a suite's spec asks for. Blocks on disk and network: call it in a thread.

    Args:
        spec: the suite part of a run's spec.
        sources: how files, ConfigMaps, addresses and datasets are read.
        local_root: folder that `local` paths are relative to when the source is not a path; without
            it, such instances lose their `local` part: a file from elsewhere may not name files here.

    Raises:
        InvalidInputError: the content cannot be used (SuiteInvalid, EmptyPanel, InvalidSpec) or the
            suite kind is not built yet (Unsupported).
        UnavailableError: the source cannot be read now.
    """
    if spec.tasks is None:
        kind = "swebenchPro" if spec.swebench_pro else "swebench"
        raise InvalidInputError(
            "is not supported yet; convert the instances to suite.tasks",
            reason=names.REASON_UNSUPPORTED,
            field=f"spec.suite.{kind}",
        )
    source = spec.tasks.source
    if source.path is not None:
        local_root = Path(source.path).parent
    instances = tuple(_rooted(item, local_root) for item in _read(source, sources))
    return select_panel(_name(source), instances, spec.selection)


def _read(source: Source, sources: Sources) -> tuple[Instance, ...]:
    field, place = _place(source)
    try:
        if source.dataset is not None:
            return parse_rows(_dataset_rows(sources, source))
        content = _content(source, sources)
        if source.sha256 is not None:
            check_sha256(content, source.sha256, place)
        return parse_tasks(content)
    except InvalidInputError as error:
        # The reader names a line or nothing; the user needs to know of which file.
        where = f"{_SOURCE}.{field}" if error.field in {"source", "suite", field} else error.field
        text = str(error).removeprefix(f"{error.field}: ")
        raise InvalidInputError(
            text if where != error.field else f"{text} (in {place})",
            reason=error.reason,
            field=where,
        ) from error


def _content(source: Source, sources: Sources) -> bytes:
    if source.config_map is not None:
        return sources.read_config_map(source.config_map.name, source.config_map.key)
    if source.path is not None:
        return sources.read_path(source.path)
    if source.url is not None:
        return sources.read_url(source.url)
    raise BenchwardenError("a source without a place passed validation")


def _dataset_rows(sources: Sources, source: Source) -> Iterator[tuple[str, object]]:
    if source.dataset is None:
        return
    for number, row in enumerate(sources.read_dataset(source.dataset), 1):
        yield f"row {number}", _without_nulls(row)


def _without_nulls(value: Any) -> Any:
    """A dataset has every key in every row, and null where there was none."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _place(source: Source) -> tuple[str, str]:
    """The camelCase field of the source and the place in words."""
    if source.config_map is not None:
        return "configMap", f"ConfigMap {source.config_map.name}, key {source.config_map.key}"
    if source.dataset is not None:
        return "dataset", f"dataset {source.dataset.id}"
    return ("path", source.path) if source.path is not None else ("url", source.url or "")


def _name(source: Source) -> str:
    """A short name of the suite for reports and metrics."""
    if source.config_map is not None:
        return source.config_map.name
    if source.dataset is not None:
        return source.dataset.id
    path = Path((source.path or source.url or "").partition("?")[0])
    return path.stem if path.stem not in {"tasks", ""} else path.parent.name or path.stem


def _rooted(instance: Instance, root: Path | None) -> Instance:
    if instance.local is None:
        return instance
    if root is None:
        return replace(instance, local=None)
    local = instance.local
    workspace = LocalWorkspace(
        archive=str(root / local.archive),
        path_entries=tuple(str(root / entry) for entry in local.path_entries),
    )
    return replace(instance, local=workspace)
