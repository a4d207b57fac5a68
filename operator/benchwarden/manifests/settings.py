"""What the operator's installation decides about every pod, as against what a run decides about its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchwarden import names


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The BenchmarkRun object that everything made for a run belongs to."""

    name: str
    namespace: str
    uid: str


@dataclass(frozen=True, slots=True)
class ManifestSettings:
    """Settings of the installation.

    Attributes:
        runner_image: image with the relocatable Python, the runner and, if the agent needs it, the CLI.
        runner_image_pull_policy: of that image.
        uploader_image: image of the operator, which uploads artifacts too; empty = artifacts are refused.
        runner_user: numeric user of the runner image's own containers; None leaves it to the image or
            to the cluster (OpenShift assigns one).
        must_fail_address: `ip:port` that every network policy blocks; agents probe it to tell whether
            policies are enforced. Empty = not probed.
        gateway_peers: NetworkPolicy peers through which the gateway is reached; allowed to every run
            whose credentials mode is `gateway`.
        gateway_service: `name.namespace` of the Service before those peers: a base URL that names it opens
            them alone, not the Service's whole namespace.
        message_extra_containers: containers that the cluster adds to every pod (a service mesh's
            sidecars); they share the kubelet's space for messages.
    """

    runner_image: str
    runner_image_pull_policy: str = "IfNotPresent"
    runner_user: int | None = 65532
    must_fail_address: str = ""
    gateway_peers: tuple[dict[str, Any], ...] = field(default=())
    gateway_service: str = ""
    message_extra_containers: int = 0
    uploader_image: str = ""


def gateway_peers(service: str, labels: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """The peers behind a gateway's Service (`name.namespace`); none without one."""
    _, _, namespace = service.partition(".")
    if not namespace or not labels:
        return ()
    home = {"matchLabels": {names.LABEL_NAMESPACE_NAME: namespace}}
    return ({"namespaceSelector": home, "podSelector": {"matchLabels": dict(labels)}},)
