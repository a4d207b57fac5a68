"""Process trees: everything a command starts can be ended, also what put itself in a session of its own.

As PID 1 of a container, `kill(-1)` reaches all there is. Elsewhere this process makes itself the subreaper,
so that orphans come back to it and stay its descendants; nothing but descendants is ever signalled.
"""

import ctypes
import os
import signal
import subprocess
import time
from typing import Dict, List, Mapping, Optional, Sequence, Set, Union

_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 20.0


def become_undumpable() -> None:
    """No other process without CAP_SYS_PTRACE may then read this one's memory or descriptors."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


class ProcessTree:
    """One command at a time, and everything that descends from it.

    Args:
        local: this process shares its PID namespace with others, so only descendants are ours.
    """

    def __init__(self, *, local: bool) -> None:
        self._own_namespace = os.getpid() == 1 and not local
        self._main: Optional["subprocess.Popen[bytes]"] = None
        if not self._own_namespace:
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: str,
        environment: Mapping[str, str],
        stdin: Union[int, None],
        stdout: int,
        stderr: int,
    ) -> None:
        """Start `command` in a session of its own with no descriptors but 0, 1 and 2.

        Raises:
            OSError: it cannot be started (FileNotFoundError, PermissionError, or no more processes).
        """
        self._main = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=stdout,
            stderr=stderr,
            close_fds=True,
            start_new_session=True,
            preexec_fn=_prepare_child,  # noqa: PLW1509 - this process has one thread
        )

    def poll(self) -> Optional[int]:
        """The main process's return code (negative: signal), or None while it runs."""
        self._reap_orphans()
        return None if self._main is None else self._main.poll()

    def signal_group(self, number: int) -> None:
        """Signal the main process's group, if it is still there."""
        if self._main is not None and self._main.poll() is None:
            try:
                os.killpg(self._main.pid, number)
            except ProcessLookupError:
                return

    def wait(self, seconds: float) -> Optional[int]:
        """Wait for the main process, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.poll()

    def kill_everything(self) -> bool:
        """SIGKILL all processes of the tree until none is left; False if some cannot be ended.

        Processes in uninterruptible sleep outlive SIGKILL: after 20 s they are given up.
        """
        deadline = time.monotonic() + _KILL_SECONDS
        while True:
            victims = self._others()
            if not victims:
                self._reap_orphans()
                return True
            if time.monotonic() > deadline:
                return False
            self._kill(victims)
            self.poll()
            time.sleep(0.005)

    def kill_all_but_main(self) -> None:
        """SIGKILL everything but the main process, once."""
        main = {self._main.pid} if self._main is not None else set()
        for victim in self._others() - main:
            _send_kill(victim)

    def _kill(self, victims: Set[int]) -> None:
        if self._own_namespace:
            try:
                os.kill(-1, signal.SIGKILL)  # at once, so that no fork bomb outruns it
            except ProcessLookupError:
                return
            return
        for victim in victims:
            _send_kill(victim)

    def _others(self) -> Set[int]:
        """Living processes that are ours to end; zombies do not count."""
        table = _process_table()
        if self._own_namespace:
            return set(table) - {1}
        return descendants(table, os.getpid())

    def _reap_orphans(self) -> None:
        """Collect dead processes that were handed to us, leaving the main one to its Popen."""
        while True:
            if self._main is not None:
                self._main.poll()
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            try:
                found = os.waitid(os.P_ALL, 0, flags)
            except ChildProcessError:
                return
            if found is None:
                return
            if self._main is not None and found.si_pid == self._main.pid:
                continue  # it died between the two calls: the next round polls it
            try:
                os.waitpid(found.si_pid, os.WNOHANG)
            except ChildProcessError:
                continue

    def resident_bytes(self) -> int:
        """Private memory of all descendants: for places without a cgroup."""
        page = os.sysconf("SC_PAGE_SIZE")
        total = 0
        for process in descendants(_process_table(), os.getpid()):
            try:
                with open(f"/proc/{process}/statm") as source:
                    resident, shared = source.read().split()[1:3]
                    total += (int(resident) - int(shared)) * page
            except (OSError, ValueError):
                continue
        return total


def _send_kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def descendants(parents: Mapping[int, int], root: int) -> Set[int]:
    """All processes below `root`, given each process's parent."""
    children: Dict[int, List[int]] = {}
    for process, parent in parents.items():
        children.setdefault(parent, []).append(process)
    found: Set[int] = set()
    waiting = list(children.get(root, ()))
    while waiting:
        process = waiting.pop()
        if process not in found:
            found.add(process)
            waiting.extend(children.get(process, ()))
    return found


def _process_table() -> Dict[int, int]:
    """Parent of every living process; zombies are left out, they hold nothing."""
    table: Dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as source:
                    state, parent = source.read().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state not in (b"Z", b"X"):
                table[int(name)] = int(parent)
    return table


def _prepare_child() -> None:
    """Unblock what `Termination` blocks, and let the kernel end the work rather than its supervisor."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _prctl(_PR_SET_DUMPABLE, 1)  # else the next line is denied to whoever is not root
    try:
        with open("/proc/self/oom_score_adj", "w") as target:
            target.write("1000")
    except OSError:
        return
