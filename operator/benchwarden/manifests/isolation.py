"""What keeps the containers of a pod apart: contexts, read-only mounts, and nothing that one can leave for another.

The agent and the code under test are hostile by assumption and may be root. What a pod's containers share by
nature is therefore covered: `/etc/resolv.conf` by the copy that `inject` made before any of them ran,
`/dev/shm` by a memory volume of the container's own (its own, not a part of a common one: else one container
could fill another's).
"""

from typing import Any, Final

from benchwarden import names

DROPPED_CAPABILITIES: Final = ("NET_RAW", "MKNOD", "SYS_CHROOT", "SETFCAP", "AUDIT_WRITE")
SHARED_MEMORY_MIB: Final = 64  # what container runtimes give by default
TOOLS_MIB: Final = 2048  # a Python (0.1 GiB) and two builds of the CLI (0.4 GiB each), with room
WORK_MIB: Final = 512  # per instance: patch and transcripts
SCRATCH_MIB: Final = 512

TOOLS: Final = "tools"
WORK: Final = "work"
_SECCOMP: Final = {"type": "RuntimeDefault"}


def pod_context(*, restricted: bool, group: int | None = None) -> dict[str, Any]:
    """The pod's security context; `group` is to own its volumes."""
    return {
        "seccompProfile": dict(_SECCOMP),
        **({"runAsNonRoot": True} if restricted else {}),
        **({} if group is None else {"fsGroup": group, "fsGroupChangePolicy": "OnRootMismatch"}),
    }


def instance_context(*, restricted: bool) -> dict[str, Any]:
    """Security context of agents and graders: benchmark images run as root unless `restricted`."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"] if restricted else list(DROPPED_CAPABILITIES)},
        "seccompProfile": dict(_SECCOMP),
        **({"runAsNonRoot": True} if restricted else {}),
    }


def runner_context(user: int | None) -> dict[str, Any]:
    """Security context of the runner image's own containers: they need nothing at all."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": dict(_SECCOMP),
        **({"runAsUser": user} if user is not None else {}),
    }


def tools_mount(*, read_only: bool) -> dict[str, Any]:
    """The injected tools; only `inject` may write them."""
    return {"name": TOOLS, "mountPath": names.MOUNT_TOOLS, "readOnly": read_only}


def work_mount(position: int, *, read_only: bool) -> dict[str, Any]:
    """The hand-over directory of one instance and of no other."""
    return {
        "name": WORK,
        "mountPath": names.MOUNT_WORK,
        "subPath": str(position),
        "readOnly": read_only,
    }


def own_mounts(container: str) -> list[dict[str, Any]]:
    """What covers the places that the containers of a pod share: for every container but `inject`, who comes first."""
    return [
        {
            "name": TOOLS,
            "mountPath": names.RESOLV_CONF,
            "subPath": "resolv.conf",
            "readOnly": True,
        },
        shared_memory_mount(container),
    ]


def shared_memory_mount(container: str) -> dict[str, Any]:
    """The container's own `/dev/shm`."""
    return {"name": f"shm-{container}", "mountPath": "/dev/shm"}  # noqa: S108 - a mount point


def shared_memory_volume(container: str) -> dict[str, Any]:
    """The memory volume behind the container's `/dev/shm`."""
    return {
        "name": f"shm-{container}",
        "emptyDir": {"medium": "Memory", "sizeLimit": f"{SHARED_MEMORY_MIB}Mi"},
    }


def disk_volume(name: str, size_mib: int) -> dict[str, Any]:
    """An empty directory on disk; the kubelet evicts the pod when it holds more than `size_mib`."""
    return {"name": name, "emptyDir": {"sizeLimit": f"{size_mib}Mi"}}
