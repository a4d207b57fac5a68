"""Conditions as Kubernetes wants them: one per type, a reason always, the transition time kept while it holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.reconcile.capture import stamp

TRUE = "True"
FALSE = "False"
UNKNOWN = "Unknown"
MAX_MESSAGE_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as decided in this pass."""

    type: str
    status: str
    reason: str
    message: str = ""


def merge(
    previous: Sequence[Mapping[str, Any]],
    decided: Iterable[Condition],
    generation: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """The condition list to write; `lastTransitionTime` moves only when a status changes."""
    before = {str(each.get("type")): each for each in previous}
    merged: list[dict[str, Any]] = []
    for condition in decided:
        old = before.get(condition.type)
        same = old is not None and old.get("status") == condition.status
        since = str(old["lastTransitionTime"]) if same and old is not None else stamp(now)
        merged.append(
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message[:MAX_MESSAGE_CHARACTERS],
                "observedGeneration": generation,
                "lastTransitionTime": since,
            }
        )
    return merged


def find(conditions: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    """The condition of that type, or an empty mapping."""
    return next((each for each in conditions if each.get("type") == kind), {})


def is_told(conditions: Sequence[Mapping[str, Any]], kind: str, reason: str, message: str) -> bool:
    """Whether the condition of that type already says this."""
    told = find(conditions, kind)
    said = (told.get("reason"), told.get("message"))
    return said == (reason, message[:MAX_MESSAGE_CHARACTERS])


def has_ended(status: Mapping[str, Any]) -> bool:
    """Whether a run's status says how it came out."""
    condition = find(status.get("conditions") or [], names.CONDITION_SUCCEEDED)
    return bool(condition.get("status", UNKNOWN) != UNKNOWN)
