"""How a batch ended, if it did: one fact with its class, from the pod, its containers and the Job.

A pod may have ended without saying so. On cgroup v1 a killed child leaves its container with exit code 0 and
reason OOMKilled and the pod pending for ever; a missing second image does the same. Both are endings here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from benchwarden import names
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.observed import ObservedBatch, ObservedContainer, ObservedPod
from benchwarden_runner import protocol

OOM_KILLED = "OOMKilled"
PULL_REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"}
)
CREATE_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError"})
DISRUPTIONS = {
    "PreemptionByScheduler": protocol.PREEMPTED,
    "DeletionByTaintManager": protocol.NODE_LOST,
    "EvictionByEvictionAPI": protocol.DRAINED,
    "DeletionByPodGC": protocol.NODE_LOST,
    "TerminationByKubelet": protocol.EVICTED,
}
POD_REASONS = {
    "Evicted": protocol.EVICTED,
    "NodeLost": protocol.NODE_LOST,
    "NodeShutdown": protocol.DRAINED,
    "Terminated": protocol.DRAINED,
    "Shutdown": protocol.DRAINED,
    "Preempting": protocol.PREEMPTED,
}
DISK_WORDS = ("ephemeral local storage", "ephemeral-storage", "emptydir")
# A pod that is being deleted gets this long beyond its grace period before it counts as lost.
DELETING_PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ended.

    Attributes:
        outcome: class charged to the member that was at work.
        at_work_only: charge the member only if one of its containers was started or was the one waited
            for; False charges the first unfinished member whatever the pod had reached.
    """

    outcome: str
    reason: str = ""
    at_work_only: bool = True


def of_batch(batch: ObservedBatch, pending_timeout_seconds: int, now: datetime) -> Ending | None:
    """How the batch ended; None while it may still go on."""
    pod = batch.pod
    if batch.gone:
        return of_pod(pod) or Ending(protocol.DRAINED, "JobDeleted")
    if pod is None:
        if batch.finished:
            return Ending(protocol.DRAINED, batch.finished_reason or "PodDeleted")
        return None
    if batch.suspended and batch.started:
        return Ending(protocol.PREEMPTED, names.REASON_SUSPENDED)
    ended = of_pod(pod)
    if ended is not None:
        return ended
    if batch.finished:
        return Ending(protocol.DRAINED, batch.finished_reason or "PodDeleted")
    if pod.deletion_at is not None and now - pod.deletion_at > DELETING_PATIENCE:
        return Ending(protocol.NODE_LOST, "StuckDeleting")
    return _of_waiting(pod, timedelta(seconds=pending_timeout_seconds), now)


def of_pod(pod: ObservedPod | None) -> Ending | None:
    """How the pod ended by its own status; None while it may still go on."""
    if pod is None:
        return None
    killed = next(
        (
            each
            for each in _chain(pod)
            if each.state == seen.TERMINATED and each.reason == OOM_KILLED
        ),
        None,
    )
    if killed is not None:
        agent = killed.name.startswith(names.AGENT_PREFIX)
        return Ending(protocol.AGENT_OOM if agent else protocol.GRADER_ERROR, OOM_KILLED)
    if pod.phase == "Succeeded":
        return Ending(protocol.HARNESS, "PodSucceededWithoutVerdict")
    if pod.disruption:
        outcome = DISRUPTIONS.get(pod.disruption, protocol.DRAINED)
        # A lost node never confirms the end of its pods.
        if pod.phase in ("Failed", "Unknown") or outcome == protocol.NODE_LOST:
            return Ending(outcome, pod.disruption)
    if pod.phase == "Failed":
        return _of_failed(pod)
    if pod.phase == "Unknown":
        return Ending(protocol.NODE_LOST, pod.reason or "Unknown")
    return None


def _chain(pod: ObservedPod) -> list[ObservedContainer]:
    """All containers but the uploader: a sidecar's end is never the pod's."""
    return [each for each in pod.containers if each.name != names.CONTAINER_UPLOADER]


def _of_failed(pod: ObservedPod) -> Ending:
    text = pod.message.lower()
    if pod.reason == "Evicted" and any(word in text for word in DISK_WORDS):
        own = "exceeds" in text or "exceeded" in text
        if own:  # the pod's own limit, not the node's pressure
            return Ending(protocol.AGENT_DISK, "EphemeralStorageLimit")
    if pod.reason in POD_REASONS:
        return Ending(POD_REASONS[pod.reason], pod.reason)
    if pod.reason == "DeadlineExceeded":
        return Ending(protocol.HARNESS, "DeadlineExceeded")
    if pod.deleting:
        return Ending(protocol.DRAINED, "PodDeleted")
    failed = next(
        (each for each in _chain(pod) if each.state == seen.TERMINATED and each.exit_code), None
    )
    if failed is None and any(each.state != seen.WAITING for each in pod.containers):
        return Ending(protocol.HARNESS, pod.reason or "PodFailed")
    if failed is None:
        # Refused by the kubelet before any container: OutOfcpu, NodeAffinity, UnexpectedAdmissionError.
        return Ending(protocol.UNSCHEDULABLE, pod.reason or "PodFailed", at_work_only=False)
    if failed.reason == "ContainerStatusUnknown":
        return Ending(protocol.NODE_LOST, failed.reason)
    text = f"{failed.name} exited {failed.exit_code} {failed.reason}".strip()
    if failed.name == names.CONTAINER_INJECT and failed.message:
        text = f"{text}: {failed.message}"  # it runs before any agent, so its word is ours
    return Ending(protocol.HARNESS, text)


def _of_waiting(pod: ObservedPod, patience: timedelta, now: datetime) -> Ending | None:
    """A pod that waits for what will not come has ended once its patience is over."""
    since = pod.unschedulable_since
    if since is not None and now - since >= patience:
        return Ending(protocol.UNSCHEDULABLE, "Unschedulable", at_work_only=False)
    waiting = waiting_container(pod)
    if waiting is None:
        return None
    started = waiting_since(pod, waiting)
    if started is None or now - started < patience:
        return None
    if waiting.reason in PULL_REASONS:
        return Ending(protocol.IMAGE_PULL, waiting.reason)
    return Ending(protocol.HARNESS, waiting.reason)


def waiting_container(pod: ObservedPod) -> ObservedContainer | None:
    """The container that the pod waits for because of an error, or None."""
    return next(
        (
            each
            for each in pod.containers
            if each.state == seen.WAITING
            and (each.reason in PULL_REASONS or each.reason in CREATE_REASONS)
        ),
        None,
    )


def waiting_since(pod: ObservedPod, waiting: ObservedContainer) -> datetime | None:
    """When the predecessor of the waiting container ended; the pod's creation for the first one."""
    since = pod.created_at
    for each in pod.containers:
        if each.name == waiting.name:
            break
        if each.finished_at is not None:
            since = each.finished_at
    return since
