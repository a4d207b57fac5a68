"""Raw objects as the API server sends them, with as little as a test needs."""

import json
from typing import Any

from benchwarden import names

Json = dict[str, Any]
T0 = "2026-03-01T12:00:00Z"
RUN = "run-uid-1"


def raw_job(
    uid: str = "job-1",
    *,
    name: str = "",
    members: tuple[tuple[str, int, int], ...] = (("a", 0, 1),),
    run_uid: str = RUN,
    created: str = T0,
    suspend: bool = False,
    deleting: bool = False,
    finished: tuple[str, str, str] | None = None,
    **status: Any,
) -> Json:
    metadata: Json = {
        "uid": uid,
        "name": name or f"name-of-{uid}",
        "namespace": "bench",
        "creationTimestamp": created,
        "labels": {names.LABEL_RUN_UID: run_uid, names.LABEL_ROLE: names.ROLE_BATCH},
        "annotations": {names.ANNOTATION_MEMBERS: json.dumps(members)},
    }
    if deleting:
        metadata["deletionTimestamp"] = created
    if finished is not None:
        kind, reason, moment = finished
        status["conditions"] = [
            {"type": "Suspended", "status": "False"},
            {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": moment},
        ]
    return {"metadata": metadata, "spec": {"suspend": suspend}, "status": status}


def terminated(name: str, message: str = "", **more: Any) -> Json:
    state = {"exitCode": 0, "reason": "Completed", "message": message, "finishedAt": T0, **more}
    return {"name": name, "imageID": "sha256:1", "state": {"terminated": state}}


def running(name: str) -> Json:
    return {"name": name, "imageID": "sha256:1", "state": {"running": {"startedAt": T0}}}


def waiting(name: str, reason: str, message: str = "") -> Json:
    return {
        "name": name,
        "imageID": "",
        "state": {"waiting": {"reason": reason, "message": message}},
    }


def raw_pod(
    uid: str = "pod-1",
    *,
    job: str = "job-1",
    run_uid: str = RUN,
    phase: str = "Pending",
    created: str = T0,
    init: tuple[Json, ...] = (),
    main: tuple[Json, ...] = (),
    deleting: bool = False,
    members: tuple[tuple[str, int, int], ...] | None = None,
    namespace: str = "bench",
    **status: Any,
) -> Json:
    metadata: Json = {
        "uid": uid,
        "name": f"name-of-{uid}",
        "namespace": namespace,
        "creationTimestamp": created,
        "labels": {names.LABEL_RUN_UID: run_uid, names.LABEL_ROLE: names.ROLE_BATCH},
        "ownerReferences": [{"kind": "Job", "uid": job, "name": f"name-of-{job}"}],
    }
    if deleting:
        metadata["deletionTimestamp"] = created
    if members is not None:
        metadata["annotations"] = {names.ANNOTATION_MEMBERS: json.dumps(members)}
    return {
        "metadata": metadata,
        "spec": {
            "nodeName": "node-1",
            "initContainers": [{"name": name} for name in ("inject", "agent-0", "grade-0")],
            "containers": [{"name": "finish"}],
        },
        "status": {
            "phase": phase,
            "initContainerStatuses": list(init),
            "containerStatuses": list(main),
            **status,
        },
    }
