"""Run scripts of SWE-bench Pro: `<id>/run_script.sh` and `<id>/parser.py` in a folder or an archive.

Only the files of asked instances are read, so that a folder of a thousand costs what is used of it.
"""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.suites.instance import Instance
from benchwarden.suites.swebench_pro import PARSER, RUN_SCRIPT

FOLDER: Final = "run_scripts"
FILE_BYTES: Final = 512 * 1024
_FILES: Final = (RUN_SCRIPT, PARSER)
_ZIP_START: Final = b"PK\x03\x04"
_NAMED: Final = 5
# Damaged, encrypted (RuntimeError) or packed in a way that Python does not know (NotImplementedError).
_UNREADABLE: Final = (
    *(tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError),
    *(RuntimeError, zlib.error, lzma.LZMAError),
    TypeError,  # tarfile's answer to a gzip header that ends too early
)

Files = Mapping[tuple[str, str], bytes]
"""Content by instance id and file name."""


class Scripts(NamedTuple):
    """The two files of one instance."""

    run_script: bytes
    parser: str


def scripts_of(instances: Iterable[Instance], files: Files, field: str) -> dict[str, Scripts]:
    """The scripts of each instance.

    Raises:
        InvalidInputError: some have none; the message names the instances.
    """
    found: dict[str, Scripts] = {}
    missing: list[str] = []
    for instance in instances:
        script, parser = (files.get((instance.id, name)) for name in _FILES)
        if script is None or parser is None:
            missing.append(f"{instance.id}/{RUN_SCRIPT if script is None else PARSER}")
            continue
        try:
            found[instance.id] = Scripts(script, parser.decode())
        except UnicodeDecodeError:
            raise _refused(f"{instance.id}/{PARSER} is not UTF-8 text", field) from None
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise _refused(f"has no {', '.join(missing[:_NAMED])}{more}", field)
    return found


def from_folder(path: str, ids: Iterable[str], read: Callable[[str], bytes | None]) -> Files:
    """Files of the instances below a folder.

    Args:
        path: the folder that holds a folder for each instance.
        ids: whose files are wanted; each is one component of a path.
        read: content of a file, None if there is none.
    """
    wanted = [(each, name) for each in ids for name in _FILES]
    contents = ((key, read("/".join((path, *key)))) for key in wanted)
    return {key: content for key, content in contents if content is not None}


def from_archive(content: bytes, ids: Iterable[str], field: str) -> Files:
    """Files of the instances in a tar archive (gzip, bzip2, xz or plain) or a zip file.

    What lies in a folder `run_scripts` wins over files of the same names elsewhere.

    Raises:
        InvalidInputError: it is no such archive, or a file is over 512 KiB.
    """
    wanted = frozenset(ids)
    found: dict[tuple[str, str], bytes] = {}
    try:
        unpacked = _zipped if content.startswith(_ZIP_START) else _tarred
        for path, data in unpacked(content, wanted):
            key = (path.parts[-2], path.parts[-1])
            if len(data) > FILE_BYTES:
                raise _refused(f"{'/'.join(key)} is over {FILE_BYTES} bytes", field)
            if key not in found or FOLDER in path.parts:
                found[key] = data
    except _UNREADABLE as error:
        raise _refused(f"is no tar or zip archive of run scripts: {error}", field) from error
    return found


def _tarred(content: bytes, wanted: frozenset[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if member.isfile() and _is_wanted(path, wanted):
                stream = archive.extractfile(member)
                yield path, stream.read(FILE_BYTES + 1) if stream else b""


def _zipped(content: bytes, wanted: frozenset[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            path = PurePosixPath(entry.filename)
            if _is_wanted(path, wanted):
                with archive.open(entry) as stream:
                    yield path, stream.read(FILE_BYTES + 1)


def _is_wanted(path: PurePosixPath, wanted: frozenset[str]) -> bool:
    return len(path.parts) > 1 and path.parts[-1] in _FILES and path.parts[-2] in wanted


def _refused(text: str, field: str) -> InvalidInputError:
    return InvalidInputError(text, reason=names.REASON_SUITE_INVALID, field=field)
