"""News: what deserves a Kubernetes event, said once when it turns, never at every pass."""

from collections.abc import Iterable

from benchwarden import names
from benchwarden.reconcile.conditions import (
    FALSE,
    TRUE,
    Condition,
    find,
    is_told,
)
from benchwarden.reconcile.decision import Action, EmitEvent
from benchwarden.reconcile.world import Refusal, World
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT
from benchwarden_runner import protocol

QUIET_REASONS = frozenset({names.REASON_FINISHED, names.REASON_RUNNING})
MAX_NAMED = 5


def turn_events(world: World, decided: Iterable[Condition]) -> list[Action]:
    """Events for conditions that turned since the status was written."""
    previous = world.run.status.get("conditions") or []
    events: list[Action] = []
    for condition in decided:
        before = find(previous, condition.type)
        if (before.get("status"), before.get("reason")) == (condition.status, condition.reason):
            continue
        if condition.type == names.CONDITION_PLANNED and condition.status == TRUE:
            events.append(EmitEvent(condition.reason, condition.message))
        if condition.type == names.CONDITION_REGRESSED:
            warning = condition.status == TRUE
            events.append(EmitEvent(condition.reason, condition.message, warning=warning))
        if condition.type == names.CONDITION_ARTIFACTS_KEPT and condition.status == FALSE:
            events.append(EmitEvent(condition.reason, condition.message, warning=True))
        if condition.type == names.CONDITION_PROGRESSING and (
            condition.reason == names.REASON_WAITING_FOR_PODS
            or (condition.status == FALSE and condition.reason not in QUIET_REASONS)
        ):
            events.append(EmitEvent(condition.reason, condition.message, warning=True))
    return events


def refusal_events(world: World, refusal: Refusal) -> tuple[Action, ...]:
    """The event of a refusal that the status does not tell yet."""
    before = world.run.status.get("conditions") or []
    if is_told(before, names.CONDITION_ACCEPTED, refusal.reason, refusal.message):
        return ()
    return (EmitEvent(refusal.reason, refusal.message, warning=True),)


def retry_events(world: World) -> list[Action]:
    """Events for infra outcomes and for verdicts of the pod's own limits, as their rows are stored."""
    by_class: dict[tuple[str, str], list[str]] = {}
    for row in world.unstored:
        limit = row.kind == KIND_VERDICT and row.outcome in protocol.LIMIT_CLASSES
        if row.kind == KIND_CHARGE or limit:
            by_class.setdefault((row.kind, row.outcome), []).append(
                f"{row.instance} ({row.reason})" if row.reason else row.instance
            )
    events: list[Action] = []
    for (kind, outcome), who in sorted(by_class.items()):
        more = f" and {len(who) - MAX_NAMED} more" if len(who) > MAX_NAMED else ""
        text = f"{outcome}: {', '.join(who[:MAX_NAMED])}{more}"
        reason = names.EVENT_INSTANCE_CHARGED if kind == KIND_CHARGE else names.EVENT_LIMIT_REACHED
        events.append(EmitEvent(reason, text, warning=True))
    return events
