"""What artifacts add to a batch pod: the uploader beside the chain, and a place where each grader leaves its log.

The uploader is a native sidecar and the sole holder of the storage's credentials or volume. It reads what agents
and graders left, read-only; agents see neither the graders' place nor each other's. It cannot end the pod: a
missing Secret leaves it without credentials, not unstarted, and its exit code decides nothing.
"""

import copy
from typing import Any, Final

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.artifacts.assignment import Assignment, Destination
from benchwarden.artifacts.layout import run_folder
from benchwarden.manifests import environment, isolation, resources
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden.planning.plan import Batch
from benchwarden_runner import protocol

RESOURCES: Final = {
    "requests": {"cpu": "10m", "memory": "48Mi"},  # waiting takes 20 MiB
    "limits": {"cpu": "1", "memory": "256Mi"},  # with a child that uploads 100 MiB it takes 112
}
LOGS: Final = "logs"
LOGS_MIB: Final = 320  # per instance: the largest log that is kept, and room
GRACE_SECONDS: Final = 30  # for the uploads that are left when the pod ends
_VOLUME: Final = "artifacts"
_SECRET_KEYS: Final = (
    names.ENV_AWS_ACCESS_KEY_ID,
    names.ENV_AWS_SECRET_ACCESS_KEY,
    names.ENV_AWS_SESSION_TOKEN,
    names.ENV_AWS_REGION,
)


def destination(spec: BenchmarkRunSpec, volume: str = names.MOUNT_ARTIFACTS) -> Destination | None:
    """Where the run's artifacts go; None if it keeps none. `volume`: where the claim is mounted."""
    artifacts = spec.artifacts
    if artifacts.persistent_volume_claim is not None:
        return Destination(folder=f"{volume}/{artifacts.persistent_volume_claim.path}")
    if artifacts.s3 is not None:
        return Destination(url=artifacts.s3.url, endpoint_url=artifacts.s3.endpoint_url or "")
    return None


def with_uploader(
    pod: dict[str, Any],
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    batch: Batch,
    settings: ManifestSettings,
) -> dict[str, Any]:
    """`pod` as it is if the run keeps no artifacts, else a copy that does."""
    where = destination(spec)
    if where is None:
        return pod
    pod = copy.deepcopy(pod)
    assignment = Assignment(where, run_folder(run.namespace, run.name, run.uid), batch.members)
    inject, *pairs = pod["initContainers"]
    for container in pairs:
        _leave_log(container)
    pod["initContainers"] = [inject, _uploader(spec, assignment, settings), *pairs]
    pod["volumes"] += [
        isolation.disk_volume(LOGS, LOGS_MIB * len(batch.members)),
        isolation.shared_memory_volume(names.CONTAINER_UPLOADER),
        *_claim(spec),
    ]
    _allow_disk(pod["containers"][0]["resources"], LOGS_MIB * len(batch.members))
    if spec.artifacts.persistent_volume_claim is not None and settings.runner_user is not None:
        pod["securityContext"].setdefault("fsGroup", settings.runner_user)
        pod["securityContext"].setdefault("fsGroupChangePolicy", "OnRootMismatch")
    pod["terminationGracePeriodSeconds"] = GRACE_SECONDS
    return pod


def _leave_log(container: dict[str, Any]) -> None:
    """A grader gets its own part of the logs' volume; an agent gets nothing."""
    position = container["name"].removeprefix(names.GRADE_PREFIX)
    if position == container["name"]:
        return
    container["command"] += ["--log", f"{names.MOUNT_LOGS}/{protocol.FILE_TEST_LOG}"]
    container["volumeMounts"].append(
        {"name": LOGS, "mountPath": names.MOUNT_LOGS, "subPath": position}
    )


def _uploader(
    spec: BenchmarkRunSpec, assignment: Assignment, settings: ManifestSettings
) -> dict[str, Any]:
    name = names.CONTAINER_UPLOADER
    size = len(assignment.members)
    limit = protocol.message_limit_bytes(size, settings.message_extra_containers)
    read = {"work": names.MOUNT_WORK, "logs": names.MOUNT_LOGS, "inputs": names.MOUNT_INPUTS}
    return {
        "name": name,
        "image": settings.uploader_image,
        "imagePullPolicy": settings.runner_image_pull_policy,
        "terminationMessagePath": names.TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
        "restartPolicy": "Always",
        "command": [
            *("python3", "-I", "-m", "benchwarden.artifacts"),
            *(word for option, path in read.items() for word in (f"--{option}", path)),
            *("--message", names.TERMINATION_MESSAGE_PATH, "--message-bytes", str(limit)),
        ],
        "env": [{"name": names.ENV_UPLOAD, "value": assignment.to_json()}, *_environment(spec)],
        "resources": copy.deepcopy(RESOURCES),
        "securityContext": isolation.runner_context(settings.runner_user),
        "volumeMounts": [
            {"name": isolation.WORK, "mountPath": names.MOUNT_WORK, "readOnly": True},
            {"name": LOGS, "mountPath": names.MOUNT_LOGS, "readOnly": True},
            *(
                {
                    "name": f"input-{names.AGENT_PREFIX}{position}",
                    "mountPath": f"{names.MOUNT_INPUTS}/{position}",
                    "readOnly": True,
                }
                for position in range(size)
            ),
            *isolation.own_mounts(name),
            *environment.ca_mounts(spec),
            *({"name": _VOLUME, "mountPath": names.MOUNT_ARTIFACTS} for _ in _claim(spec)),
        ],
    }


def _environment(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [*environment.grade_env(spec)]
    s3 = spec.artifacts.s3
    if s3 is None:
        return found
    secrets = (
        {"name": key, "valueFrom": {"secretKeyRef": _reference(s3.credentials.name, key)}}
        for key in _SECRET_KEYS
    )
    return [*found, {"name": names.ENV_AWS_NO_METADATA, "value": "true"}, *secrets]


def _reference(secret: str, key: str) -> dict[str, Any]:
    """Optional: a container that cannot be started would hold up the whole pod."""
    return {"name": secret, "key": key, "optional": True}


def _claim(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    claim = spec.artifacts.persistent_volume_claim
    if claim is None:
        return []
    return [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": claim.claim_name}}]


def _allow_disk(amounts: dict[str, Any], more_mib: int) -> None:
    """The kubelet holds the pod's disk against the largest limit, which is the last container's."""
    limits = amounts["limits"]
    if resources.EPHEMERAL in limits:
        amounts["limits"] = {
            **limits,
            resources.EPHEMERAL: str(int(limits[resources.EPHEMERAL]) + more_mib * 1024**2),
        }
