"""Input archives: the same files give the same bytes, on any machine and any Python."""

import gzip
import io
import tarfile
from collections.abc import Mapping

_UNKNOWN_SYSTEM = b"\xff"  # byte 9 of a gzip header; Pythons differ in what they put there


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A gzip tar of `files`, sorted by name, without times, owners or modes that tell them apart."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            tar.addfile(entry, io.BytesIO(files[name]))
    packed = gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)
    return packed[:9] + _UNKNOWN_SYSTEM + packed[10:]
