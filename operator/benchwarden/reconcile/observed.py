"""What is seen of a run's batches, reduced to the facts decisions use.

The cluster's informers and the local executor both produce these values, so that one `decide` serves both.
"""

from dataclasses import dataclass
from datetime import datetime

from benchwarden.planning.plan import Member

WAITING = "waiting"
RUNNING = "running"
TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class ObservedContainer:
    """One (init) container; `state` is waiting, running or terminated."""

    name: str
    state: str = WAITING
    reason: str = ""
    message: str = ""  # the termination message when terminated, the waiting message when waiting
    exit_code: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    image_id: str = ""


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A batch's pod.

    Attributes:
        phase: Pending, Running, Succeeded, Failed or Unknown.
        reason: pod-level reason, such as Evicted, DeadlineExceeded, NodeLost.
        disruption: reason of a true DisruptionTarget condition, or empty.
        deletion_at: when its grace period ends, if it is being deleted.
        unschedulable_since: since when the PodScheduled condition is False/Unschedulable.
        containers: init containers in order, then main containers.
    """

    uid: str
    name: str
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    node: str = ""
    deleting: bool = False
    disruption: str = ""
    unschedulable_since: datetime | None = None
    created_at: datetime | None = None
    deletion_at: datetime | None = None
    containers: tuple[ObservedContainer, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedBatch:
    """A Job of ours with its newest pod.

    Attributes:
        members: what the Job holds; empty for a probe.
        started: the Job has had a pod at some time (so suspending it would have re-run work).
        finished: Complete, Failed or empty; the Job's own word.
        finished_reason: reason of that condition, such as DeadlineExceeded.
        create_failure: message of a refused pod creation (quota, Pod Security, webhook), or empty.
        gone: the Job no longer exists; kept for the pass that captures what its pod had said.
    """

    name: str
    role: str
    uid: str = ""
    members: tuple[Member, ...] = ()
    created_at: datetime | None = None
    suspended: bool = False
    started: bool = False
    deleting: bool = False
    finished: str = ""
    finished_reason: str = ""
    create_failure: str = ""
    gone: bool = False
    pod: ObservedPod | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """All batches of one run, in name order."""

    batches: tuple[ObservedBatch, ...] = ()
