"""The batch Job: one pod, once. Retrying is the planner's business, never the Job controller's."""

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.inputs import pack
from benchwarden.manifests.metadata import labels, run_metadata
from benchwarden.manifests.naming import job_name
from benchwarden.manifests.pod import batch_pod
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden.manifests.uploader import destination, with_uploader
from benchwarden.planning.plan import Batch
from benchwarden.suites.instance import Instance
from benchwarden_runner.specs import CliRelease

SAFETY_TTL_SECONDS: Final = 3 * 24 * 3600  # the operator may be down for a long weekend
_KEEP_NODE: Final = {  # an autoscaler that tidies nodes up would throw hours of work away
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
# A service mesh's proxy would outlive the work and take a share of the messages.
_NO_MESH_LABELS: Final = {"sidecar.istio.io/inject": "false"}
_NO_MESH_ANNOTATIONS: Final = {"linkerd.io/inject": "disabled"}


def batch_job(
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    batch: Batch,
    instances: Mapping[str, Instance],
    settings: ManifestSettings,
    cli_version: str = "",
    release: CliRelease | None = None,
) -> dict[str, Any]:
    """The Job of a batch; its inputs are `inputs.batch_inputs`.

    Args:
        run: the run it belongs to.
        spec: of the run.
        batch: the members, in the order in which they run.
        instances: the panel's instances by id; those of the batch must be there.
        settings: of the installation.
        cli_version: the agent CLI's version as the probe found it.
        release: the agent CLI that `inject` brings from a registry; None if an image brings it.

    Raises:
        InvalidInputError: the spec asks for something that batch pods cannot do yet.
    """
    refuse_unsupported(spec, settings)
    name = job_name(run.name, run.uid, batch.members)
    inputs = pack(spec, batch, instances, settings, cli_version)
    members = {names.ANNOTATION_MEMBERS: members_annotation(batch)}
    return job(
        run,
        spec,
        name,
        names.ROLE_BATCH,
        with_uploader(
            batch_pod(spec, batch, instances, settings, name, inputs, release),
            *(run, spec, batch, settings),
        ),
        members,
    )


def job(
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    name: str,
    role: str,
    pod_spec: dict[str, Any],
    annotations: Mapping[str, str],
) -> dict[str, Any]:
    """A Job of one pod that is tried once; only batches wait in a queue. The caller owns the result."""
    metadata = run_metadata(run, role, name)
    metadata["annotations"].update(annotations)
    queue = spec.execution.queue_name if role == names.ROLE_BATCH else None
    if queue:
        metadata["labels"][names.LABEL_QUEUE] = queue
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            **({"suspend": True} if queue else {}),
            **(
                {"ttlSecondsAfterFinished": SAFETY_TTL_SECONDS}
                if spec.cleanup_policy == "Always"
                else {}
            ),
            "template": {
                "metadata": {
                    "labels": {**labels(run, role), **_NO_MESH_LABELS},
                    "annotations": {
                        names.ANNOTATION_RUN_NAME: run.name,
                        **annotations,
                        **_KEEP_NODE,
                        **_NO_MESH_ANNOTATIONS,
                    },
                },
                "spec": copy.deepcopy(pod_spec),
            },
        },
    }


def members_annotation(batch: Batch) -> str:
    """The members as an annotation says them: JSON [[instance, trial, launch], ...]."""
    return json.dumps([list(member) for member in batch.members], separators=(",", ":"))


def refuse_unsupported(spec: BenchmarkRunSpec, settings: ManifestSettings) -> None:
    """Refuse what a schema-valid spec may ask and this installation cannot do.

    Raises:
        InvalidInputError: with reason Unsupported, naming the field.
    """
    if destination(spec) is not None and not settings.uploader_image:
        raise InvalidInputError(
            f"the operator was installed without {names.ENV_UPLOADER_IMAGE}, so nothing can upload;"
            " set it to the operator's own image, or set artifacts to {none: {}}",
            reason=names.REASON_UNSUPPORTED,
            field="spec.artifacts",
        )
