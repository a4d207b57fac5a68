"""What a grader leaves for whoever keeps artifacts: the test log, and last of all the digests of everything.

The digests' file is also the sign that this launch is through. Its own digest goes into the verdict, so that
each file that is kept somewhere can be traced back to the verdict it belongs to.
"""

import hashlib
import os
from pathlib import Path
from typing import List, Tuple

from benchwarden_runner import protocol, safe_files

_CHUNK_BYTES = 1 << 20
_FROM_AGENT = (protocol.FILE_PATCH, protocol.FILE_STREAM, protocol.FILE_TRANSCRIPT)


def leave_sums(work: Path, log: Path) -> str:
    """Write the digests beside the test log and return the digest of that file.

    Args:
        work: what the agent handed over.
        log: where the test log is, if there is one.

    Raises:
        OSError: the file cannot be written.
    """
    places: List[Tuple[Path, str]] = [(work, name) for name in _FROM_AGENT]
    lines = []
    for folder, name in sorted([*places, (log.parent, log.name)], key=lambda place: place[1]):
        digest = _digest(folder, name)
        if digest:
            lines.append(f"{digest}  {name}\n")
    content = "".join(lines).encode()
    safe_files.replace_file(log.parent / protocol.FILE_SUMS, [content])
    return hashlib.sha256(content).hexdigest()


def _digest(folder: Path, name: str) -> str:
    """sha256 of a regular file; empty if it is none."""
    try:
        descriptor = safe_files.open_inside(folder, name)
    except OSError:
        return ""
    found = hashlib.sha256()
    with os.fdopen(descriptor, "rb") as source:
        while True:
            chunk = source.read(_CHUNK_BYTES)
            if not chunk:
                return found.hexdigest()
            found.update(chunk)
