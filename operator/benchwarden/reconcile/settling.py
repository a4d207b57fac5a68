"""Settling: what is cleared away when it has said all it can, and when an ended run needs no more looking at."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from benchwarden import names
from benchwarden.reconcile.conditions import UNKNOWN, Condition, find, has_ended
from benchwarden.reconcile.decision import Action, Decision, DeleteBatch, DeleteRun
from benchwarden.reconcile.observed import ObservedPod
from benchwarden.reconcile.work import moment
from benchwarden.reconcile.world import Refusal, World
from benchwarden.results.tally import Tally

RESYNC_SECONDS = 30.0


def is_settled(world: World) -> bool:
    """Whether the run has ended as its spec now is, and all that its pods said is stored and told.

    Its suite may have changed since, or be gone: an end stays what it was.
    """
    run = world.run
    if not has_ended(run.status) or run.status.get("observedGeneration") != run.generation:
        return False
    compared = find(run.status["conditions"], names.CONDITION_REGRESSED)
    kept = find(run.status["conditions"], names.CONDITION_ARTIFACTS_KEPT)
    if compared.get("reason") == names.REASON_BASE_UNAVAILABLE or kept.get("status") == UNKNOWN:
        return False
    said_all = all(
        view.over and (view.spent or view.batch.role == names.ROLE_PROBE) for view in world.batches
    )
    return said_all and not world.unstored and _tells_all(run.status, world.tally)


def _tells_all(status: Mapping[str, Any], tally: Tally) -> bool:
    """Whether a status holds what its rows say: one that is soon replaced may have been left unwritten."""
    counts = status.get("counts") or {}
    told = (
        counts.get("running"),
        counts.get("valid"),
        counts.get("retried"),
        counts.get("conflicts"),
    )
    known = (0, tally.verdicts, tally.charges.total(), tally.conflicts)
    return told == known and status.get("costUsd") == f"{tally.cost_usd:.4f}"


def settled(world: World) -> Decision:
    """Clear away what is left, and the run itself when its time has come."""
    actions = (*deletes(world, cut_short=False, flushed=True), *ttl(world, world.run.status))
    return Decision(actions, None, after_the_end(world, world.run.status), settled=True)


def kept_end(world: World, refusal: Refusal) -> list[Condition]:
    """How a planned run had ended before its suite was refused, all but its acceptance; else nothing."""
    run = world.run
    if world.plan is None or not has_ended(run.status):
        return []
    before = run.status["conditions"]
    if find(before, names.CONDITION_SUCCEEDED).get("reason") == refusal.reason:
        return []  # that was its end
    return [
        Condition(each["type"], each["status"], each["reason"], each.get("message", ""))
        for each in before
        if each["type"] != names.CONDITION_ACCEPTED
    ]


def deletes(world: World, *, cut_short: bool, flushed: bool) -> list[Action]:
    """Jobs that have nothing more to say; their rows are stored first or in this same decision."""
    unstored = {row.batch for row in world.unstored} if not flushed else set()
    keep = world.run.spec.cleanup_policy
    actions: list[Action] = []
    for view in world.batches:
        batch = view.batch
        if batch.deleting or batch.gone or batch.name in unstored:
            continue
        if batch.role == names.ROLE_PROBE or cut_short:
            actions.append(DeleteBatch(batch.name, batch.uid))
        elif view.over and view.spent:
            stuck = view.ending is not None and not batch.finished and not _ends_soon(batch.pod)
            clean = all(
                world.tally.state(member.key).verdict is not None for member in batch.members
            )
            if keep == "Always" or stuck or (keep == "OnSuccess" and clean):
                actions.append(DeleteBatch(batch.name, batch.uid))
    return actions


def _ends_soon(pod: ObservedPod | None) -> bool:
    """Whether the Job will be finished by itself: a Job is told of its pod's end a moment after us."""
    return pod is not None and pod.phase in ("Succeeded", "Failed")


def ttl(world: World, status: Mapping[str, Any]) -> tuple[Action, ...]:
    """The deletion of the run, if its time to live is over."""
    due = _due(world, status)
    return (DeleteRun(),) if due is not None and world.now >= due else ()


def _due(world: World, status: Mapping[str, Any]) -> datetime | None:
    """When the run's time to live is over; None if it may stay."""
    lives = world.run.spec.ttl_seconds_after_finished
    finished = status.get("finishedAt")
    if lives is None or not finished:
        return None
    return moment(finished) + timedelta(seconds=lives)


def until_ttl(world: World, status: Mapping[str, Any]) -> float | None:
    """Seconds until the run's time to live is over, at least one; None if it may stay."""
    due = _due(world, status)
    return None if due is None else max((due - world.now).total_seconds(), 1.0)


def after_the_end(world: World, status: Mapping[str, Any]) -> float | None:
    """When to look at an ended run again: for Jobs that still go, a base that still runs, its time to live."""
    waits = any(not view.batch.gone for view in world.batches)
    waits = waits or (world.base is not None and world.base.retry)
    left = until_ttl(world, status)
    if not waits:
        return left
    return RESYNC_SECONDS if left is None else min(left, RESYNC_SECONDS)
