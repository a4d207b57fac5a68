"""Where the test cluster lives and which addresses it uses: the settings every module shares."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

KUBERNETES_VERSION = "v1.34.4"
NODE_NAME = "benchwarden-node"

# All addresses are from 198.18.0.0/15, reserved for benchmarks: nothing leaves the machine.
NODE_ADDRESS = "198.19.255.1"
POD_CIDR = "198.18.0.0/16"
SERVICE_CIDR = "198.19.0.0/24"
API_SERVICE_ADDRESS = "198.19.0.1"
DNS_ADDRESS = "198.19.0.10"
DNS_PORT = 10053
API_PORT = 6443
KUBELET_PORT = 10250
API_URL = f"https://{NODE_ADDRESS}:{API_PORT}"

NODE_BRIDGE = "bwnode0"
POD_BRIDGE = "bwpods0"

PODS_PER_NODE = 110
POD_PIDS_LIMIT = 1024
LOG_LIMIT_BYTES = 32 * 1024 * 1024
AUDIT_LOG_MEBIBYTES = 200

PAUSE_IMAGE = "localhost/benchwarden-pause:1"
BUSYBOX_IMAGE = "localhost/benchwarden-busybox:1"
BASE_IMAGE = "localhost/benchwarden-base:bookworm"

IMAGE_VOLUMES_VARIABLE = "BENCHWARDEN_CLUSTER_IMAGE_VOLUMES"
IMAGE_VOLUMES_GATE = "ImageVolume"

CNI_PLUGIN_DIRS = ("/usr/lib/cni", "/opt/cni/bin")


class ClusterError(Exception):
    """Something the user must know; the message says what to do about it."""


class RootNeededError(ClusterError):
    """The step needs root, and this process is not root."""


def cache_dir() -> Path:
    """Return the folder for things worth keeping between clusters: binaries and root filesystems."""
    if own := os.environ.get("BENCHWARDEN_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "benchwarden"


def state_dir() -> Path:
    """Return the one folder that holds everything of the running cluster."""
    return Path(os.environ.get("BENCHWARDEN_CLUSTER_DIR", "/var/lib/benchwarden-cluster"))


@dataclass(frozen=True, slots=True)
class Paths:
    """The places inside one cluster's state folder.

    With `image_volumes` the cluster mounts images as volumes: it runs a built containerd 2 instead of Debian's.
    """

    root: Path
    image_volumes: bool = False

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the components."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Pid files and notes about what `up` changed outside the folder."""
        return self.root / "run"

    @property
    def etcd(self) -> Path:
        """Data and sockets of etcd."""
        return self.root / "etcd"

    @property
    def kubelet(self) -> Path:
        """Root folder of the kubelet: volumes live below it."""
        return self.root / "kubelet"

    @property
    def containerd_socket(self) -> Path:
        """Socket for the kubelet and for `ctr`."""
        return self.root / "containerd" / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the cluster's administrator."""
        return self.root / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Audit log of the API server, one JSON event a line."""
        return self.logs / "audit.log"


def paths() -> Paths:
    """Return the places of the cluster the environment names."""
    return Paths(state_dir(), os.environ.get(IMAGE_VOLUMES_VARIABLE, "") not in {"", "0"})


def require_root(what: str) -> None:
    """Raise `RootNeededError` unless this process is root.

    Args:
        what: The step, in words that fit after "to".
    """
    if os.geteuid() != 0:
        raise RootNeededError(
            f"root is needed to {what}; run as root, or set KUBECONFIG to a cluster you have"
        )
