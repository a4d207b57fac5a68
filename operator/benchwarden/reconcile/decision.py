"""A decision is data: a closed set of actions, the status to write, and when to look again."""

from dataclasses import dataclass
from typing import Any

from benchwarden.planning.plan import Batch, Plan
from benchwarden.results.row import Row


@dataclass(frozen=True, slots=True)
class StorePlan:
    """Freeze the plan (ConfigMap or file) before any batch is launched."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class PinRelease:
    """Ask the registry for the agent's CLI and store what it says; nothing if that is under way."""


@dataclass(frozen=True, slots=True)
class LaunchProbe:
    """Create the probe; `attempt` counts from 1 and is part of its name."""

    name: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LaunchBatch:
    """Create the Job `name` for `batch` and its input ConfigMaps; adopt what exists already."""

    name: str
    batch: Batch


@dataclass(frozen=True, slots=True)
class EnsureInputs:
    """Create the input ConfigMaps of a Job that exists already: a crash may have come between."""

    name: str
    uid: str
    batch: Batch


@dataclass(frozen=True, slots=True)
class StoreRows:
    """Append rows to the durable results; must succeed before later actions of the same decision."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class DeleteBatch:
    """Delete the Job (background propagation); all it had to say is stored."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Compact:
    """Merge the result shards at the end of the run."""


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Delete the run itself: its time to live has passed."""


@dataclass(frozen=True, slots=True)
class EmitEvent:
    """A Kubernetes event on the run; `warning` chooses the type."""

    reason: str
    message: str
    warning: bool = False


Action = (
    StorePlan
    | PinRelease
    | LaunchProbe
    | LaunchBatch
    | EnsureInputs
    | StoreRows
    | DeleteBatch
    | Compact
    | DeleteRun
    | EmitEvent
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What one pass decided.

    Attributes:
        actions: in the order they must be carried out; the first failure ends the pass.
        status: the complete status object (JSON-ready), or None for "leave as it is".
        requeue_after_seconds: look again after this long even if nothing is seen; None = never.
        settled: nothing more can come of the run as it is, so that its suite is needed no longer.
    """

    actions: tuple[Action, ...] = ()
    status: dict[str, Any] | None = None
    requeue_after_seconds: float | None = None
    settled: bool = False
