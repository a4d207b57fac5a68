"""From raw Jobs and Pods to the few facts decisions use; total: any JSON at all gives a fact or nothing.

Twenty thousand pods must fit in memory, so common strings, times and waiting containers are shared.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from benchwarden import names
from benchwarden.kube.node_clock import AGREE, Stamps, node_ahead
from benchwarden.planning.plan import Member
from benchwarden.reconcile.observed import (
    RUNNING,
    TERMINATED,
    WAITING,
    ObservedContainer,
    ObservedPod,
)

_MESSAGE_CHARACTERS = 4096  # the kubelet's own limit for a termination message
_MEMBERS_CHARACTERS = 64 * 1024
_KUBELET = "kubelet"  # as the manager of fields


@dataclass(frozen=True, slots=True)
class JobFact:
    """What is used of a Job.

    Attributes:
        started: it has, or had, a pod: its own counters say so.
        finished: `Complete`, `Failed` or empty.
    """

    uid: str
    name: str
    namespace: str
    run_uid: str
    role: str
    members: tuple[Member, ...] = ()
    created_at: datetime | None = None
    suspended: bool = False
    started: bool = False
    deleting: bool = False
    finished: str = ""
    finished_reason: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PodFact:
    """What is used of a pod, and whose it is.

    Attributes:
        job_uid, job_name: the Job that controls it.
        members: what its Job holds, where the pod itself says so.
    """

    run_uid: str
    role: str
    namespace: str
    job_uid: str
    job_name: str
    pod: ObservedPod
    members: tuple[Member, ...] = ()


def job_fact(raw: Mapping[str, Any]) -> JobFact | None:
    """Project a Job; None if it is not one of a run."""
    metadata, status = _map(raw.get("metadata")), _map(raw.get("status"))
    labels = _map(metadata.get("labels"))
    uid, run_uid = _text(metadata.get("uid")), _shared(labels.get(names.LABEL_RUN_UID))
    if not uid or not run_uid:
        return None
    suspended = _map(raw.get("spec")).get("suspend") is True
    ended = next(
        (
            condition
            for condition in _maps(status.get("conditions"))
            if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed")
        ),
        {},
    )
    return JobFact(
        uid=uid,
        name=_text(metadata.get("name")),
        namespace=_shared(metadata.get("namespace")),
        run_uid=run_uid,
        role=_shared(labels.get(names.LABEL_ROLE)),
        members=members_of(_map(metadata.get("annotations")).get(names.ANNOTATION_MEMBERS)),
        created_at=moment(metadata.get("creationTimestamp")),
        suspended=suspended,
        started=_had_pod(status, suspended=suspended),
        deleting=bool(metadata.get("deletionTimestamp")),
        finished=_shared(ended.get("type")),
        finished_reason=_shared(ended.get("reason")),
        finished_at=moment(ended.get("lastTransitionTime")),
    )


def pod_fact(raw: Mapping[str, Any]) -> PodFact | None:
    """Project a pod; None if it is not of a run's Job."""
    metadata = _map(raw.get("metadata"))
    labels = _map(metadata.get("labels"))
    uid, run_uid = _text(metadata.get("uid")), _shared(labels.get(names.LABEL_RUN_UID))
    job_uid, job_name = _job_of(metadata)
    if not uid or not run_uid or not job_uid:
        return None
    return PodFact(
        run_uid=run_uid,
        role=_shared(labels.get(names.LABEL_ROLE)),
        namespace=_shared(metadata.get("namespace")),
        job_uid=job_uid,
        job_name=job_name,
        pod=_pod(uid, raw, metadata),
        members=members_of(_map(metadata.get("annotations")).get(names.ANNOTATION_MEMBERS)),
    )


def members_of(annotation: object) -> tuple[Member, ...]:
    """Read `[[instance, trial, launch], ...]`; anything else is no members."""
    if not isinstance(annotation, str) or len(annotation) > _MEMBERS_CHARACTERS:
        return ()
    try:
        listed = json.loads(annotation)
    except (ValueError, RecursionError):
        return ()
    members = [_member(each) for each in listed] if isinstance(listed, list) else []
    return tuple(member for member in members if member) if all(members) else ()


