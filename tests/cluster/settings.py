"""The configuration files of the components, written before they start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.cluster.certs import kubeconfig_path
from tests.cluster.components import LISTENS, built_containerd
from tests.cluster.config import (
    DNS_ADDRESS,
    IMAGE_VOLUMES_GATE,
    KUBELET_PORT,
    NODE_ADDRESS,
    NODE_NAME,
    PAUSE_IMAGE,
    POD_CIDR,
    POD_PIDS_LIMIT,
    PODS_PER_NODE,
    ClusterError,
    Paths,
)
from tests.cluster.network import pod_network_config
from tests.cluster.packages import cni_plugin_dir

# Their socket would lie outside the state folder.
_NO_PLUG_INS = """
[plugins."io.containerd.nri.v1.nri"]
  disable = true
"""


def write_all(where: Paths) -> None:
    """Write every configuration file; an existing one is replaced."""
    (where.config / "cni").mkdir(parents=True, exist_ok=True)
    (where.root / "resolv.conf").write_text(f"nameserver {DNS_ADDRESS}\n")
    (where.config / "containerd.toml").write_text(containerd(where))
    (where.config / "cni" / "10-benchwarden.conflist").write_text(
        pod_network_config(where.root / "cni-state")
    )
    for name, content in (
        ("kubelet", kubelet(where)),
        ("kube-proxy", kube_proxy(where)),
        ("audit-policy", audit_policy()),
    ):
        (where.config / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def containerd(where: Paths) -> str:
    """Return the configuration of containerd (TOML)."""
    plugins = cni_plugin_dir()
    if plugins is None:
        raise ClusterError("no network plugins found; run `cli.py build` first")
    # Its shim must be of the same build.
    shim = built_containerd("containerd-shim-runc-v2")
    runtime_path = f'runtime_path = "{shim}"' if where.image_volumes else ""
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE runc cannot lower a score and dies with
    # "can't get final child's PID from pipe: EOF".
    return f"""version = 2
root = "{where.root}/containerd/root"
state = "{where.root}/containerd/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.aufs",
]

[grpc]
  address = "{where.containerd_socket}"

[ttrpc]
  address = "{where.containerd_socket}.ttrpc"

{_NO_PLUG_INS if where.image_volumes else ""}
[plugins."io.containerd.internal.v1.opt"]
  path = "{where.root}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 3

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{where.config}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    {runtime_path}

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{where.root}/containerd/runc"
      SystemdCgroup = false
"""


def kubelet(where: Paths) -> Mapping[str, Any]:
    """Return the configuration of the kubelet."""
    socket = f"unix://{where.containerd_socket}"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "port": KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzBindAddress": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{where.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{where.pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{where.pki}/kubelet-server.key",
        "containerRuntimeEndpoint": socket,
        "imageServiceEndpoint": socket,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{where.root}/resolv.conf",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxPods": PODS_PER_NODE,
        "podPidsLimit": POD_PIDS_LIMIT,
        "podLogsDir": f"{where.logs}/pods",
        "volumePluginDir": f"{where.kubelet}/volume-plugins",
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 2,
        "makeIPTablesUtilChains": False,
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "rotateCertificates": False,
        "featureGates": {IMAGE_VOLUMES_GATE: True} if where.image_volumes else {},
        "runtimeRequestTimeout": "2m",
    }


def kube_proxy(where: Paths) -> Mapping[str, Any]:
    """Return the configuration of kube-proxy."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(kubeconfig_path(where, "kube-proxy"))},
        "bindAddress": NODE_ADDRESS,
        "healthzBindAddress": f"{NODE_ADDRESS}:10256",
        "metricsBindAddress": f"{NODE_ADDRESS}:{LISTENS['kube-proxy']}",
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": POD_CIDR,
        "nodePortAddresses": [f"{NODE_ADDRESS}/32"],
        # Pod to service to pod stays on one bridge; masquerading brings the answer back through it.
        "nftables": {"masqueradeAll": True, "minSyncPeriod": "0s", "syncPeriod": "30s"},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def audit_policy() -> Mapping[str, Any]:
    """Return the audit policy: who asked what, without bodies, once per request."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }
