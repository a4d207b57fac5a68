"""A local run keeps artifacts where they are made: only prompt and manifest are added to a launch's folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchwarden.artifacts import layout
from benchwarden.artifacts.keeping import Launch, keep
from benchwarden.artifacts.storage import FolderStorage
from benchwarden.planning.plan import Member
from benchwarden_runner.redaction import Redactor

_ADDED = frozenset({layout.FILES[layout.KIND_PROMPT], layout.FILE_MANIFEST})


def keep_in_place(member: Member, work: Path, inputs: Path) -> None:
    """Add the prompt and the manifest to `work`, the folder of one launch.

    Raises:
        OSError: they cannot be written.
    """
    keep(Launch(member, work, work, inputs), _InPlace(work), "", Redactor({}))


class _InPlace:
    """Takes as stored what lies here already, and stores what is added."""

    def __init__(self, folder: Path) -> None:
        self._folder = FolderStorage(folder)

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        name = path.rpartition("/")[2]
        if name in _ADDED:
            self._folder.write(name, chunks)
            return
        for _ in chunks:  # to be digested
            pass

    def read(self, path: str) -> Iterator[bytes]:
        return self._folder.read(path)

    def list(self, prefix: str) -> list[str]:
        return self._folder.list(prefix)