@lru_cache(maxsize=4096)
def _parse(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> datetime | None:
    """Read an RFC 3339 time as an aware one in UTC; None for anything else."""
    return _parse(value) if isinstance(value, str) else None


def _pod(uid: str, raw: Mapping[str, Any], metadata: Mapping[str, Any]) -> ObservedPod:
    status, spec = _map(raw.get("status")), _map(raw.get("spec"))
    disruption = ""
    unschedulable_since = bound_at = None
    for condition in _maps(status.get("conditions")):
        kind, is_true = condition.get("type"), condition.get("status")
        if kind == "DisruptionTarget" and is_true == "True":
            disruption = _shared(condition.get("reason"))
        elif (
            kind == "PodScheduled"
            and is_true == "False"
            and condition.get("reason") == "Unschedulable"
        ):
            unschedulable_since = moment(condition.get("lastTransitionTime"))
        elif kind == "PodScheduled" and is_true == "True":
            bound_at = moment(condition.get("lastTransitionTime"))
    containers = (
        *_containers(spec.get("initContainers"), status.get("initContainerStatuses")),
        *_containers(spec.get("containers"), status.get("containerStatuses")),
    )
    ahead = node_ahead(
        Stamps(
            bound_at=bound_at,
            reported_at=_reported_at(metadata),
            taken_on_at=moment(status.get("startTime")),
            happened_at=(at for each in containers for at in (each.started_at, each.finished_at)),
        )
    )
    return ObservedPod(
        uid=uid,
        name=_text(metadata.get("name")),
        phase=_shared(status.get("phase")) or "Pending",
        reason=_shared(status.get("reason")),
        message=_text(status.get("message"))[:_MESSAGE_CHARACTERS],
        node=_shared(spec.get("nodeName")),
        deleting=bool(metadata.get("deletionTimestamp")),
        disruption=disruption,
        unschedulable_since=unschedulable_since,
        created_at=moment(metadata.get("creationTimestamp")),
        deletion_at=moment(metadata.get("deletionTimestamp")),
        containers=containers if ahead == AGREE else _set_right(containers, ahead),
    )


def _reported_at(metadata: Mapping[str, Any]) -> datetime | None:
    """When the kubelet last changed the pod's status, as the API server noted."""
    written = (
        moment(each.get("time"))
        for each in _maps(metadata.get("managedFields"))
        if each.get("manager") == _KUBELET and each.get("subresource") == "status"
    )
    return max(filter(None, written), default=None)


def _set_right(
    containers: tuple[ObservedContainer, ...], ahead: timedelta
) -> tuple[ObservedContainer, ...]:
    """The containers with their times as the API server's clock would have shown them."""
    return tuple(
        replace(
            each,
            started_at=_earlier(each.started_at, ahead),
            finished_at=_earlier(each.finished_at, ahead),
        )
        for each in containers
    )


def _earlier(moment: datetime | None, by: timedelta) -> datetime | None:
    try:
        return moment - by if moment is not None else None
    except OverflowError:
        return None


def _containers(declared: object, statuses: object) -> tuple[ObservedContainer, ...]:
    """Containers in the order of the spec; one that has no status yet is waiting."""
    said = {_shared(status.get("name")): status for status in _maps(statuses)}
    order = dict.fromkeys(_shared(each.get("name")) for each in _maps(declared))
    order.update(dict.fromkeys(said))
    return tuple(_container(name, said.get(name, {})) for name in order if name)


def _container(name: str, status: Mapping[str, Any]) -> ObservedContainer:
    state = _map(status.get("state"))
    image_id = _shared(status.get("imageID"))
    terminated = state.get(TERMINATED)
    if isinstance(terminated, Mapping):
        return ObservedContainer(
            name=name,
            state=TERMINATED,
            reason=_shared(terminated.get("reason")),
            message=_text(terminated.get("message"))[:_MESSAGE_CHARACTERS],
            exit_code=_number(terminated.get("exitCode")),
            started_at=moment(terminated.get("startedAt")),
            finished_at=moment(terminated.get("finishedAt")),
            image_id=image_id,
        )
    running = state.get(RUNNING)
    if isinstance(running, Mapping):
        return ObservedContainer(
            name=name, state=RUNNING, started_at=moment(running.get("startedAt")), image_id=image_id
        )
    waiting = _map(state.get(WAITING))
    message = _text(waiting.get("message"))[:_MESSAGE_CHARACTERS]
    return _waiting(name, _shared(waiting.get("reason")), message, image_id)


@lru_cache(maxsize=1024)
def _waiting(name: str, reason: str, message: str, image_id: str) -> ObservedContainer:
    return ObservedContainer(
        name=name, state=WAITING, reason=reason, message=message, image_id=image_id
    )


def _had_pod(status: Mapping[str, Any], *, suspended: bool) -> bool:
    counted = any(
        _number(status.get(count)) > 0 for count in ("active", "succeeded", "failed", "terminating")
    )
    # The Job controller sets startTime only while a Job is not suspended.
    return counted or (suspended and bool(status.get("startTime")))


def _job_of(metadata: Mapping[str, Any]) -> tuple[str, str]:
    for owner in _maps(metadata.get("ownerReferences")):
        if owner.get("kind") == "Job" and _text(owner.get("uid")):
            return _text(owner.get("uid")), _text(owner.get("name"))
    return "", ""


def _member(listed: object) -> Member | None:
    match listed:
        case [str(instance), int(trial), int(launch)] if instance and instance.isprintable():
            return Member(sys.intern(instance), int(trial), int(launch))
        case _:
            return None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shared(value: object) -> str:
    """A string that many objects have; sharing one that is unique would only cost."""
    return sys.intern(value) if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
