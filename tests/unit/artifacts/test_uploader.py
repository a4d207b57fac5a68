"""The uploader: when it uploads, what it does when that fails, and its last word."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchwarden import names
from benchwarden.artifacts import uploader as module
from benchwarden.artifacts.assignment import Assignment, Destination
from benchwarden.artifacts.uploader import Uploader, in_child, launches_of
from benchwarden.artifacts.word import decode
from benchwarden.manifests.archive import tar_gz
from benchwarden.planning.plan import Member

NO = Destination(folder="/nowhere")


class Pod:
    """Folders of a pod with some launches, and an upload that can be told to fail."""

    def __init__(self, root: Path, size: int = 2) -> None:
        self.root = root
        self.size = size
        self.seconds = 0.0
        self.error = ""
        self.uploaded: list[int] = []
        for folder in ("work", "logs", "inputs"):
            for position in range(size):
                (root / folder / str(position)).mkdir(parents=True)
        for position in range(size):
            archive = tar_gz({"prompt.txt": b"Fix it."})
            (root / "inputs" / str(position) / "agent.tgz").write_bytes(archive)
        assignment = Assignment(NO, "n/r/u", self.members)
        launches = launches_of(assignment, root / "work", root / "logs", root / "inputs")
        self.uploader = Uploader(launches, self._upload, clock=lambda: self.seconds)

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(Member(f"i{number}", 0, 1) for number in range(self.size))

    def _upload(self, position: int, seconds: float) -> str:
        assert seconds > 0
        self.uploaded.append(position)
        return self.error

    def agent_ends(self, position: int) -> None:
        (self.root / "work" / str(position) / "agent.patch").write_text("diff")

    def grader_ends(self, position: int, sums: str = "abc  test.log") -> None:
        self.agent_ends(position)
        (self.root / "logs" / str(position) / "test.log").write_text("passed")
        (self.root / "logs" / str(position) / "SHA256SUMS").write_text(sums)


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def test_a_launch_is_uploaded_once_when_its_grader_is_through(pod: Pod) -> None:
    pod.uploader.look()
    pod.agent_ends(0)
    pod.uploader.look()
    assert pod.uploaded == []

    pod.grader_ends(0)
    pod.uploader.look()
    pod.uploader.look()
    assert pod.uploaded == [0]


def test_what_a_failed_batch_left_is_uploaded_at_its_end(pod: Pod) -> None:
    pod.grader_ends(0)
    pod.uploader.look()
    pod.agent_ends(1)

    pod.uploader.finish(10)

    assert pod.uploaded == [0, 1]
    assert pod.uploader.word() == pod.uploader.word().__class__(kept=2)


def test_false_digests_left_early_do_not_hide_the_true_ones(pod: Pod) -> None:
    pod.grader_ends(0, sums="forged")
    pod.uploader.look()
    pod.grader_ends(0, sums="the grader's own")
    pod.uploader.look()

    assert pod.uploaded == [0, 0]


def test_whoever_forges_without_end_is_followed_only_so_far_and_once_at_the_end(pod: Pod) -> None:
    for number in range(50):
        pod.grader_ends(0, sums="x" * (number + 1))
        pod.uploader.look()
    assert len(pod.uploaded) == 8

    pod.uploader.finish(10)
    assert len(pod.uploaded) == 9


def test_a_failure_is_tried_again_after_a_while_and_told_at_the_end(pod: Pod) -> None:
    pod.error = "no such bucket"
    pod.grader_ends(0)
    pod.uploader.look()
    pod.uploader.look()
    assert pod.uploaded == [0]

    pod.seconds += 60
    pod.uploader.look()
    assert pod.uploaded == [0, 0]

    pod.uploader.finish(10)
    said = pod.uploader.word()
    assert (said.kept, said.failed, said.error) == (0, 1, "i0: no such bucket")


def test_a_failure_that_passes_is_none(pod: Pod) -> None:
    pod.error = "connection refused"
    pod.grader_ends(0)
    pod.uploader.look()
    pod.error = ""

    pod.uploader.finish(10)

    assert (pod.uploader.word().kept, pod.uploader.word().failed) == (1, 0)


def test_launches_without_time_left_are_said_to_be_lost(pod: Pod) -> None:
    pod.grader_ends(1)

    pod.uploader.finish(0)

    assert pod.uploaded == []
    assert pod.uploader.word().error == "i1: no time was left to upload it"


def child(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_childs_last_line_is_the_reason() -> None:
    code = "import sys; print('noise\\nno such bucket', file=sys.stderr); sys.exit(1)"
    upload = in_child(child(code), threading.Event())

    assert upload(0, 20) == "no such bucket"
    assert in_child(child("pass"), threading.Event())(0, 20) == ""
    assert "-9" in in_child(child("import os; os.kill(os.getpid(), 9)"), threading.Event())(0, 20)


def test_a_hanging_upload_ends_with_its_time() -> None:
    upload = in_child(child("import time; time.sleep(600)"), threading.Event())

    began = time.monotonic()
    assert upload(0, 0.5) == "not done within 0 s"
    assert time.monotonic() - began < 10


def test_a_hanging_upload_hurries_when_the_pod_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HURRY_SECONDS", 0.3)
    stop = threading.Event()
    upload = in_child(child("import time; time.sleep(600)"), stop)
    threading.Timer(0.3, stop.set).start()

    began = time.monotonic()
    assert "not done" in upload(0, 600)
    assert time.monotonic() - began < 20


def run_sidecar(pod: Pod, destination: Path) -> tuple[subprocess.Popen[bytes], Path]:
    message = pod.root / "message"
    message.touch()
    assignment = Assignment(Destination(folder=str(destination)), "n/r/u", pod.members)
    folders = [f"--{name}={pod.root / name}" for name in ("work", "logs", "inputs")]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "benchwarden.artifacts", *folders),
            *("--message", str(message), "--settle-seconds", "1"),
        ],
        env={names.ENV_UPLOAD: assignment.to_json(), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
    )
    return process, message


def await_file(path: Path) -> None:
    ends_at = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < ends_at, path
        time.sleep(0.05)


def test_the_real_sidecar_uploads_while_it_runs_and_ends_well_when_told_to(pod: Pod) -> None:
    process, message = run_sidecar(pod, pod.root / "target")
    pod.grader_ends(0)
    await_file(pod.root / "target/n/r/u/i0/trial-0/launch-1/manifest.json")
    process.terminate()
    pod.agent_ends(1)  # told to stop like the uploader, it leaves what it has

    assert process.wait(30) == 0
    said = decode(message.read_text())
    assert said is not None
    assert (said.kept, said.failed) == (2, 0)
    patch = pod.root / "target/n/r/u/i1/trial-0/launch-1/agent.patch"
    assert patch.read_text() == "diff"
    process.stderr.close()  # type: ignore[union-attr]  # it is a pipe


def test_the_real_sidecar_ends_well_though_nothing_can_be_stored(pod: Pod) -> None:
    (pod.root / "target").write_text("a file where a folder should be")
    pod.grader_ends(0)
    process, message = run_sidecar(pod, pod.root / "target")
    assert process.stderr is not None
    assert b"i0" in process.stderr.readline()
    process.terminate()

    assert process.wait(30) == 0
    said = decode(message.read_text())
    assert said is not None
    assert (said.kept, said.failed) == (0, 1)
    assert "i0" in said.error
    process.stderr.close()
