"""Which cluster the tests use, and how images come into one that is not ours."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster import reach
from tests.cluster.config import ClusterError
from tests.cluster.reach import Cluster


def an_archive(folder: Path, *names: str) -> Path:
    manifest = json.dumps([{"Config": "c.json", "RepoTags": list(names)}]).encode()
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(manifest)
        tar.addfile(entry, io.BytesIO(manifest))
    return archive


def foreign(*loader: str) -> Cluster:
    return Cluster(Path("kubeconfig"), own=False, busybox="busybox:1", loader=loader)


def test_a_loader_gets_the_archive_and_the_names_in_it_are_told(tmp_path: Path) -> None:
    archive = an_archive(tmp_path, "localhost/one:1", "localhost/two:1")
    taken = tmp_path / "taken"
    cluster = foreign("sh", "-c", f'cp "$1" {taken}', "load")
    assert cluster.loads
    assert cluster.load(archive) == ["localhost/one:1", "localhost/two:1"]
    assert taken.read_bytes() == archive.read_bytes()


def test_a_loader_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    cluster = foreign("sh", "-c", "echo no node answers >&2; exit 1", "load")
    with pytest.raises(ClusterError, match="no node answers"):
        cluster.load(an_archive(tmp_path, "localhost/one:1"))


def test_without_a_loader_the_error_says_what_to_set(tmp_path: Path) -> None:
    cluster = foreign()
    assert not cluster.loads
    with pytest.raises(ClusterError, match=reach.LOAD_VARIABLE):
        cluster.load(an_archive(tmp_path, "localhost/one:1"))


@pytest.mark.parametrize(
    ("context", "installed", "loader"),
    [
        ("kind-bench", True, ("kind", "load", "image-archive", "--name", "bench")),
        ("kind-bench", False, ()),
        ("production", True, ()),
    ],
)
def test_kind_is_known_by_its_context(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    context: str,
    installed: bool,
    loader: tuple[str, ...],
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"kubectl": f"echo {context}", "kind": "exit 0"}.items():
        if name == "kubectl" or installed:
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(reach, "kubectl_program", lambda: None)
    assert reach._kind_loader(tmp_path / "kubeconfig") == loader
