"""Debian packages the cluster stands on, installed only where their program is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.cluster.config import CNI_PLUGIN_DIRS, ClusterError, require_root

# A machine with its own containerd or etcd keeps them: only a missing program pulls a package in.
CLUSTER_PROGRAMS: Mapping[str, str] = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "openssl": "openssl",
    "busybox": "busybox-static",
    "mount": "mount",
}
IMAGE_PROGRAMS: Mapping[str, str] = {
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
}
# Build targets that are a Debian package and nothing more.
PACKAGE_TARGETS: Mapping[str, Mapping[str, str]] = {
    "promtool": {"promtool": "prometheus"},
    "amtool": {"amtool": "prometheus-alertmanager"},
}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POLICY = Path("/usr/sbin/policy-rc.d")
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def program(name: str) -> str | None:
    """Return the path of a program, system folders included even when PATH lacks them."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":" + SYSTEM_PATH)


def cni_plugin_dir() -> Path | None:
    """Return the folder that holds the bridge and host-local network plugins."""
    for folder in map(Path, CNI_PLUGIN_DIRS):
        if all((folder / name).is_file() for name in ("bridge", "host-local", "loopback")):
            return folder
    return None


def missing_packages(programs: Mapping[str, str]) -> list[str]:
    """Return the packages whose programs this machine lacks, sorted."""
    missing = {package for name, package in programs.items() if program(name) is None}
    if programs is CLUSTER_PROGRAMS and cni_plugin_dir() is None:
        missing.add("containernetworking-plugins")
    if programs is IMAGE_PROGRAMS and not DEBIAN_KEYRING.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def ensure(programs: Mapping[str, str]) -> list[str]:
    """Install the packages of the programs that are missing, and return what was installed.

    Raises:
        RootNeededError: Something is missing and this process is not root.
        ClusterError: There is no apt-get, or it failed.
    """
    missing = missing_packages(programs)
    if missing:
        install(missing)
    return missing


def install(names: Iterable[str]) -> None:
    """Install Debian packages without starting their services."""
    wanted = sorted(names)
    require_root("install the Debian packages " + " ".join(wanted))
    apt = program("apt-get")
    if apt is None:
        raise ClusterError("apt-get not found; install by hand: " + " ".join(wanted))
    created = _forbid_service_start()
    try:
        command = [apt, "install", "-y", "--no-install-recommends", *wanted]
        if not _lists_present() or _apt(command).returncode != 0:
            _apt([apt, "update"])
            done = _apt(command)
            if done.returncode != 0:
                raise ClusterError("apt-get install failed:\n" + done.stdout[-2000:])
    finally:
        if created:
            POLICY.unlink(missing_ok=True)


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = [*command[:1], "-q", "-o", "DPkg::Lock::Timeout=300", *command[1:]]
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _lists_present() -> bool:
    return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


def _forbid_service_start() -> bool:
    # The cluster runs its own etcd and containerd; the packages' services would only be in the way.
    if POLICY.exists():
        return False
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    return True
