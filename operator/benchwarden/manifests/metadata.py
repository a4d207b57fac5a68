"""Who an object belongs to: the labels that select it and the owner whose deletion takes it along."""

from typing import Any

from benchwarden import names
from benchwarden.manifests.naming import label_value
from benchwarden.manifests.settings import RunIdentity


def labels(run: RunIdentity, role: str) -> dict[str, str]:
    """Labels of everything made for `run`; `role` is one of names.ROLE_*."""
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_PART_OF: names.MANAGED_BY,
        names.LABEL_RUN: label_value(run.name),
        names.LABEL_RUN_UID: run.uid,
        names.LABEL_ROLE: role,
    }


def run_metadata(run: RunIdentity, role: str, name: str) -> dict[str, Any]:
    """Metadata of an object that goes when the run goes."""
    return {
        "name": name,
        "namespace": run.namespace,
        "labels": labels(run, role),
        "annotations": {names.ANNOTATION_RUN_NAME: run.name},
        "ownerReferences": [
            {
                "apiVersion": names.API_VERSION,
                "kind": names.RUN_KIND,
                "name": run.name,
                "uid": run.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def job_owned_metadata(
    run: RunIdentity, role: str, name: str, job_name: str, job_uid: str
) -> dict[str, Any]:
    """Metadata of an object that goes when the run's Job `job_name` goes.

    It does not block the Job's deletion: nobody waits for it, and the operator then needs no right on
    the finalizers of Jobs.
    """
    return {
        **run_metadata(run, role, name),
        "ownerReferences": [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": job_name,
                "uid": job_uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }
