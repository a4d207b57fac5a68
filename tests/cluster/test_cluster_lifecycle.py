"""`down` leaves nothing behind. Runs only where no cluster is up, because it takes one down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import cleanup, config, lifecycle, network, reach
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl

pytestmark = pytest.mark.cluster

MESSY_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "messy", "namespace": "default"},
    "spec": {
        "volumes": [{"name": "memory", "emptyDir": {"medium": "Memory"}}],
        "containers": [
            {
                "name": "main",
                "image": config.BUSYBOX_IMAGE,
                "command": ["sh", "-c", "trap '' TERM; while true; do sleep 1000; done"],
                "volumeMounts": [{"name": "memory", "mountPath": "/dev/shm", "subPath": "0"}],
            }
        ],
    },
}


def lines_of(*command: str) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def what_the_machine_holds() -> dict[str, object]:
    settings = {}
    for key in network.CHANGED_SYSCTLS:
        path = Path("/proc/sys") / key
        settings[key] = path.read_text() if path.exists() else None
    state = str(config.state_dir())
    running = [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and names_it(entry, state.encode() + b"/")
    ]
    return {
        "mounts": {line.split()[4] for line in open_text("/proc/self/mountinfo").splitlines()},
        "links": {entry.name for entry in Path("/sys/class/net").iterdir()},
        "addresses": lines_of("ip", "-o", "-4", "address"),
        "routes": lines_of("ip", "-4", "route", "show", "table", "all"),
        "namespaces": lines_of("ip", "netns"),
        "tables": lines_of("nft", "list", "tables"),
        "cgroups": cleanup.pod_cgroups(),
        "settings": settings,
        "processes": running,
        "outside": [place for place in cleanup.OUTSIDE if Path(place).exists()],
        "folder": config.state_dir().exists(),
    }


def open_text(path: str) -> str:
    return Path(path).read_text()


def names_it(process: Path, word: bytes) -> bool:
    try:
        return word in (process / "cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture
def no_cluster() -> Iterator[None]:
    if reach.skipped():
        pytest.skip(f"{reach.SKIP_VARIABLE} is set")
    if config.state_dir().exists():
        pytest.skip("a cluster is up: take it down first to run this test")
    try:
        lifecycle.prepare(config.paths())
    except ClusterError as error:
        pytest.fail(f"no cluster ({reach.SKIP_VARIABLE}=1 skips these tests): {error}")
    yield
    lifecycle.down()


def test_down_leaves_nothing_behind(no_cluster: None) -> None:
    before = what_the_machine_holds()
    assert lifecycle.up()
    kubectl = Kubectl(config.paths().kubeconfig)
    kubectl.apply(MESSY_POD)
    kubectl.wait_until(["pod", "messy"], lambda pod: pod["status"].get("phase") == "Running")
    during = what_the_machine_holds()
    assert all(during[what] != before[what] for what in ("mounts", "links", "tables", "cgroups"))
    assert lifecycle.down()
    after = what_the_machine_holds()
    assert {what: after[what] for what in after if after[what] != before[what]} == {}


def test_down_works_when_parts_have_crashed(no_cluster: None) -> None:
    before = what_the_machine_holds()
    assert lifecycle.up()
    kubectl = Kubectl(config.paths().kubeconfig)
    kubectl.apply(MESSY_POD)
    kubectl.wait_until(["pod", "messy"], lambda pod: pod["status"].get("phase") == "Running")
    for name in ("containerd", "apiserver", "etcd"):
        assert lifecycle.stop_component(name, kill=True)
    assert lifecycle.down()
    after = what_the_machine_holds()
    assert {what: after[what] for what in after if after[what] != before[what]} == {}


def test_up_repairs_a_cluster_whose_store_crashed(no_cluster: None) -> None:
    assert lifecycle.up()
    kubectl = Kubectl(config.paths().kubeconfig)
    kubectl.run("create", "configmap", "kept")
    assert lifecycle.stop_component("etcd", kill=True)
    assert lifecycle.up()
    assert json.loads(kubectl.run("get", "configmap", "kept", "-o", "json"))["metadata"]["name"]
