"""The status of a run whose spec cannot even be read: accepted is false, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.reconcile.conditions import FALSE, Condition, is_told, merge
from benchwarden.reconcile.decision import EmitEvent

TYPES = (
    names.CONDITION_ACCEPTED,
    names.CONDITION_PLANNED,
    names.CONDITION_PROGRESSING,
    names.CONDITION_SUCCEEDED,
)


def refused_status(
    status: Mapping[str, Any], generation: int, reason: str, message: str, now: datetime
) -> tuple[dict[str, Any], EmitEvent | None]:
    """The status to write, and an event if this refusal is news."""
    previous = status.get("conditions") or []
    decided = [Condition(kind, FALSE, reason, message) for kind in TYPES]
    written = {
        **status,
        "observedGeneration": generation,
        "conditions": merge(previous, decided, generation, now),
    }
    told = is_told(previous, names.CONDITION_ACCEPTED, reason, message)
    return written, None if told else EmitEvent(reason, message, warning=True)
