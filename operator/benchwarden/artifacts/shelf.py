"""Finds a run's kept files again: which launches there are, what each has, and its content checked on the way out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchwarden.artifacts import layout
from benchwarden.artifacts.manifest import KeptFile, Manifest
from benchwarden.artifacts.storage import FolderStorage, Storage
from benchwarden.errors import BenchwardenError

_NAMES = frozenset({*layout.FILES.values(), layout.FILE_SUMS})


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept file and where it lies below the run's folder."""

    manifest: Manifest
    file: KeptFile
    path: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """A run's folder in some storage.

    Attributes:
        run: the run's folder; empty if the storage's root is it.
        place: what to call it in messages.
    """

    storage: Storage
    run: str
    place: str

    def entries(self, instance: str = "", trial: int | None = None) -> list[Entry]:
        """Kept files in order of instance, trial, launch and kind; of one instance or trial if given."""
        wanted = layout.safe_name(instance) if instance else ""
        found = []
        for path in self.storage.list(self.run):
            launch = layout.launch_of(path)
            if launch is None or not path.endswith(f"/{layout.FILE_MANIFEST}"):
                continue
            if (wanted and launch[0] != wanted) or (trial is not None and launch[1] != trial):
                continue
            folder = path.removesuffix(f"/{layout.FILE_MANIFEST}")
            manifest = Manifest.from_json(b"".join(self.storage.read(self._full(path))))
            found += [
                Entry(manifest, each, f"{folder}/{each.name}")
                for each in manifest.files
                if each.name in _NAMES  # a name never leads out of its folder
            ]
        return sorted(found, key=lambda each: (each.manifest.member, each.file.kind))

    def read(self, entry: Entry) -> Iterator[bytes]:
        """An entry's content.

        Raises:
            BenchwardenError: after the last byte, if it is not what the manifest says.
        """
        digest = hashlib.sha256()
        for chunk in self.storage.read(self._full(entry.path)):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != entry.file.sha256:
            raise BenchwardenError(
                f"{self.place}/{entry.path}: its sha256 is {digest.hexdigest()}, the manifest says"
                f" {entry.file.sha256}: it was changed or damaged"
            )

    def download(self, entry: Entry, target: Path) -> Path:
        """Copy an entry below `target`, in the same layout; the copy's path."""
        FolderStorage(target).write(entry.path, self.read(entry))
        return target / entry.path

    def _full(self, path: str) -> str:
        return f"{self.run}/{path}" if self.run else path
