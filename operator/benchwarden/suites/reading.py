"""What a source holds, wherever it lies: bytes, rows of JSONL or Parquet, run scripts in a folder or an archive."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchwarden import names
from benchwarden.api.suite import FileSource, Source
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError
from benchwarden.suites import run_scripts
from benchwarden.suites.instance import Instance
from benchwarden.suites.rows import Convert, Rows, collect, json_lines, numbered
from benchwarden.suites.run_scripts import Scripts
from benchwarden.suites.sources import Sources, check_sha256

_PARQUET_START: Final = b"PAR1"
_NEUTRAL_FIELDS: Final = frozenset({"source", "suite"})


def read_instances(
    source: Source, sources: Sources, convert: Convert, field: str
) -> tuple[Instance, ...]:
    """Instances of a source's rows.

    Args:
        source: what to read.
        sources: how it is read.
        convert: makes an instance of a row.
        field: of the source in the spec, for messages.

    Raises:
        InvalidInputError: the content cannot be used; the message names the place and the field.
        UnavailableError: it cannot be read now.
    """
    kind, place = _place(source)
    try:
        if source.dataset is not None:
            return collect(numbered(sources.read_dataset(source.dataset)), convert)
        return collect(_rows(_content(source, sources, place)), convert)
    except InvalidInputError as error:
        # The reader names a line or nothing; the user needs to know of which file.
        ours = error.field in {*_NEUTRAL_FIELDS, kind}
        text = str(error).removeprefix(f"{error.field}: ")
        raise InvalidInputError(
            text if ours else f"{text} (in {place})",
            reason=error.reason,
            field=f"{field}.{kind}" if ours else error.field,
        ) from error


def read_run_scripts(
    source: FileSource, sources: Sources, instances: Sequence[Instance], field: str
) -> Mapping[str, Scripts]:
    """The run scripts of instances, by id.

    Raises:
        InvalidInputError: the source is neither a folder nor an archive, or an instance has no scripts.
        UnavailableError: it cannot be read now.
    """
    kind, place = _place(source)
    ids = [instance.id for instance in instances]
    where = f"{field}.{kind}"
    if source.path is not None and sources.is_folder(source.path):
        if source.sha256 is not None:
            raise InvalidInputError(
                "a folder has no sha256; remove it, or pack the folder into an archive",
                reason=names.REASON_INVALID_SPEC,
                field=f"{field}.sha256",
            )
        root = source.path.rstrip("/")
        inner = f"{root}/{run_scripts.FOLDER}"
        files = run_scripts.from_folder(
            inner if sources.is_folder(inner) else root, ids, lambda path: _file(sources, path)
        )
    else:
        files = run_scripts.from_archive(_content(source, sources, place), ids, where)
    return run_scripts.scripts_of(instances, files, where)


def _content(source: Source | FileSource, sources: Sources, place: str) -> bytes:
    if source.config_map is not None:
        content = sources.read_config_map(source.config_map.name, source.config_map.key)
    elif source.path is not None:
        content = sources.read_path(source.path)
    elif source.url is not None:
        content = sources.read_url(source.url)
    else:
        raise BenchwardenError("a source without a place passed validation")
    if source.sha256 is not None:
        check_sha256(content, source.sha256, place)
    return content


def _file(sources: Sources, path: str) -> bytes | None:
    try:
        return sources.read_path(path)
    except UnavailableError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _rows(content: bytes) -> Rows:
    return (
        numbered(_parquet(content)) if content.startswith(_PARQUET_START) else json_lines(content)
    )


def _parquet(content: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InvalidInputError(
            "Parquet needs the datasets extra: pip install 'benchwarden[datasets]'",
            reason=names.REASON_UNSUPPORTED,
            field="source",
        ) from error
    try:
        for batch in pq.ParquetFile(io.BytesIO(content)).iter_batches():
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InvalidInputError(
            f"is not readable Parquet: {str(error)[:300]}",
            reason=names.REASON_SUITE_INVALID,
            field="source",
        ) from error


def _place(source: Source | FileSource) -> tuple[str, str]:
    """The camelCase field of the source and the place in words."""
    if source.config_map is not None:
        return "configMap", f"ConfigMap {source.config_map.name}, key {source.config_map.key}"
    if isinstance(source, Source) and source.dataset is not None:
        return "dataset", f"dataset {source.dataset.id}"
    return ("path", source.path) if source.path is not None else ("url", source.url or "")
