"""What a tree of processes uses, by /proc: the local stand-in for a container's cgroup.

An address-space limit would be too blunt (JavaScript engines reserve gigabytes they never touch), and a limit
per process misses a tree of many. So the tree is summed several times a second, and killed as a whole when it
is over its limit, as the kernel would kill a container.
"""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchwarden.names import ENV_LOCAL_CONTAINER

_PROC: Final = Path("/proc")


def tree(root: int, marker: str = "") -> set[int]:
    """Ids of the living processes that descend from `root` or belong to its session or carry the marker.

    A marker counts by its beginning. Reading it costs a file per process, so pass it only where orphans
    must be found.
    """
    children: dict[int, list[int]] = defaultdict(list)
    found: set[int] = set()
    for pid, parent, session in _processes():
        children[parent].append(pid)
        if (root and root in (pid, session)) or (marker and _carries(pid, marker)):
            found.add(pid)
    queue = list(found | {root} - {0})
    while queue:
        for child in children[queue.pop()]:
            if child not in found:
                found.add(child)
                queue.append(child)
    return found - {os.getpid()}


def used_bytes(pids: Iterable[int], limit_bytes: int) -> int:
    """Memory of these processes, file pages left out; exact (shared pages counted once) near the limit."""
    known = list(pids)
    quick = sum(_status_bytes(pid) for pid in known)
    return quick if quick <= limit_bytes else sum(_exact_bytes(pid) for pid in known)


def kill_tree(root: int, marker: str) -> None:
    """Kill all that belongs to a container, until nothing of it is left.

    Processes may be born while others are killed; a few rounds end that race. `root` 0 kills by marker alone.
    """
    for _ in range(10):
        pids = tree(root, marker)
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):  # gone, or another user's by now
                os.kill(pid, signal.SIGKILL)


def _processes() -> Iterable[tuple[int, int, int]]:
    """Id, parent and session of every living process."""
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
            # The command's name may hold blanks and parentheses; fields are counted behind it.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in {"Z", "X"}:
                yield int(entry.name), int(fields[1]), int(fields[3])


def _carries(pid: int, marker: str) -> bool:
    with suppress(OSError):  # it ended, or is not ours to read
        wanted = f"{ENV_LOCAL_CONTAINER}={marker}".encode()
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        return any(variable.startswith(wanted) for variable in variables)
    return False


def _status_bytes(pid: int) -> int:
    return 1024 * sum(_fields(pid, "status", ("RssAnon:", "RssShmem:")))


def _exact_bytes(pid: int) -> int:
    return 1024 * sum(_fields(pid, "smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")))


def _fields(pid: int, file: str, names: tuple[str, ...]) -> list[int]:
    with suppress(OSError):  # it ended meanwhile
        lines = (_PROC / str(pid) / file).read_text().splitlines()
        return [int(line.split()[1]) for line in lines if line.startswith(names)]
    return []
