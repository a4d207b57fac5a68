"""Runs one command under watch: it ends by itself, or for a cause that is named, and nothing of it remains.

A watch is called about ten times a second with the seconds since the start and returns a cause to end the
command, or an empty string. The end is SIGINT, then SIGTERM, then SIGKILL for what may tidy up first, and
SIGKILL at once otherwise. For want of memory, all but the main process is killed at once.
"""

import os
import signal
import stat
import time
from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Sequence, Tuple

from benchwarden_runner.cgroup import LIMIT_RATIO, Cgroup
from benchwarden_runner.processes import ProcessTree

# Causes.
TIMEOUT = "timeout"
MEMORY = "memory"
OUTPUT = "output"
TERMINATED = "terminated"  # the pod is being deleted

OUTPUT_BYTES = 256 * 1024 * 1024
_POLL_SECONDS = 0.05
_REAP_SECONDS = 5.0
_LOCAL_LOOK_SECONDS = 0.2
_PATIENT = (10.0, 5.0)  # seconds after SIGINT, after SIGTERM
_PATIENCE = {
    TERMINATED: (2.0, 0.5),  # a deleted pod has a grace period to keep
    MEMORY: (1.5, 0.0),  # the kernel may not wait any longer
    OUTPUT: (1.0, 0.5),  # each second may fill another gigabyte of disk
}

Watch = Callable[[float], str]


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        returncode: of the main process; negative = signal.
        cause: why it was ended; empty = by itself.
        seconds: wall time.
        clean: nothing it started is alive any more.
    """

    returncode: int
    cause: str
    seconds: float
    clean: bool = True


@dataclass(frozen=True)
class Command:
    """What to run; output goes to open descriptors."""

    words: Sequence[str]
    cwd: str
    environment: Mapping[str, str]
    stdout: int
    stderr: int
    stdin: Optional[int] = None


class Termination:
    """Notices that this process is told to go: a deleted pod would otherwise wait out its grace.

    The signals are kept blocked and fetched, because that tells who sent them. As PID 1 only those from
    outside the container count (their sender has no number in here): what runs in it may not end its own
    supervisor and so turn a failure into somebody else's fault.
    """

    _SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, *, local: bool) -> None:
        self._from_outside_only = os.getpid() == 1 and not local
        self.asked = False
        signal.pthread_sigmask(signal.SIG_BLOCK, self._SIGNALS)

    def watch(self, _seconds: float) -> str:
        """The watch that ends work when this process is told to go."""
        while True:
            found = signal.sigtimedwait(self._SIGNALS, 0)
            if found is None:
                return TERMINATED if self.asked else ""
            self.asked = self.asked or not self._from_outside_only or found.si_pid == 0


def supervise(
    tree: ProcessTree, command: Command, watches: Sequence[Watch], *, gentle: bool = False
) -> Ending:
    """Run `command` to its end or its first cause; see the module's docstring.

    Raises:
        OSError: the command cannot be started.
    """
    begun = time.monotonic()
    tree.start(
        command.words,
        cwd=command.cwd,
        environment=command.environment,
        stdin=command.stdin,
        stdout=command.stdout,
        stderr=command.stderr,
    )
    cause = ""
    while tree.poll() is None and not cause:
        time.sleep(_POLL_SECONDS)
        seconds = time.monotonic() - begun
        cause = next((found for watch in watches if (found := watch(seconds))), "")
    if cause and gentle:
        if cause == MEMORY:
            tree.kill_all_but_main()  # which then may say what it has used
        _end_gently(tree, _PATIENCE.get(cause, _PATIENT))
    clean = tree.kill_everything()
    returncode = tree.wait(_REAP_SECONDS)
    for descriptor in (command.stdout, command.stderr):
        _cut(descriptor)
    seconds = time.monotonic() - begun
    return Ending(-signal.SIGKILL if returncode is None else returncode, cause, seconds, clean)


def _cut(descriptor: int) -> None:
    """Give back the disk of what was written between two looks at the size."""
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_size > OUTPUT_BYTES:
        os.ftruncate(descriptor, OUTPUT_BYTES)


def _end_gently(tree: ProcessTree, patience: Tuple[float, float]) -> None:
    for number, seconds in zip((signal.SIGINT, signal.SIGTERM), patience):  # noqa: B905 - 3.9
        tree.signal_group(number)
        if tree.wait(seconds) is not None:
            return


def deadline(limit_seconds: float) -> Watch:
    """Ends work after `limit_seconds`."""
    return lambda seconds: TIMEOUT if seconds >= limit_seconds else ""


def output_size(*descriptors: int, limit_bytes: int = OUTPUT_BYTES) -> Watch:
    """Ends work whose output files have grown past any use."""

    def watch(_seconds: float) -> str:
        written = sum(os.fstat(descriptor).st_size for descriptor in descriptors)
        return OUTPUT if written > limit_bytes else ""

    return watch


class MemoryWatch:
    """Ends work at 92 % of the memory limit, or when the kernel has ended part of it already."""

    def __init__(self, tree: ProcessTree, limit_bytes: int, *, local: bool) -> None:
        self._tree = tree
        self._local = local
        self._cgroup = Cgroup()
        limit = None if local else self._cgroup.memory_limit_bytes()
        if limit_bytes:
            limit = min(limit, limit_bytes) if limit else limit_bytes
        self._looked_at = 0.0
        self._threshold = limit * LIMIT_RATIO if limit else None
        self._kills = self._cgroup.oom_kills()
        self._refusals = self._cgroup.process_refusals()

    def __call__(self, seconds: float) -> str:
        """The watch."""
        if not self._local and self._cgroup.oom_kills() > self._kills:
            # The kubelet calls the whole container OOMKilled for it: going on would be for nothing.
            return MEMORY
        if self._threshold is None:
            return ""
        if self._local and seconds - self._looked_at < _LOCAL_LOOK_SECONDS:
            return ""  # looking means reading all of /proc
        self._looked_at = seconds
        here = self._tree.resident_bytes if self._local else self._cgroup.memory_in_use_bytes
        return MEMORY if here() >= self._threshold else ""

    def processes_refused(self) -> bool:
        """Whether forks have failed at the process limit since this watch was made."""
        return not self._local and self._cgroup.process_refusals() > self._refusals


def disk_is_full(*folders: str) -> bool:
    """Whether a file system that work is written to has no room left."""
    for folder in folders:
        try:
            status = os.statvfs(folder)
        except OSError:
            continue
        if status.f_bavail * status.f_frsize < 1 << 20 or (status.f_files and not status.f_favail):
            return True
    return False
