"""The parts of the test cluster that need no cluster."""

from __future__ import annotations

import json
import socket
import struct
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cluster import (
    build,
    config,
    dns_server,
    dockerfile,
    images,
    log_keeper,
    processes,
    reading,
)

SERVICES = {("api", "shop"): ["198.19.0.7"], ("peers", "shop"): ["198.18.0.2", "198.18.0.3"]}


def a_query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", 77, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def ask(name: str, kind: int = 1) -> tuple[int, Sequence[str]]:
    response = dns_server.answer(a_query(name, kind), lambda *key: SERVICES.get(key))
    assert response is not None
    number, flags, questions, answers, _, _ = struct.unpack_from("!6H", response)
    assert (number, questions) == (77, 1)
    records = response[len(a_query(name, kind)) :]
    addresses = [socket.inet_ntoa(records[16 * i + 12 : 16 * i + 16]) for i in range(answers)]
    return flags & 0xF, addresses


@pytest.mark.parametrize(
    ("name", "code", "addresses"),
    [
        ("api.shop.svc.cluster.local", 0, ["198.19.0.7"]),
        ("API.Shop.svc.cluster.local", 0, ["198.19.0.7"]),
        ("peers.shop.svc.cluster.local", 0, ["198.18.0.2", "198.18.0.3"]),
        ("other.shop.svc.cluster.local", 3, []),
        ("api.shop.svc.cluster.local.svc.cluster.local", 3, []),
        ("example.test", 3, []),
    ],
)
def test_only_service_names_have_addresses(name: str, code: int, addresses: list[str]) -> None:
    assert ask(name) == (code, addresses)


def test_a_service_without_the_wanted_record_type_exists_all_the_same() -> None:
    assert ask("api.shop.svc.cluster.local", kind=28) == (0, [])


@pytest.mark.parametrize("length", range(len(a_query("api.shop.svc.cluster.local"))))
def test_a_cut_query_is_not_answered(length: int) -> None:
    query = a_query("api.shop.svc.cluster.local")[:length]
    assert dns_server.answer(query, lambda *_: ["198.19.0.7"]) is None


def test_a_log_over_its_limit_keeps_its_newest_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("".join(f"line {i:04}\n" for i in range(100)))
    assert log_keeper.trim(log, 500)
    first, *kept = log.read_text().splitlines()
    assert "cut" in first
    assert kept == [f"line {i:04}" for i in range(100 - len(kept), 100)]
    assert len(kept) == 24


def test_a_log_under_its_limit_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("short\n")
    assert not log_keeper.trim(log, 500)
    assert log.read_text() == "short\n"


def test_the_same_folder_gives_the_same_image(tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs"
    (rootfs / "etc").mkdir(parents=True)
    (rootfs / "etc/mark").write_text("x")
    archives = []
    for i in range(2):
        (rootfs / "etc/mark").touch()
        target = tmp_path / f"{i}.tar"
        archives.append(images.image_from_directory("localhost/it:1", rootfs, {}, target))
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        [entry] = json.load(manifest)
    assert entry["RepoTags"] == ["localhost/it:1"]


def test_a_build_step_gets_the_machines_pip_settings(tmp_path: Path) -> None:
    system = tmp_path / "pip.conf"
    system.write_text("[global]\ncert = /somewhere/bundle.crt\n")
    given = dockerfile.pip_settings({"PIP_RETRIES": "7", "HOME": "/x"}, system)
    assert f"cert = {dockerfile.CA_BUNDLE}" in given
    assert "retries = 7" in given
    assert "HOME" not in given


def test_a_binary_that_was_changed_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHWARDEN_CACHE", str(tmp_path))
    where = build.folder(build.KWOK)
    (where / "bin").mkdir(parents=True)
    program = where / "bin/kwok"
    program.write_text("good")
    (where / build.MANIFEST).write_text(f"{build.file_sha256(program)}  kwok\n")
    assert build.binaries(build.KWOK) == where / "bin"
    program.write_text("changed")
    assert build.binaries(build.KWOK) is None


def test_a_pid_that_another_process_took_over_is_not_ours(tmp_path: Path) -> None:
    where = config.Paths(tmp_path)
    sleeper = processes.Component("sleeper", ("sleep", "60"), tmp_path)
    pid = processes.start(where, sleeper)
    assert processes.running_pid(where, "sleeper") == pid
    note = processes.pidfile(where, "sleeper")
    kept = note.read_text()
    note.write_text(json.dumps({**json.loads(kept), "started": "1"}))
    assert processes.running_pid(where, "sleeper") is None
    note.write_text(kept)
    assert processes.stop(where, "sleeper")
    assert processes.running_pid(where, "sleeper") is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("crd", "benchmarkruns"),
        ("pods", "-A"),
        ("pods", "one", "two"),
        ("pods,jobs", "one"),
        ("pods", "one", "-l", "a=b"),
        ("pods", "--show-managed-fields"),
        (),
    ],
    ids=" ".join,
)
def test_a_look_that_is_not_understood_is_left_to_kubectl(arguments: tuple[str, ...]) -> None:
    assert reading.parsed(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        (("pod", "one"), ["/api/v1/namespaces/here/pods/one"]),
        (
            ("jobs,pods", "-l", "a=b,c"),
            [
                "/apis/batch/v1/namespaces/here/jobs?labelSelector=a%3Db%2Cc",
                "/api/v1/namespaces/here/pods?labelSelector=a%3Db%2Cc",
            ],
        ),
    ],
    ids=["by name", "by label"],
)
def test_a_look_asks_each_kind_where_it_is_served(
    arguments: tuple[str, ...], paths: list[str]
) -> None:
    look = reading.parsed(arguments)
    assert look is not None
    assert look.paths("here") == paths
