"""What is kept of a launch, whatever the agent and the tests have left in the way."""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchwarden.artifacts import keeping
from benchwarden.artifacts.keeping import Launch, keep
from benchwarden.artifacts.manifest import Manifest
from benchwarden.artifacts.storage import FolderStorage
from benchwarden.manifests.archive import tar_gz
from benchwarden.planning.plan import Member
from benchwarden_runner.redaction import Redactor

SECRET = "canary-storage-key-41f7"
FILES = {
    "work": {"transcript.jsonl": b"{}\n", "stream.jsonl": b"{}\n", "agent.patch": b"diff\n"},
    "logs": {"test.log": b"1 passed\n", "SHA256SUMS": b"abc  test.log\n"},
}


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    for folder, files in FILES.items():
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_bytes(content)
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "agent.tgz").write_bytes(tar_gz({"prompt.txt": b"Fix it."}))
    return Launch(Member("a", 0, 1), tmp_path / "work", tmp_path / "logs", tmp_path / "inputs")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def kept(launch: Launch, target: Path) -> Manifest:
    redactor = Redactor({"AWS_SECRET_ACCESS_KEY": SECRET})
    return keep(launch, FolderStorage(target), "run", redactor)


def reasons(manifest: Manifest) -> dict[str, str]:
    return {each.name: each.reason for each in manifest.left_out}


def test_everything_is_kept_with_its_digest_and_listed(launch: Launch, target: Path) -> None:
    manifest = kept(launch, target)

    assert {each.kind for each in manifest.files} == {
        *("prompt", "transcript", "stream", "patch", "test-log", "sums")
    }
    for each in manifest.files:
        content = (target / "run" / each.name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (each.sha256, each.bytes)
    assert Manifest.from_json((target / "run" / "manifest.json").read_bytes()) == manifest
    assert (target / "run" / "prompt.txt").read_bytes() == b"Fix it."


def test_a_launch_cut_short_keeps_what_there_is(launch: Launch, target: Path) -> None:
    (launch.logs / "test.log").unlink()
    (launch.work / "agent.patch").unlink()

    assert {each.kind for each in kept(launch, target).files} == {
        *("prompt", "transcript", "stream", "sums")
    }


def link_to_a_secret(path: Path) -> None:
    secret = path.parent.parent / "secret"
    secret.write_text(SECRET)
    path.symlink_to(secret)


def link_to_another_launch(path: Path) -> None:
    path.symlink_to("../logs/test.log")


def named_pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    "trick", [link_to_a_secret, link_to_another_launch, named_pipe, folder, listening_socket]
)
def test_what_is_no_regular_file_is_left_out_and_not_followed(
    launch: Launch, target: Path, trick: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(launch.work)
    (launch.work / "stream.jsonl").unlink()
    trick(launch.work / "stream.jsonl")

    manifest = kept(launch, target)

    assert "stream.jsonl" in reasons(manifest)
    assert not (target / "run" / "stream.jsonl").exists()
    assert "transcript" in {each.kind for each in manifest.files}


def test_a_file_beyond_the_cap_is_left_out(
    launch: Launch, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MAX_BYTES", 100)
    (launch.logs / "test.log").write_bytes(b"x" * 101)

    assert "larger than" in reasons(kept(launch, target))["test.log"]


def test_the_storages_own_keys_are_redacted(launch: Launch, target: Path) -> None:
    (launch.logs / "test.log").write_text(f"env: {SECRET}\n")

    manifest = kept(launch, target)

    assert (target / "run" / "test.log").read_text() == "env: [redacted AWS_SECRET_ACCESS_KEY]\n"
    log = next(each for each in manifest.files if each.kind == "test-log")
    assert log.sha256 == hashlib.sha256((target / "run" / "test.log").read_bytes()).hexdigest()


def test_a_damaged_input_costs_only_the_prompt(launch: Launch, target: Path) -> None:
    (launch.inputs / "agent.tgz").write_bytes(b"no archive")

    manifest = kept(launch, target)

    assert list(reasons(manifest)) == ["prompt.txt"]
    assert len(manifest.files) == 5


def test_the_same_launch_again_replaces_what_was_kept(launch: Launch, target: Path) -> None:
    first = kept(launch, target)
    before = launch.fingerprint()
    (launch.logs / "test.log").write_bytes(b"2 passed\n")

    assert launch.fingerprint() != before
    assert kept(launch, target) != first
    assert (target / "run" / "test.log").read_bytes() == b"2 passed\n"
    assert sorted(path.name for path in (target / "run").iterdir()) == sorted(
        [*FILES["work"], *FILES["logs"], "prompt.txt", "manifest.json"]
    )
