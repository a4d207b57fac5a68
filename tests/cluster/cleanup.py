"""Removes every trace of the cluster: containers, mounts, links, cgroups and stray folders."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import components, images, network, processes
from tests.cluster.config import ClusterError, Paths

CGROUPS = Path("/sys/fs/cgroup")
SHIM_SOCKETS = Path("/run/containerd/s")

# Places outside the state folder that kubelet, containerd and the network plugins insist on.
OUTSIDE = (
    "/run/containerd",
    "/run/mount",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/lib/kubelet/device-plugins",
    "/var/log/containers",
    "/var/log/pods",
    "/opt/containerd",
)
_NOTE = "before.json"
_ATTEMPTS = 50
_MNT_DETACH = 2


def note_what_is_there(where: Paths) -> None:
    """Note which outside places exist before the cluster, so that `down` leaves those alone.

    Raises:
        ClusterError: Another kubelet manages pods on this machine.
    """
    note = where.run / _NOTE
    if note.exists():
        return
    if pod_cgroups():
        raise ClusterError("another kubelet runs on this machine: there is a cgroup `kubepods`")
    note.write_text(json.dumps([place for place in OUTSIDE if Path(place).exists()]))


def remove_everything(where: Paths) -> None:
    """Stop the components and remove all they and their pods left on this machine."""
    for name in ("dns", "kubelet", "kube-proxy", "scheduler", "controller-manager", "apiserver"):
        processes.stop(where, name, stop_seconds=components.STOP_SECONDS)
    noted = (where.run / _NOTE).exists()
    if noted:
        _remove_containers(where)
    for name in ("containerd", "etcd", "log-keeper"):
        processes.stop(where, name, stop_seconds=components.STOP_SECONDS)
    if noted:
        processes.kill(processes.shims_of(where.containerd_socket))
        _remove_pod_cgroups()
    unmount_below(where.root)
    network.remove(where)
    if noted:
        _remove_outside(where, json.loads((where.run / _NOTE).read_text()))
    shutil.rmtree(where.root)


def pod_cgroups() -> list[Path]:
    """Return the top cgroups of pods, one per hierarchy."""
    places = [CGROUPS / "kubepods", *CGROUPS.glob("*/kubepods")]
    return [place for place in places if place.is_dir()]


def mounts_below(folder: Path) -> list[str]:
    """Return the mount points below a folder, deepest first."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if point.startswith(f"{folder}/"):
            points.append(point)
    return points[::-1]


def unmount_below(folder: Path) -> None:
    """Unmount everything below a folder.

    Raises:
        ClusterError: A mount stays; the folder must then not be deleted through it.
    """
    # Not by the program umount, which leaves a folder of its own in /run.
    libc = ctypes.CDLL(None, use_errno=True)
    for point in mounts_below(folder):
        libc.umount2(os.fsencode(point), _MNT_DETACH)
    if left := mounts_below(folder):
        raise ClusterError(f"still mounted: {', '.join(left)}")


def _remove_containers(where: Paths) -> None:
    # Through containerd, so that the shims end by themselves and remove their sockets.
    if processes.running_pid(where, "containerd") is None:
        return
    try:
        names = images.ctr(where, "tasks", "list", "-q").split()
        if names:
            images.ctr(where, "tasks", "delete", "--force", *names)
    except ClusterError:
        return  # what stays is killed through its cgroup
    processes.wait_for(lambda: not processes.shims_of(where.containerd_socket), 5.0)


def _remove_pod_cgroups() -> None:
    for top in pod_cgroups():
        for _ in range(_ATTEMPTS):
            groups = sorted(top.rglob("cgroup.procs"), reverse=True)
            processes.kill(_members(groups))
            for group in groups:
                try:
                    group.parent.rmdir()
                except OSError:
                    continue
            if not top.exists():
                break
        else:
            raise ClusterError(f"the cgroup {top} cannot be removed")


def _members(groups: Iterable[Path]) -> list[int]:
    found: list[int] = []
    for group in groups:
        try:
            found += map(int, group.read_text().split())
        except OSError:
            continue
    return [pid for pid in found if pid > 0 and pid != os.getpid()]


def _remove_outside(where: Paths, there_before: list[str]) -> None:
    for entry in Path("/var/log/containers").glob("*.log"):
        if entry.is_symlink() and entry.readlink().is_relative_to(where.root):
            entry.unlink()
    for entry in Path("/var/lib/cni/results").glob("*"):
        if f'"{where.root}/' in entry.read_text(errors="replace"):
            entry.unlink()
    for entry in SHIM_SOCKETS.glob("*"):
        if _is_dead_socket(entry):
            entry.unlink(missing_ok=True)
    if "/var/lib/kubelet/device-plugins" not in there_before:
        shutil.rmtree("/var/lib/kubelet/device-plugins", ignore_errors=True)
    for place in sorted(OUTSIDE, reverse=True):
        if place not in there_before:
            _remove_empty_folders(Path(place))


def _is_dead_socket(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _remove_empty_folders(top: Path) -> None:
    folders = [Path(folder) for folder, _, _ in os.walk(top)]
    for folder in sorted(folders, reverse=True):
        try:
            folder.rmdir()
        except OSError:
            continue
