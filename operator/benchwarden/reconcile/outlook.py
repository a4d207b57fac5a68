"""The outlook of a planned run: may it launch more, has it ended, and what should the user be told."""

from dataclasses import dataclass
from datetime import datetime

from benchwarden import names
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN
from benchwarden.reconcile.ending import PULL_REASONS, waiting_container
from benchwarden.reconcile.money import purse
from benchwarden.reconcile.work import Work
from benchwarden.reconcile.world import World
from benchwarden_runner import protocol

FATAL_REASONS = {
    protocol.AUTH: names.REASON_AUTHENTICATION_FAILED,
    protocol.UNKNOWN_MODEL: names.REASON_UNKNOWN_MODEL,
    protocol.CLI_TOO_OLD: names.REASON_CLI_TOO_OLD,
}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What follows from the state of all trials.

    Attributes:
        open: new batches may be launched.
        ended: nothing will change any more unless the spec does.
        cut_short: what is alive must be deleted now.
        progressing, reason, message: the Progressing condition.
        next_at: when something delayed becomes ready.
    """

    progressing: str
    reason: str
    message: str = ""
    open: bool = False
    ended: bool = False
    cut_short: bool = False
    next_at: datetime | None = None


def outlook(world: World, work: Work) -> Outlook:
    """The outlook; the first rule that applies decides."""
    spec = world.run.spec
    if work.fatal is not None:
        reason = FATAL_REASONS.get(work.fatal.outcome, work.fatal.outcome)
        text = f"{work.fatal.instance}: {work.fatal.outcome}; {work.fatal.reason}".rstrip("; ")
        return Outlook(FALSE, reason, text, ended=True, cut_short=True)
    left = bool(work.ready or work.alive or work.waiting)
    if not left:
        return Outlook(FALSE, names.REASON_FINISHED, ended=True)
    if spec.cancel:
        text = "spec.cancel is true; results so far are kept"
        return Outlook(FALSE, names.REASON_CANCELLED, text, ended=True, cut_short=True)
    if work.ready and not work.alive and not purse(spec, world.tally).admits(work.ready[0], 0):
        text = f"spent {world.tally.cost_usd} USD and {world.tally.tokens.total} tokens"
        return Outlook(FALSE, names.REASON_BUDGET_SPENT, text, ended=True)
    if spec.suspend:
        text = "spec.suspend is true; batches that run go on"
        return Outlook(FALSE, names.REASON_SUSPENDED, text, next_at=work.delayed_until)
    return _busy(world, work)


def _busy(world: World, work: Work) -> Outlook:
    live = [view.batch for view in world.batches if not view.over and view.batch.members]
    refused = next((batch for batch in live if batch.create_failure), None)
    if refused is not None:
        reason, advice = explain_refusal(refused.create_failure)
        text = f"{refused.name}: {refused.create_failure[:600].rstrip('. ')}. {advice}"
        # Pods of further batches would be refused alike.
        return Outlook(FALSE, reason, text, next_at=work.delayed_until)
    text = f"batches in flight: {len(live)}, trials in them: {work.alive}"
    if live and all(batch.suspended for batch in live):
        text = "all batches wait for admission by a queue"
        return Outlook(UNKNOWN, names.REASON_QUEUED, text, open=True, next_at=work.delayed_until)
    stuck = _pull_trouble(world)
    if stuck:
        return Outlook(
            TRUE, names.REASON_WAITING_FOR_PODS, stuck, open=True, next_at=work.delayed_until
        )
    return Outlook(TRUE, names.REASON_RUNNING, text, open=True, next_at=work.delayed_until)


def _pull_trouble(world: World) -> str:
    for view in world.batches:
        pod = view.batch.pod
        if view.over or pod is None:
            continue
        if pod.unschedulable_since is not None:
            return f"pod {pod.name} cannot be scheduled: {pod.message}"[:800]
        waiting = waiting_container(pod)
        if waiting is not None and (waiting.reason in PULL_REASONS or waiting.message):
            return f"pod {pod.name}, container {waiting.name}: {waiting.reason} {waiting.message}"[
                :800
            ]
    return ""


def explain_refusal(message: str) -> tuple[str, str]:
    """Condition reason and advice for a refused pod creation, from the API server's words."""
    lowered = message.lower()
    if "violates podsecurity" in lowered or "podsecurity" in lowered:
        advice = (
            "Fix: label the namespace pod-security.kubernetes.io/enforce=baseline, or set"
            " spec.execution.podSecurity: restricted if the images can run so."
        )
        return names.REASON_POD_SECURITY, advice
    if "exceeded quota" in lowered or "resourcequota" in lowered:
        advice = "Fix: raise the quota, or lower spec.execution.parallelism or resources."
        return names.REASON_QUOTA, advice
    return names.REASON_POD_REFUSED, "Fix what the message names; the Job controller tries again."
