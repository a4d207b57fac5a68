"""The cluster's network on this machine: two bridges, kernel settings, nftables; made and unmade."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.config import (
    NODE_ADDRESS,
    NODE_BRIDGE,
    POD_BRIDGE,
    POD_CIDR,
    ClusterError,
    Paths,
)
from tests.cluster.packages import program

OWN_TABLE = ("ip", "benchwarden-cluster")
# Nothing leaves the machine: what a pod sends elsewhere is refused at once, not lost in silence.
# Before the chains of kube-proxy, which drop what is sent to a service address not in use.
_OWN_RULES = f"""
table ip {OWN_TABLE[1]}
delete table ip {OWN_TABLE[1]}
table ip {OWN_TABLE[1]} {{
  chain forward {{
    type filter hook forward priority filter - 10; policy accept;
    iifname "{POD_BRIDGE}" oifname != "{POD_BRIDGE}" reject with icmp admin-prohibited
  }}
}}
"""
KUBE_PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))

# What kubelet, kube-proxy and the bridge plugin set; `down` puts the values back.
CHANGED_SYSCTLS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "net/ipv4/vs/conntrack",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def save_settings(where: Paths) -> None:
    """Note the kernel settings as they are, unless an earlier start noted them already."""
    note = where.run / "sysctls.json"
    if note.exists():
        return
    values = {}
    for key in CHANGED_SYSCTLS:
        path = Path("/proc/sys") / key
        if path.exists():
            values[key] = path.read_text().strip()
    note.write_text(json.dumps(values))


def restore_settings(where: Paths) -> None:
    """Put the kernel settings back to what they were before the cluster."""
    try:
        values = json.loads((where.run / "sysctls.json").read_text())
    except FileNotFoundError:
        return
    for key, value in values.items():
        path = Path("/proc/sys") / key
        if path.exists() and path.read_text().strip() != value:
            path.write_text(value)


def make(where: Paths) -> None:
    """Make the node's bridge with its address and note that the tables of kube-proxy are ours."""
    save_settings(where)
    if nft_tables() and not (where.run / "network").exists():
        raise ClusterError("another kube-proxy runs on this machine (nft table kube-proxy exists)")
    (where.run / "network").touch()
    if not link_exists(NODE_BRIDGE):
        # The kernel may lack the device type "dummy"; a bridge without ports serves as well.
        _ip("link", "add", NODE_BRIDGE, "type", "bridge")
    _ip("address", "replace", f"{NODE_ADDRESS}/32", "dev", NODE_BRIDGE)
    _ip("link", "set", NODE_BRIDGE, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _run("nft", "-f", "-", stdin=_OWN_RULES)
    _allow_forwarding(where)


def remove(where: Paths) -> None:
    """Remove bridges and tables that `make` and the cluster made, and restore the settings."""
    if not (where.run / "network").exists():
        return
    for link in (POD_BRIDGE, NODE_BRIDGE):
        if link_exists(link):
            _ip("link", "delete", link)
    for family, table in (*nft_tables(), *nft_tables((OWN_TABLE,))):
        _run("nft", "delete", "table", family, table)
    _forbid_forwarding(where)
    restore_settings(where)


def link_exists(name: str) -> bool:
    """Return whether a network device is there."""
    return (Path("/sys/class/net") / name).exists()


def nft_tables(wanted: Sequence[tuple[str, str]] = KUBE_PROXY_TABLES) -> list[tuple[str, str]]:
    """Return which tables, by default those of kube-proxy, exist, as (family, name)."""
    listed = _run("nft", "list", "tables").splitlines()
    return [item for item in wanted if f"table {item[0]} {item[1]}" in listed]


def pod_network_config(plugin_state: Path) -> str:
    """Return the CNI configuration of the pod bridge."""
    bridge = {
        "type": "bridge",
        "bridge": POD_BRIDGE,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_CIDR}]],
            "dataDir": str(plugin_state),
        },
    }
    content = {"cniVersion": "0.4.0", "name": "benchwarden-pods", "plugins": [bridge]}
    return json.dumps(content, indent=1) + "\n"


_FORWARD_RULE = ("FORWARD", "-s", POD_CIDR, "-d", POD_CIDR, "-j", "ACCEPT")


def _allow_forwarding(where: Paths) -> None:
    # Docker sets the FORWARD policy to DROP, which would cut the pods off from each other.
    # Asking iptables makes its tables, so it is only asked where somebody else made them.
    if "table ip filter" not in _run("nft", "list", "tables").splitlines():
        return
    if "-P FORWARD DROP" in _run("iptables", "-S", "FORWARD").splitlines():
        _run("iptables", "-I", *_FORWARD_RULE)
        (where.run / "forward-rule").touch()


def _forbid_forwarding(where: Paths) -> None:
    if (where.run / "forward-rule").exists():
        _run("iptables", "-D", *_FORWARD_RULE)


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(name: str, *arguments: str, stdin: str = "") -> str:
    path = program(name)
    if path is None:
        raise ClusterError(f"{name} not found; run `cli.py build` first")
    command: Sequence[str] = [path, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
