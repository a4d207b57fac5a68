"""How a run is carried out: how much at once, how long, where, and with which limits."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Unique
from benchwarden.api.network import NetworkPolicySpec
from benchwarden.api.placement import NodeAffinity, Resources, Toleration
from benchwarden.api.references import Environment, SecretRef
from benchwarden.api.scalars import (
    Allowance,
    DataKey,
    DnsLabel,
    DnsSubdomain,
    Int,
    Labels,
    Seconds,
)

ImagePrefix = Annotated[
    str,
    StringConstraints(pattern=patterns.IMAGE_PREFIX, max_length=255),
]


class ImageRewrite(KubeModel):
    """A mirror rule: images that start with `prefix` start with `replacement` instead."""

    prefix: ImagePrefix
    """Start of the image reference, such as `docker.io/`."""
    replacement: ImagePrefix
    """What stands there instead, such as `registry.internal/hub/`."""


class CaConfigMap(KubeModel):
    """The ConfigMap and key that hold certificates."""

    name: DnsSubdomain
    """Name of the ConfigMap, in the run's namespace."""
    key: DataKey = "ca.crt"
    """Key with PEM certificates."""


class CaBundle(KubeModel):
    """Certificates of a private authority that every agent and grader trusts."""

    config_map: CaConfigMap
    """The ConfigMap and key that hold the certificates."""


class ExecutionSpec(KubeModel):
    """How the run is carried out."""

    batch_size: Annotated[Int, Field(ge=1, le=12)] | None = None
    """Instances that share one pod, one after the other; 5 for tasks and 1 for SWE-bench if unset."""
    parallelism: Annotated[Int, Field(ge=1, le=1000)] = 10
    """Pods at the same time."""
    trials_per_instance: Annotated[Int, Field(ge=1, le=100)] = 1
    """How often each instance is tried; every trial counts."""
    agent_timeout_seconds: Seconds = 3600
    """Time the agent has for one instance, waits for the API not counted."""
    grade_timeout_seconds: Seconds = 1800
    """Time the tests of one instance have."""
    pending_timeout_seconds: Seconds = 600
    """How long a container may wait to start (image pull, scheduling) before its batch is given up."""
    pull_allowance_seconds: Allowance = 300
    """Time added to the pod's deadline for each image pull."""
    throttle_allowance_seconds: Allowance = 600
    """How long an agent may wait for a throttled API beyond its timeout."""
    infra_retries_per_trial: Annotated[Int, Field(ge=0, le=20)] = 2
    """How often a trial is repeated when the infrastructure, not the agent, failed."""
    infra_retries_total: Annotated[Int, Field(ge=0, le=1_000_000)] | None = None
    """Limit of such repeats over the whole run; derived from its size if unset."""
    resources: Resources = Resources()
    """Requests and limits of each agent and grader."""
    node_selector: Labels = Field(default_factory=dict)
    """Labels a node must have."""
    node_affinity: NodeAffinity | None = None
    """Finer choice of nodes."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = ()
    """Taints the pods put up with."""
    runtime_class_name: DnsSubdomain | None = None
    """Runtime class of the pods, such as `gvisor`."""
    priority_class_name: DnsSubdomain | None = None
    """Priority class of the pods."""
    image_pull_secrets: Annotated[
        tuple[SecretRef, ...],
        Field(max_length=16),
        Unique("name"),
    ] = ()
    """Secrets for pulling instance images."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When instance images are pulled."""
    image_rewrites: Annotated[tuple[ImageRewrite, ...], Field(max_length=32)] = ()
    """Mirror rules for instance images; the first that fits is used."""
    queue_name: DnsLabel | None = None
    """Kueue queue of the batch Jobs."""
    pod_security: Literal["baseline", "restricted"] = "baseline"
    """Pod Security level the pods are made for; benchmark images that run as root need `baseline`."""
    network_policy: NetworkPolicySpec = NetworkPolicySpec()
    """What the pods may reach."""
    env: Environment = ()
    """Environment variables of every agent and grader, such as proxy settings; those from Secrets reach
    agents only."""
    ca_bundle: CaBundle | None = None
    """Certificates of a private authority."""
