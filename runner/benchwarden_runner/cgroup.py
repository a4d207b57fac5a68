"""What the container's cgroup (v1 or v2) says of memory and process limits, so that we end the work first.

Memory in use is what the kernel cannot give back: page cache and reclaimable slabs are left out, since a
cgroup full of page cache is healthy.
"""

import os
from typing import Dict, Optional, Tuple

LIMIT_RATIO = 0.92
_UNLIMITED = 1 << 60
_NOWHERE = "/nonexistent"
_V1_RECLAIMABLE = ("total_inactive_file", "total_active_file")
_V2_RECLAIMABLE = ("inactive_file", "active_file", "slab_reclaimable")


class Cgroup:
    """Limits and counters of the cgroup this process is in; everything is None or 0 where unknown."""

    def __init__(self, root: str = "/sys/fs/cgroup", membership: str = "/proc/self/cgroup") -> None:
        paths = _membership(membership)
        self._unified = _first_with("memory.max", _places(root, paths.get("", "/")))
        memory_v1 = _places(os.path.join(root, "memory"), paths.get("memory", "/"))
        self._memory_v1 = _first_with("memory.limit_in_bytes", memory_v1)
        self._is_v1 = self._memory_v1 != _NOWHERE
        pids_v1 = _places(os.path.join(root, "pids"), paths.get("pids", "/"))
        self._pids_v1 = _first_with("pids.events", pids_v1)

    def memory_limit_bytes(self) -> Optional[int]:
        """The memory limit; None if there is none."""
        if self._is_v1:
            return _number(os.path.join(self._memory_v1, "memory.limit_in_bytes"))
        return _number(os.path.join(self._unified, "memory.max"))

    def memory_in_use_bytes(self) -> int:
        """Memory that reclaim cannot free."""
        if self._is_v1:
            usage = _number(os.path.join(self._memory_v1, "memory.usage_in_bytes"))
            stat = _table(os.path.join(self._memory_v1, "memory.stat"))
            names: Tuple[str, ...] = _V1_RECLAIMABLE
        else:
            usage = _number(os.path.join(self._unified, "memory.current"))
            stat = _table(os.path.join(self._unified, "memory.stat"))
            names = _V2_RECLAIMABLE
        return max(0, (usage or 0) - sum(stat.get(name, 0) for name in names))

    def oom_kills(self) -> int:
        """How many processes the kernel has ended here for want of memory."""
        if self._is_v1:
            table = _table(os.path.join(self._memory_v1, "memory.oom_control"))
        else:
            table = _table(os.path.join(self._unified, "memory.events"))
        return table.get("oom_kill", 0)

    def process_refusals(self) -> int:
        """How many forks failed at the process limit."""
        folder = self._unified if self._pids_v1 == _NOWHERE else self._pids_v1
        return _table(os.path.join(folder, "pids.events")).get("max", 0)


def _membership(path: str) -> Dict[str, str]:
    """Path of this process in each controller's hierarchy; the unified one is ''."""
    paths: Dict[str, str] = {}
    try:
        with open(path) as source:
            for line in source:
                _, controllers, place = line.rstrip("\n").split(":", 2)
                for controller in controllers.split(","):
                    paths[controller] = place
    except (OSError, ValueError):
        return {}
    return paths


def _places(mount: str, path: str) -> Tuple[str, str]:
    """Where the cgroup may be: below the mount, or the mount itself as containers see it."""
    return os.path.join(mount, path.lstrip("/")), mount


def _first_with(name: str, folders: Tuple[str, str]) -> str:
    return next(
        (folder for folder in folders if os.path.exists(os.path.join(folder, name))), _NOWHERE
    )


def _number(path: str) -> Optional[int]:
    try:
        with open(path) as source:
            value = int(source.read())
    except (OSError, ValueError):  # ValueError: "max"
        return None
    return None if value >= _UNLIMITED else value


def _table(path: str) -> Dict[str, int]:
    table: Dict[str, int] = {}
    try:
        with open(path) as source:
            for line in source:
                words = line.split()
                if len(words) == 2 and words[1].isdigit():
                    table[words[0]] = int(words[1])
    except OSError:
        return {}
    return table
