"""Runs git so that only what we say counts: no user or system configuration, hooks, prompts or lazy fetches.

`GIT_DIR` is always given, which also spares the ownership check of newer versions. Two kinds of trust:
`trusted` reads the repository's own configuration (before any agent has run, filters such as LFS must
work); for what an agent may have touched, callers bring a git directory of their own.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import Dict, List, Optional, Sequence

_ALWAYS = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "core.quotePath=true",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "advice.detachedHead=false",
    "-c",
    "protocol.allow=never",
)


class GitError(RuntimeError):
    """A git command failed, or there is no git; the message holds the end of its standard error."""


class Git:
    """git against one git directory and work tree."""

    def __init__(
        self,
        git_dir: str,
        work_tree: str,
        *,
        trusted: bool = False,
        extra: Optional[Dict[str, str]] = None,
    ) -> None:
        self.git_dir = git_dir
        self.work_tree = work_tree
        self._ends_at: Optional[float] = None
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_")
        }
        self._environment.update(
            GIT_DIR=git_dir,
            GIT_WORK_TREE=work_tree,
            GIT_TERMINAL_PROMPT="0",
            GIT_NO_LAZY_FETCH="1",
            GIT_OPTIONAL_LOCKS="0",
            GIT_NO_REPLACE_OBJECTS="1",
            LC_ALL="C",
        )
        if not trusted:
            # Versions before 2.32 know no GIT_CONFIG_GLOBAL; an empty home works with all.
            self._environment.update(
                GIT_CONFIG_NOSYSTEM="1",
                GIT_CONFIG_GLOBAL=os.devnull,
                HOME=git_dir,
                XDG_CONFIG_HOME=git_dir,
                GIT_ATTR_NOSYSTEM="1",
            )
        self._environment.update(extra or {})

    def run(
        self,
        *words: str,
        data: Optional[bytes] = None,
        check: bool = True,
        timeout_seconds: float = 600.0,
        stdout: int = subprocess.PIPE,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a git command in the work tree.

        Raises:
            GitError: there is no git, it took too long, or (with `check`) it failed.
        """
        program = shutil.which("git")
        if program is None:
            raise GitError("the image has no git")
        if self._ends_at is not None:
            left = self._ends_at - time.monotonic()
            timeout_seconds = max(0.0, min(timeout_seconds, left))
        try:
            done = self._finished([program, *_ALWAYS, *words], data, timeout_seconds, stdout)
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {words[0]} took more than {timeout_seconds:.0f} s") from error
        except OSError as error:
            raise GitError(f"git {words[0]}: {error}") from error
        if check and done.returncode:
            detail = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise GitError(f"git {words[0]} exited with {done.returncode}: {detail}")
        return done

    def limit_to(self, seconds: float) -> None:
        """From now on all commands together may take `seconds`."""
        self._ends_at = time.monotonic() + seconds

    def _finished(
        self, command: Sequence[str], data: Optional[bytes], timeout_seconds: float, stdout: int
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run to the end or the time limit, with all that it starts: an agent may have put its own git here."""
        process = subprocess.Popen(
            command,
            cwd=self.work_tree,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            try:
                output, errors = process.communicate(data or b"", timeout=timeout_seconds)
            except BaseException:  # raised again below
                with suppress(ProcessLookupError):  # it has ended
                    os.killpg(process.pid, signal.SIGKILL)
                for pipe in (process.stdin, process.stdout, process.stderr):
                    if pipe is not None:
                        pipe.close()  # what has left the session may hold the other end
                raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def text(self, *words: str) -> str:
        """The standard output of a command, stripped."""
        return self.run(*words).stdout.decode("utf-8", "surrogateescape").strip()

    def names(self, *words: str) -> List[str]:
        """The NUL-separated output of a command that was given -z."""
        output = self.run(*words).stdout.decode("utf-8", "surrogateescape")
        return [name for name in output.split("\0") if name]


def available() -> bool:
    """Whether there is a git to run."""
    return shutil.which("git") is not None


def resolve_git_dir(path: str) -> str:
    """The directory behind `path`, which is a `.git` directory or a file that points to one.

    Raises:
        GitError: there is neither.
    """
    if os.path.isdir(path):
        return os.path.realpath(path)
    try:
        with open(path) as source:
            word, _, target = source.read(4096).strip().partition(": ")
    except OSError as error:
        raise GitError(f"{path}: no git repository ({error.strerror})") from error
    if word != "gitdir":
        raise GitError(f"{path}: no git repository")
    return os.path.realpath(os.path.join(os.path.dirname(path), target))


def encode_names(names: Sequence[str]) -> bytes:
    """Names for a command that reads them with -z."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)
