"""The command line of every component, a pure function of the cluster's paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster import build
from tests.cluster.certs import kubeconfig_path
from tests.cluster.config import (
    API_PORT,
    AUDIT_LOG_MEBIBYTES,
    IMAGE_VOLUMES_GATE,
    KUBELET_PORT,
    LOG_LIMIT_BYTES,
    NODE_ADDRESS,
    NODE_NAME,
    SERVICE_CIDR,
    ClusterError,
    Paths,
)
from tests.cluster.packages import program
from tests.cluster.processes import Component

# What a component listens on once it works; etcd, containerd and the API server are asked instead.
LISTENS = {
    "controller-manager": 10257,
    "scheduler": 10259,
    "kubelet": KUBELET_PORT,
    "kube-proxy": 10249,
}
# In the order they are started; they are stopped the other way round.
ORDER = (
    "log-keeper",
    "etcd",
    "containerd",
    "apiserver",
    "controller-manager",
    "scheduler",
    "kubelet",
    "kube-proxy",
    "dns",
)
STOP_SECONDS = 15.0
_ETCD_SOCKET = "etcd.sock:0"
_ETCD_PEER_SOCKET = "peer.sock:0"
_API_RATE = ("--kube-api-qps=500", "--kube-api-burst=1000")


def component(where: Paths, binaries: Path, name: str) -> Component:
    """Return how a component is started.

    Args:
        where: The cluster's paths.
        binaries: Folder with the Kubernetes programs.
        name: One of `ORDER`.

    Raises:
        ClusterError: There is no such component, or its program is missing.
    """
    makers: Mapping[str, Callable[[Paths, Path], Component]] = {
        "log-keeper": _log_keeper,
        "etcd": _etcd,
        "containerd": _containerd,
        "apiserver": _apiserver,
        "controller-manager": _controller_manager,
        "scheduler": _scheduler,
        "kubelet": _kubelet,
        "kube-proxy": _kube_proxy,
        "dns": _dns,
    }
    if name not in makers:
        raise ClusterError(f"no component {name!r}; there are {', '.join(ORDER)}")
    return makers[name](where, binaries)


def _system(name: str) -> str:
    path = program(name)
    if path is None:
        raise ClusterError(f"{name} not found; run `cli.py build` first")
    return path


def _log_keeper(where: Paths, _binaries: Path) -> Component:
    script = Path(__file__).parent / "log_keeper.py"
    python = program("python3") or "/usr/bin/python3"
    command = (python, "-I", str(script), str(where.logs), str(LOG_LIMIT_BYTES))
    return Component("log-keeper", command, where.root)


def _etcd(where: Paths, _binaries: Path) -> Component:
    # A socket in a private folder: no pod and no other user can reach the store.
    command = (
        _system("etcd"),
        f"--data-dir={where.etcd}/data",
        f"--listen-client-urls=unix://{_ETCD_SOCKET}",
        f"--advertise-client-urls=unix://{_ETCD_SOCKET}",
        f"--listen-peer-urls=unix://{_ETCD_PEER_SOCKET}",
        "--initial-advertise-peer-urls=http://localhost:2380",
        "--initial-cluster=default=http://localhost:2380",
        "--unsafe-no-fsync",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
        "--logger=zap",
        "--log-outputs=stderr",
    )
    sockets = (etcd_socket(where), where.etcd / _ETCD_PEER_SOCKET)
    return Component("etcd", command, where.etcd, sockets=sockets)


def etcd_socket(where: Paths) -> Path:
    """Return the socket on which etcd serves."""
    return where.etcd / _ETCD_SOCKET


def _containerd(where: Paths, _binaries: Path) -> Component:
    program = str(built_containerd("containerd")) if where.image_volumes else _system("containerd")
    command = (program, "--config", str(where.config / "containerd.toml"))
    return Component("containerd", command, where.root)


def built_containerd(name: str) -> Path:
    """Return the path of one of the programs of containerd 2."""
    return build.folder(build.CONTAINERD) / "bin" / name


def _apiserver(where: Paths, binaries: Path) -> Component:
    pki = where.pki
    gates = (f"--feature-gates={IMAGE_VOLUMES_GATE}=true",) if where.image_volumes else ()
    command = (
        str(binaries / "kube-apiserver"),
        f"--advertise-address={NODE_ADDRESS}",
        f"--bind-address={NODE_ADDRESS}",
        f"--secure-port={API_PORT}",
        # After a kill, connections of the old process must not keep the new one from its address.
        "--permit-address-sharing=true",
        "--permit-port-sharing=true",
        f"--etcd-servers=unix://{etcd_socket(where)}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        f"--requestheader-client-ca-file={pki}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--audit-policy-file={where.config}/audit-policy.json",
        f"--audit-log-path={where.audit_log}",
        f"--audit-log-maxsize={AUDIT_LOG_MEBIBYTES}",
        "--audit-log-maxbackup=2",
        f"--cert-dir={where.run}/apiserver",
        "--profiling=false",
        *gates,
    )
    return Component("apiserver", command, where.root)


def _controller_manager(where: Paths, binaries: Path) -> Component:
    config = kubeconfig_path(where, "controller-manager")
    command = (
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={NODE_ADDRESS}",
        f"--service-account-private-key-file={where.pki}/service-account.key",
        f"--root-ca-file={where.pki}/ca.crt",
        f"--cluster-signing-cert-file={where.pki}/ca.crt",
        f"--cluster-signing-key-file={where.pki}/ca.key",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--cert-dir={where.run}/controller-manager",
        "--profiling=false",
        *_API_RATE,
    )
    return Component("controller-manager", command, where.root)


def _scheduler(where: Paths, binaries: Path) -> Component:
    config = kubeconfig_path(where, "scheduler")
    command = (
        str(binaries / "kube-scheduler"),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--bind-address={NODE_ADDRESS}",
        "--leader-elect=false",
        f"--cert-dir={where.run}/scheduler",
        "--profiling=false",
        *_API_RATE,
    )
    return Component("scheduler", command, where.root)


def _kubelet(where: Paths, binaries: Path) -> Component:
    command = (
        str(binaries / "kubelet"),
        f"--config={where.config}/kubelet.json",
        f"--kubeconfig={kubeconfig_path(where, 'kubelet')}",
        f"--root-dir={where.kubelet}",
        f"--cert-dir={where.run}/kubelet",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
    )
    return Component("kubelet", command, where.root)


def _kube_proxy(where: Paths, binaries: Path) -> Component:
    command = (str(binaries / "kube-proxy"), f"--config={where.config}/kube-proxy.json")
    return Component("kube-proxy", command, where.root)


def _dns(where: Paths, _binaries: Path) -> Component:
    script = Path(__file__).parent / "dns_server.py"
    python = program("python3") or "/usr/bin/python3"
    return Component("dns", (python, "-s", "-B", str(script), str(where.root)), where.root)
