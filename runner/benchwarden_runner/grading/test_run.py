"""Runs a task's setup and tests: closed descriptors, nameless output files, one deadline, nothing left alive."""

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from typing import Callable, List

from benchwarden_runner import protocol
from benchwarden_runner.processes import ProcessTree
from benchwarden_runner.specs import GradeSpec
from benchwarden_runner.supervision import (
    Command,
    Ending,
    MemoryWatch,
    Termination,
    Watch,
    deadline,
    output_size,
    supervise,
)

_MAX_LOG_BYTES = 256 << 20


@dataclass(frozen=True)
class TestRun:
    """What a test run left.

    Attributes:
        ending: of the tests, or of the setup if that was ended by us.
        setup_code: exit code of the setup; 0 also where there is none.
        setup_log: what the setup printed: part of the log, not of what a parser reads.
    """

    __test__ = False

    ending: Ending
    stdout: bytes
    stderr: bytes
    setup_code: int = 0
    setup_log: bytes = b""

    @property
    def log(self) -> bytes:
        """Everything that was printed, errors after output, the setup last."""
        return self.stdout + self.stderr + self.setup_log


def run_tests(
    spec: GradeSpec, tree: ProcessTree, termination: Termination, scripts: str = ""
) -> TestRun:
    """Run `setup_command`, then `test_command`, in the work tree; both share one deadline.

    The output goes to files without a name, so that code under test can spoil only its own.

    Args:
        spec: what to run.
        tree: the processes it becomes.
        termination: tells that the pod is to stop.
        scripts: folder with the task's scripts; empty = it has none.

    Raises:
        OSError: no shell, or it cannot be started.
    """
    ends_at = time.monotonic() + spec.timeout_seconds
    environment = {**os.environ, **spec.env}
    if scripts:
        environment[protocol.ENV_SCRIPTS] = scripts
    memory = MemoryWatch(tree, spec.memory_limit_bytes, local=spec.local)

    def run(text: str) -> TestRun:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            command = Command(
                [_shell(), "-c", text], spec.workdir, environment, out.fileno(), err.fileno()
            )
            watches: List[Watch] = [
                termination.watch,
                memory,
                deadline(ends_at - time.monotonic()),
                output_size(out.fileno(), err.fileno()),
            ]
            ending = supervise(tree, command, watches)
            return TestRun(ending, _content(out.fileno()), _content(err.fileno()))

    return _with_setup(spec, run)


def _with_setup(spec: GradeSpec, run: Callable[[str], TestRun]) -> TestRun:
    if not spec.setup_command:
        return run(spec.test_command)
    setup = run(spec.setup_command)
    if setup.ending.cause:
        return setup
    tests = run(spec.test_command)
    said = b"" if not setup.log else b"--- setup ---\n" + setup.log
    return TestRun(tests.ending, tests.stdout, tests.stderr, setup.ending.returncode, said)


def _shell() -> str:
    return shutil.which("bash") or shutil.which("sh") or "/bin/sh"


def _content(descriptor: int) -> bytes:
    size = min(os.fstat(descriptor).st_size, _MAX_LOG_BYTES)
    return os.pread(descriptor, size, 0)
