"""What a schedule decides, as data: launch, cancel, roll up, note, delete, tell; and the status to write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchwarden.reconcile.decision import EmitEvent
from benchwarden.results.cells import Note
from benchwarden.scheduling.observed import RunFact


@dataclass(frozen=True, slots=True)
class LaunchRun:
    """Create the run of a slot; one that exists under that name is the same run."""

    name: str
    slot: datetime
    series: str
    factor: int = 1


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End a run that a newer slot replaces; what it has is kept."""

    run: RunFact


@dataclass(frozen=True, slots=True)
class RollUp:
    """Store the cells of an ended run in the schedule's own shards."""

    run: RunFact


@dataclass(frozen=True, slots=True)
class TakeNotes:
    """Store notes in the schedule's own shards."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Delete a run beyond the history limits; its cells are stored."""

    run: RunFact


Action = LaunchRun | CancelRun | RollUp | TakeNotes | DeleteRun | EmitEvent


@dataclass(frozen=True, slots=True)
class ScheduleDecision:
    """What one pass decided.

    Attributes:
        actions: in the order they must be carried out; the first failure ends the pass.
        status: the complete status, or None for "leave as it is".
        requeue_after_seconds: look again after this long even if nothing is seen; None = never.
    """

    actions: tuple[Action, ...] = ()
    status: Mapping[str, Any] | None = None
    requeue_after_seconds: float | None = None
