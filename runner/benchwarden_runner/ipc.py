"""Clears System V IPC and POSIX message queues: the containers of a pod share them, so one can poison the next."""

import ctypes
import os
from typing import List

_IPC_RMID = 0
_KINDS = (("shm", "shmid"), ("sem", "semid"), ("msg", "msqid"))


def clear() -> int:
    """Remove every object visible in this IPC namespace; returns how many. Never on a user's machine."""
    libc = ctypes.CDLL(None, use_errno=True)
    removed = 0
    for kind, column in _KINDS:
        for identifier in _identifiers(kind, column):
            removed += _remove(libc, kind, identifier) == 0
    return removed + _clear_queues()


def _remove(libc: ctypes.CDLL, kind: str, identifier: int) -> int:
    if kind == "shm":
        return int(libc.shmctl(identifier, _IPC_RMID, None))
    if kind == "sem":
        return int(libc.semctl(identifier, 0, _IPC_RMID, 0))
    return int(libc.msgctl(identifier, _IPC_RMID, None))


def _identifiers(kind: str, column: str) -> List[int]:
    try:
        with open(f"/proc/sysvipc/{kind}") as source:
            rows = [line.split() for line in source]
    except OSError:  # a kernel without System V IPC
        return []
    if not rows or column not in rows[0]:
        return []
    position = rows[0].index(column)
    return [int(row[position]) for row in rows[1:]]


def _clear_queues() -> int:
    removed = 0
    try:
        names = os.listdir("/dev/mqueue")
    except OSError:
        return 0
    for name in names:
        try:
            os.unlink(os.path.join("/dev/mqueue", name))
            removed += 1
        except OSError:
            continue
    return removed
