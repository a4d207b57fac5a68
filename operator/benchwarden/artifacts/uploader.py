"""The uploader's process: waits with almost no memory, and has a child do each upload within a time limit.

A launch is uploaded as soon as its grader has left its digests, and whatever else is there when the pod is told
to stop. Code under test could leave false digests early, so a launch whose files changed since is uploaded again.
Nothing that goes wrong here ends the pod: it is said in the termination message and the run's condition.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchwarden.artifacts import layout
from benchwarden.artifacts.assignment import Assignment
from benchwarden.artifacts.keeping import Launch, keep
from benchwarden.artifacts.storage import open_storage
from benchwarden.artifacts.word import Word
from benchwarden.errors import BenchwardenError
from benchwarden_runner.redaction import Redactor

UPLOAD_SECONDS: Final = 120.0
# Together within the pod's grace period:
HURRY_SECONDS: Final = 8.0  # for the upload that runs when the pod is told to stop
SETTLE_SECONDS: Final = (
    5.0  # for an agent at work: it is told at the same time and leaves what it has
)
LAST_SECONDS: Final = 15.0  # for all that are left
_LOOK_EVERY_SECONDS: Final = 1.0
_WAIT_AFTER_FAILURE_SECONDS: Final = 15.0
_MOST_UPLOADS: Final = (
    8  # of one launch, before the last: whoever changes files in a loop is not followed
)

Fingerprint = tuple[tuple[str, int, int, int], ...]
Upload = Callable[[int, float], str]
"""Uploads the launch at a position within so many seconds; returns what went wrong, or an empty string."""


@dataclass(slots=True)
class Uploader:
    """Watches the launches of one pod.

    Attributes:
        done: fingerprint of each position when it was uploaded.
        errors: what went wrong last, by position.
    """

    launches: Sequence[Launch]
    upload: Upload
    clock: Callable[[], float] = time.monotonic
    done: dict[int, Fingerprint] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    _uploads: Counter[int] = field(default_factory=Counter)
    _not_before: dict[int, float] = field(default_factory=dict)

    def run(self, stop: threading.Event, settle_seconds: float = SETTLE_SECONDS) -> Word:
        """Work until `stop` is set, then upload the rest."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOK_EVERY_SECONDS)
        if not all(launch.through() for launch in self.launches):
            time.sleep(settle_seconds)
        self.finish(LAST_SECONDS)
        return self.word()

    def look(self) -> None:
        """Upload what is through and not uploaded yet."""
        for position, launch in enumerate(self.launches):
            if not launch.through() or self._uploads[position] >= _MOST_UPLOADS:
                continue
            if self.clock() >= self._not_before.get(position, 0.0):
                self._bring(position, UPLOAD_SECONDS)

    def finish(self, seconds: float) -> None:
        """Upload whatever is there, through or not, as far as the time goes."""
        ends_at = self.clock() + seconds
        for position in range(len(self.launches)):
            left = ends_at - self.clock()
            if left > 0:
                self._bring(position, left)
            elif self._changed(position):
                self.errors[position] = "no time was left to upload it"

    def word(self) -> Word:
        """What there is to say at the end."""
        first = min(self.errors, default=None)
        error = ""
        if first is not None:
            error = f"{self.launches[first].member.instance}: {self.errors[first]}"
        kept = len(self.done.keys() - self.errors.keys())
        return Word(kept, len(self.errors), error)

    def _changed(self, position: int) -> Fingerprint:
        """The files' present state if it is not the one uploaded; else empty."""
        found = self.launches[position].fingerprint()
        return () if found == self.done.get(position, ()) else found

    def _bring(self, position: int, seconds: float) -> None:
        changed = self._changed(position)
        if not changed:
            return
        self._uploads[position] += 1
        try:
            error = self.upload(position, min(seconds, UPLOAD_SECONDS))
        except OSError as failure:
            error = str(failure)
        if error:
            self.errors[position] = error
            self._not_before[position] = self.clock() + _WAIT_AFTER_FAILURE_SECONDS
            print(f"{self.launches[position].member}: {error}", file=sys.stderr, flush=True)
            return
        self.errors.pop(position, None)
        self.done[position] = changed
        print(f"{self.launches[position].member}: uploaded", flush=True)


def in_child(command: Sequence[str], stop: threading.Event) -> Upload:
    """An upload by a child process, whose memory goes when it ends and whose hanging does not last.

    Args:
        command: the child's command line, without the position.
        stop: once it is set, a running upload has to hurry.
    """

    def upload(position: int, seconds: float) -> str:
        # In memory: the root file system is read-only.
        with os.fdopen(os.memfd_create("errors"), "w+b") as errors:
            child = subprocess.Popen(
                [*command, str(position)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            if not _ended(child, seconds, stop):
                return f"not done within {seconds:.0f} s"
            if child.returncode == 0:
                return ""
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").strip().splitlines()
            return (lines or [f"ended with {child.returncode}"])[-1][-500:]

    return upload


def _ended(child: "subprocess.Popen[bytes]", seconds: float, stop: threading.Event) -> bool:
    """Whether the child ended by itself in time; it is gone in any case."""
    stopping = stop.is_set()
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        try:
            child.wait(_LOOK_EVERY_SECONDS / 4)
        except subprocess.TimeoutExpired:
            if stop.is_set() and not stopping:
                stopping, ends_at = True, min(ends_at, time.monotonic() + HURRY_SECONDS)
        else:
            return True
    child.kill()
    child.wait()
    return False


def upload_one(
    assignment: Assignment, launch: Launch, environment: Mapping[str, str]
) -> dict[str, object]:
    """Bring one launch to its place; returns what to say.

    Raises:
        BenchwardenError: there is no storage to bring it to; OSError: it cannot be brought there.
    """
    storage = open_storage(assignment.destination, environment)
    folder = f"{assignment.run}/{layout.launch_folder(launch.member)}"
    manifest = keep(launch, storage, folder, Redactor(environment))
    return {"kept": len(manifest.files), "leftOut": [each.name for each in manifest.left_out]}


def launches_of(assignment: Assignment, work: Path, logs: Path, inputs: Path) -> tuple[Launch, ...]:
    """The launches of a pod, by position."""
    return tuple(
        Launch(member, work / str(at), logs / str(at), inputs / str(at))
        for at, member in enumerate(assignment.members)
    )


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def child_main(assignment: Assignment, launch: Launch, environment: Mapping[str, str]) -> int:
    """One upload, as the child does it."""
    try:
        said = upload_one(assignment, launch, environment)
    except (BenchwardenError, OSError) as error:
        text = Redactor(environment).text(" ".join(str(error).split()))
        print(text, file=sys.stderr, flush=True)
        return 1
    print(json.dumps(said), flush=True)
    return 0
