"""Limits as the kernel keeps them, in a cgroup made for the test (v1 or v2)."""

import os
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.runner.builders import repository

from benchwarden_runner import protocol

ROOT = Path("/sys/fs/cgroup")
V1 = (ROOT / "memory").is_dir()
MIB = 1 << 20
# A container has its own process and IPC namespaces, and so have these.
WRAP = ("unshare", "--pid", "--fork", "--mount-proc", "--ipc", "--kill-child")


class Limits:
    """A cgroup for one test; `join` is a command prefix that enters it."""

    def __init__(self) -> None:
        name = f"benchwarden-test-{uuid.uuid4().hex[:8]}"
        self.folders = [ROOT / kind / name for kind in ("memory", "pids")] if V1 else [ROOT / name]
        for folder in self.folders:
            folder.mkdir()

    def memory(self, limit_bytes: int) -> None:
        name = "memory.limit_in_bytes" if V1 else "memory.max"
        (self.folders[0] / name).write_text(str(limit_bytes))

    def processes(self, limit: int) -> None:
        (self.folders[-1] / "pids.max").write_text(str(limit))

    @property
    def join(self) -> tuple:
        enter = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self.folders)
        return ("sh", "-ec", f'{enter}; exec "$@"', "sh", *WRAP)

    def remove(self) -> None:
        for folder in self.folders:
            folder.rmdir()


@pytest.fixture
def limits():
    try:
        made = Limits()
        made.memory(256 * MIB)
        made.processes(200)
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    yield made
    made.remove()


@pytest.fixture
def repo(place):
    repository(place.repo, {"a.txt": "old\n"})
    return place


pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make cgroups"),
]


def python_agent(place, program, **fields):
    spec = place.agent_spec(
        protocol.AGENT_EXEC, command=(sys.executable, "-c", program), cut_history=False
    )
    return replace(spec, local=False, **fields)


SLOW = "import time\nx = []\nwhile True:\n    x.append(bytearray(4 << 20)); time.sleep(0.01)"
FAST = "x = bytearray(2 << 30)"


def test_an_agent_that_grows_is_ended_below_its_limit(repo, limits):
    telemetry = repo.agent(python_agent(repo, SLOW), wrap=limits.join)
    assert telemetry.outcome == protocol.AGENT_OOM
    assert (repo.work / protocol.FILE_PATCH).exists()


def test_an_agent_that_the_kernel_ended_first_is_out_of_memory_too(repo, limits):
    script = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", {FAST!r}])
time.sleep(30)
"""
    telemetry = repo.agent(python_agent(repo, script), wrap=limits.join)
    assert telemetry.outcome == protocol.AGENT_OOM
    assert telemetry.seconds < 20


def test_a_full_page_cache_is_no_memory_trouble(repo, limits):
    program = """
import os, time
with open("big", "wb") as out:
    for _ in range(400):
        out.write(bytes(1 << 20))
    out.flush(); os.fsync(out.fileno())
open("big", "rb").read(1)
for chunk in iter(lambda f=open("big", "rb"): f.read(1 << 20), b""):
    pass
time.sleep(0.5)
os.unlink("big")
"""
    telemetry = repo.agent(python_agent(repo, program), wrap=limits.join)
    assert telemetry.outcome == protocol.COMPLETED, telemetry


def test_an_agent_that_failed_at_the_process_limit_says_so(repo, limits):
    limits.processes(60)
    program = """
import subprocess
held = [subprocess.Popen(["sleep", "60"]) for _ in range(100)]
"""
    telemetry = repo.agent(python_agent(repo, program), wrap=limits.join)
    assert telemetry.outcome == protocol.AGENT_PIDS, telemetry


def test_a_fork_bomb_ends_with_its_container(repo, limits):
    limits.processes(100)
    program = """
import os, time
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        time.sleep(0.01)
"""
    telemetry = repo.agent(python_agent(repo, program, timeout_seconds=2), wrap=limits.join)
    assert telemetry.outcome == protocol.AGENT_TIMEOUT, telemetry


def test_tests_that_grow_are_ended_below_the_limit(repo, limits):
    program = repo.folder / "grow.py"
    program.write_text(SLOW)
    spec = replace(repo.grade_spec(test_command=f"{sys.executable} {program}"), local=False)
    verdict = repo.grade(spec, b"", wrap=limits.join)
    assert verdict.outcome == protocol.AGENT_OOM
