"""The batch pod: init containers run one after the other, so order, separation and cleanup are the kubelet's.

`inject`, then for each instance its agent and, when that is dead, its grader; `finish` is the main container.
The scheduler sets aside the largest container, not the sum.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests import (
    containers,
    delivery,
    environment,
    isolation,
    resources,
    scheduling,
)
from benchwarden.manifests.documents import agent_timeout_seconds, grade_timeout_seconds
from benchwarden.manifests.inputs import Inputs
from benchwarden.manifests.naming import input_name
from benchwarden.manifests.settings import ManifestSettings
from benchwarden.planning.plan import Batch
from benchwarden.suites.instance import Instance
from benchwarden_runner import protocol
from benchwarden_runner.specs import CliRelease

INJECT_SECONDS: Final = 60  # copying, beside the pull of the runner image
SPARE_SECONDS: Final = 120
GRACE_SECONDS: Final = 5  # whoever deletes a pod has what it had to say, or wants it gone
_AGENT_INPUTS: Final = (names.INPUT_AGENT, names.INPUT_GOLD)
_GRADE_INPUTS: Final = (names.INPUT_GRADE,)


def batch_pod(
    spec: BenchmarkRunSpec,
    batch: Batch,
    instances: Mapping[str, Instance],
    settings: ManifestSettings,
    job_name: str,
    inputs: Inputs,
    release: CliRelease | None = None,
) -> dict[str, Any]:
    """The pod spec of a batch whose input ConfigMaps hold `inputs`."""
    members = [instances[member.instance] for member in batch.members]
    limit = message_limit_bytes(len(members), settings)
    pairs = [
        container
        for position, instance in enumerate(members)
        for container in (
            containers.agent(spec, instance, position, limit),
            containers.grade(spec, instance, position, limit),
        )
    ]
    volumes_mib = isolation.TOOLS_MIB + isolation.WORK_MIB * len(members)
    finish = containers.finish(
        settings,
        resources.finish_resources([container["resources"] for container in pairs], volumes_mib),
    )
    chain = [containers.inject(spec, settings, release), *pairs]
    return {
        **pod_ground(spec, delivery.group(spec, settings)),
        "activeDeadlineSeconds": deadline_seconds(spec, members) + delivery.seconds(release),
        "initContainers": chain,
        "containers": [finish],
        "volumes": [
            isolation.disk_volume(isolation.TOOLS, isolation.TOOLS_MIB),
            isolation.disk_volume(isolation.WORK, isolation.WORK_MIB * len(members)),
            *(isolation.shared_memory_volume(each["name"]) for each in (*chain, finish)),
            *_input_volumes(job_name, inputs, len(members)),
            *environment.ca_volumes(spec),
            *environment.user_config_volumes(spec),
            *delivery.volumes(spec, release),
        ],
    }


def pod_ground(spec: BenchmarkRunSpec, group: int | None = None) -> dict[str, Any]:
    """What all our pods have in common: no retries by the kubelet, no token, no service links."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": isolation.pod_context(
            restricted=spec.execution.pod_security == containers.RESTRICTED, group=group
        ),
        **scheduling.scheduling(spec),
    }


def message_limit_bytes(batch_size: int, settings: ManifestSettings) -> int:
    """Bytes that each container's message may have in a pod of `batch_size` instances."""
    return protocol.message_limit_bytes(batch_size, settings.message_extra_containers)


def deadline_seconds(spec: BenchmarkRunSpec, members: Iterable[Instance]) -> int:
    """The pod's deadline: everything that may rightly take time, added up, and some to spare.

    It belongs to the pod, never to the Job: a Job's would run while a queue holds it back.
    """
    execution = spec.execution
    return (
        execution.pull_allowance_seconds
        + INJECT_SECONDS
        + sum(
            agent_timeout_seconds(spec, instance)
            + execution.throttle_allowance_seconds
            + grade_timeout_seconds(spec, instance)
            + execution.pull_allowance_seconds
            for instance in members
        )
        + SPARE_SECONDS
    )


def input_volume(container: str, files: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """The volume of a container's input from (ConfigMap, key, file name); nothing else can be seen in it."""
    sources = [
        {"configMap": {"name": config_map, "items": [{"key": key, "path": path}]}}
        for config_map, key, path in files
    ]
    return {"name": f"input-{container}", "projected": {"sources": sources}}


def _input_volumes(job_name: str, inputs: Inputs, size: int) -> list[dict[str, Any]]:
    return [
        input_volume(
            f"{prefix}{position}",
            [
                (input_name(job_name, place.shard), place.key, archive)
                for archive in archives
                if (place := inputs.places.get((position, archive))) is not None
            ],
        )
        for position in range(size)
        for prefix, archives in (
            (names.AGENT_PREFIX, _AGENT_INPUTS),
            (names.GRADE_PREFIX, _GRADE_INPUTS),
        )
    ]
