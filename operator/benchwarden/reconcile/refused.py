"""The status of a run whose spec cannot even be read: accepted is false, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.reconcile.conditions import FALSE, Condition, find, merge
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
    before = find(previous, names.CONDITION_ACCEPTED)
    decided = [Condition(kind, FALSE, reason, message) for kind in TYPES]
    written = {
        **status,
        "observedGeneration": generation,
        "conditions": merge(previous, decided, generation, now),
    }
    news = (before.get("reason"), before.get("message")) != (reason, message[:1024])
    return written, EmitEvent(reason, message, warning=True) if news else None
