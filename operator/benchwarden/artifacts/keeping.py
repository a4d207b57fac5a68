"""Brings one launch's files to their place: read with suspicion, redacted once more, digested on the way."""

import errno
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from benchwarden.artifacts import layout
from benchwarden.artifacts.manifest import KeptFile, LeftOut, Manifest
from benchwarden.artifacts.storage import CHUNK_BYTES, Storage
from benchwarden.names import INPUT_AGENT
from benchwarden.planning.plan import Member
from benchwarden_runner import inputs, protocol, safe_files
from benchwarden_runner.redaction import Redactor

MAX_BYTES: Final = 256 * 1024 * 1024
"""The largest file that is kept; supervisors end whoever prints more."""

_FROM_WORK: Final = (layout.KIND_TRANSCRIPT, layout.KIND_STREAM, layout.KIND_PATCH)


@dataclass(frozen=True, slots=True)
class Launch:
    """Where a launch's files lie now.

    Attributes:
        work: what the agent handed over; the agent may have left anything there.
        logs: what the grader left; tests may have left anything there.
        inputs: the agent's input archives, which nobody but the operator writes.
    """

    member: Member
    work: Path
    logs: Path
    inputs: Path

    def fingerprint(self) -> tuple[tuple[str, int, int, int], ...]:
        """Changes whenever a file of the launch does; empty while there is none."""
        places = [
            (self.logs, layout.FILE_SUMS),
            (self.logs, protocol.FILE_TEST_LOG),
            *((self.work, layout.FILES[kind]) for kind in _FROM_WORK),
        ]
        found = []
        for folder, name in places:
            try:
                status = (folder / name).lstat()
            except OSError:
                continue
            found.append((name, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def through(self) -> bool:
        """Whether the grader has left its digests, the last thing it does."""
        return (self.logs / layout.FILE_SUMS).is_file()


def keep(launch: Launch, storage: Storage, folder: str, redactor: Redactor) -> Manifest:
    """Bring all files of a launch to `folder` of `storage`, the manifest last.

    A file that is not what it should be is left out with the reason and fails nothing.

    Raises:
        OSError: the storage refuses or cannot be reached.
    """
    kept: list[KeptFile] = []
    left_out: list[LeftOut] = []
    for kind, name in (*layout.FILES.items(), (layout.KIND_SUMS, layout.FILE_SUMS)):
        try:
            source = _open(launch, kind, name)
        except FileNotFoundError:
            continue
        except (OSError, inputs.InputError) as error:
            left_out.append(LeftOut(kind, name, _reason(error)))
            continue
        counted = _Counted(redactor.chunks(_chunks(source)))
        with source:
            storage.write(f"{folder}/{name}", counted)
        kept.append(KeptFile(kind, name, counted.bytes, counted.sha256))
    manifest = Manifest(launch.member, tuple(kept), tuple(left_out))
    storage.write(f"{folder}/{layout.FILE_MANIFEST}", [manifest.to_json()])
    return manifest


class _Counted:
    """Passes chunks on, and knows their size and digest afterwards."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.bytes += len(chunk)
            self._digest.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _open(launch: Launch, kind: str, name: str) -> BinaryIO:
    if kind == layout.KIND_PROMPT:
        archive = inputs.read_archive(launch.inputs, INPUT_AGENT)
        return io.BytesIO(inputs.require(archive, protocol.FILE_PROMPT))
    folder = launch.work if kind in _FROM_WORK else launch.logs
    source = os.fdopen(safe_files.open_inside(folder, name), "rb")
    if os.fstat(source.fileno()).st_size > MAX_BYTES:
        source.close()
        raise safe_files.TooLargeError(errno.EFBIG, f"larger than {MAX_BYTES} bytes")
    return source


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    """At most MAX_BYTES, even of a file that grows."""
    left = MAX_BYTES
    while left and (chunk := source.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return f"{text or error}"[:200]
