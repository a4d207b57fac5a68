"""Brings the whole cluster up and down: the order of the steps, and nothing left behind."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import (
    api,
    build,
    certs,
    cleanup,
    components,
    dns_service,
    images,
    network,
    packages,
    processes,
    settings,
)
from tests.cluster.config import (
    BUSYBOX_IMAGE,
    NODE_ADDRESS,
    NODE_NAME,
    PAUSE_IMAGE,
    ClusterError,
    Paths,
    paths,
    require_root,
)
from tests.cluster.processes import wait_for

_READY_MARK = "up"
_STARTS = 5
_API_SECONDS = 90.0
_NODE_SECONDS = 90.0


def prepare(where: Paths) -> None:
    """Install packages and build programs: everything `up` needs beforehand."""
    packages.ensure(packages.CLUSTER_PROGRAMS)
    build.ensure(build.KUBERNETES)
    if where.image_volumes:
        build.ensure(build.CONTAINERD)


def up(where: Paths | None = None) -> bool:
    """Bring the cluster up and wait until pods can run; return False when it was up already.

    Raises:
        ClusterError: A step failed; the message holds the end of the failing component's log.
    """
    where = where or paths()
    require_root("run a test cluster")
    with _lock(where):
        if is_up(where):
            return False
        prepare(where)
        if (where.root / "run").exists() and not _certificates_complete(where):
            cleanup.remove_everything(where)
        _lay_out(where)
        network.make(where)
        settings.write_all(where)
        if not _certificates_complete(where):
            certs.make_all(where)
            (where.pki / "complete").touch()
        for name in ("log-keeper", "etcd", "containerd"):
            start_component(name, where)
        _load_own_images(where)
        start_component("apiserver", where)
        for name in components.LISTENS:
            _launch(name, where)
        for name in components.LISTENS:
            start_component(name, where)
        start_component("dns", where)
        _wait_until_usable(where)
        (where.run / _READY_MARK).touch()
    return True


def down(where: Paths | None = None) -> bool:
    """Stop the cluster and remove all it made; return False when there was nothing to remove."""
    where = where or paths()
    require_root("take the test cluster down")
    if not where.root.exists():
        return False
    with _lock(where):
        cleanup.remove_everything(where)
    return True


def is_up(where: Paths) -> bool:
    """Return whether every component runs and the API server is ready."""
    if not (where.run / _READY_MARK).exists():
        return False
    running = all(processes.running_pid(where, name) for name in components.ORDER)
    return running and api.ready(api.Api(where))


def start_component(name: str, where: Paths | None = None) -> int:
    """Start one component (see `components.ORDER`), wait until it serves, and return its pid.

    Fault tests pair it with `stop_component`. A running component is left as it is.
    """
    where = where or paths()
    for chance in reversed(range(_STARTS)):
        pid = _launch(name, where)
        if not wait_for(lambda: _serves(where, name) or _died(where, name), _API_SECONDS):
            raise ClusterError(f"{name} does not become ready:\n{processes.log_tail(where, name)}")
        if not _died(where, name):
            break
        if not chance:
            raise ClusterError(f"{name} ended at once:\n{processes.log_tail(where, name)}")
        # A killed predecessor may hold its address for a moment longer.
        wait_for(lambda: False, 1.0)
    if name == "apiserver" and processes.running_pid(where, "kube-proxy"):
        _renew_proxy(where)
    return pid


def _renew_proxy(where: Paths) -> None:
    """Make kube-proxy write all its rules anew.

    A stopping API server takes itself out of the service `kubernetes` and a starting one comes back; when
    both fall into one clean-up period kube-proxy 1.34 leaves that endpoint's nftables chain empty, even
    after its own restart: pods then get "no route to host". Without its tables it must write everything.
    """
    stop_component("kube-proxy", where)
    for family in ("ip", "ip6"):
        command = ["nft", "delete", "table", family, "kube-proxy"]
        subprocess.run(command, capture_output=True, check=False)
    _launch("kube-proxy", where)


def stop_component(name: str, where: Paths | None = None, *, kill: bool = False) -> bool:
    """Stop one component; return whether it ran. With `kill` it gets SIGKILL, as in a crash."""
    where = where or paths()
    if name not in components.ORDER:
        raise ClusterError(f"no component {name!r}; there are {', '.join(components.ORDER)}")
    return processes.stop(where, name, stop_seconds=components.STOP_SECONDS, kill=kill)


def _launch(name: str, where: Paths) -> int:
    folder = build.folder(build.KUBERNETES) / "bin"
    return processes.start(where, components.component(where, folder, name))


def _serves(where: Paths, name: str) -> bool:
    if name == "etcd":
        return _accepts(components.etcd_socket(where))
    if name == "containerd":
        return _accepts(where.containerd_socket)
    if name == "apiserver":
        return api.ready(api.Api(where))
    if name in components.LISTENS:
        return _listens(components.LISTENS[name])
    return True


def _died(where: Paths, name: str) -> bool:
    return processes.running_pid(where, name) is None


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((NODE_ADDRESS, port), timeout=1.0):
            return True
    except OSError:
        return False


def _load_own_images(where: Paths) -> None:
    have = images.image_names(where)
    for name, archive in (
        (PAUSE_IMAGE, images.pause_image),
        (BUSYBOX_IMAGE, images.busybox_image),
    ):
        if name not in have:
            images.import_image(where, archive())


def _wait_until_usable(where: Paths) -> None:
    client = api.Api(where)
    dns_service.ensure(client)
    for what, name, condition in (
        ("the node is not Ready", "kubelet", lambda: api.node_ready(client, NODE_NAME)),
        (
            "the default service account is missing",
            "controller-manager",
            lambda: api.default_account_ready(client),
        ),
    ):
        if not wait_for(condition, _NODE_SECONDS):
            raise ClusterError(f"{what}; log:\n{processes.log_tail(where, name)}")


def _lay_out(where: Paths) -> None:
    where.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    for folder in (where.run, where.logs, where.config):
        folder.mkdir(exist_ok=True)
    where.etcd.mkdir(mode=0o700, exist_ok=True)
    cleanup.note_what_is_there(where)


def _certificates_complete(where: Paths) -> bool:
    return (where.pki / "complete").exists()


@contextmanager
def _lock(where: Paths) -> Iterator[None]:
    # The parent folder is locked: it outlives `down`, and no lock file stays behind.
    where.root.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(where.root.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
