"""Starts and stops the cluster's own processes, each known by pid and start time, never by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.config import ClusterError, Paths

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Component:
    """How one long-lived process is started.

    Attributes:
        name: Short name; also that of its log and pid file.
        command: Program and arguments.
        cwd: Working directory.
        environment: Variables on top of a minimal environment.
        sockets: Sockets that a killed process leaves and the next one would trip over.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    sockets: Sequence[Path] = ()


def start(where: Paths, component: Component) -> int:
    """Start a component unless it runs already, and return its pid."""
    if (pid := running_pid(where, component.name)) is not None:
        return pid
    for leftover in component.sockets:
        leftover.unlink(missing_ok=True)
    where.logs.mkdir(parents=True, exist_ok=True)
    where.run.mkdir(parents=True, exist_ok=True)
    log = where.logs / f"{component.name}.log"
    # The shell ends at once, so the process belongs to init and a test's end does not touch it.
    done = subprocess.run(
        ["/bin/sh", "-c", 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!',
         "sh", str(log), *component.command],
        cwd=component.cwd,
        env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
             "HOME": str(where.root), **component.environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        check=True,
    )  # fmt: skip
    pid = int(done.stdout)
    note = {"pid": pid, "started": _start_time(pid), "boot": _boot_id()}
    pidfile(where, component.name).write_text(json.dumps(note))
    return pid


def stop(where: Paths, name: str, *, stop_seconds: float = 10.0, kill: bool = False) -> bool:
    """Stop a component if it is ours and runs; return whether there was one to stop.

    Args:
        where: The cluster.
        name: Component name.
        stop_seconds: Patience after SIGTERM; SIGKILL follows.
        kill: Send SIGKILL at once, as a crash would look.
    """
    pid = running_pid(where, name)
    file = pidfile(where, name)
    if pid is None:
        file.unlink(missing_ok=True)
        return False
    started = _start_time(pid)
    if not kill:
        _signal(pid, signal.SIGTERM)
        if wait_for(lambda: _start_time(pid) != started, stop_seconds):
            file.unlink(missing_ok=True)
            return True
    _signal(pid, signal.SIGKILL)
    if not wait_for(lambda: _start_time(pid) != started, 10.0):
        raise ClusterError(f"{name} (pid {pid}) does not end, even by SIGKILL")
    file.unlink(missing_ok=True)
    return True


def running_pid(where: Paths, name: str) -> int | None:
    """Return the pid of a component we started, or None when it does not run any more."""
    try:
        note = json.loads(pidfile(where, name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    pid = int(note["pid"])
    same = note["boot"] == _boot_id() and note["started"] == _start_time(pid)
    return pid if same and note["started"] is not None else None


def pidfile(where: Paths, name: str) -> Path:
    """Return the file that says which process a component is."""
    return where.run / f"{name}.pid"


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition until it holds; return False when the time is over before that."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def log_tail(where: Paths, name: str, lines: int = 15) -> str:
    """Return the last lines of a component's log, for an error message."""
    try:
        content = (where.logs / f"{name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(content.splitlines()[-lines:])


def shims_of(containerd_socket: Path) -> list[int]:
    """Return the pids of the container shims that report to a containerd, by its socket."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"containerd-shim" in words[0] and os.fsencode(containerd_socket) in words:
            found.append(int(entry.name))
    return found


def kill(pids: Iterable[int], seconds: float = 10.0) -> None:
    """Send SIGKILL to processes and wait until they are gone."""
    started = {pid: _start_time(pid) for pid in pids}
    for pid in started:
        _signal(pid, signal.SIGKILL)
    wait_for(lambda: all(_start_time(pid) != s for pid, s in started.items() if s), seconds)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _start_time(pid: int) -> str | None:
    # A zombie has ended for every purpose of ours; pid 1 may be slow to reap it.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
