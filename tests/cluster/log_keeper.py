"""Keeps the components' logs bounded: a log over the limit is cut to its last half, in place.

A process of its own; the components append to their logs and need no reopening.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

_EVERY_SECONDS = 5.0


def trim(log: Path, limit_bytes: int) -> bool:
    """Cut a log that is over the limit to its last half of the limit; return whether it was cut."""
    if log.stat().st_size <= limit_bytes:
        return False
    with log.open("r+b") as stream:
        stream.seek(-(limit_bytes // 2), 2)
        tail = stream.read().partition(b"\n")[2]
        stream.truncate(0)
        stream.seek(0)
        stream.write(b"... older lines were cut ...\n" + tail)
    return True


def main(folder: Path, limit_bytes: int) -> None:
    """Trim the logs of a folder for ever."""
    while True:
        for log in folder.glob("*.log"):
            if not log.name.startswith("audit"):
                trim(log, limit_bytes)
        time.sleep(_EVERY_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
