"""decide(world) -> Decision: what a run needs now, from the whole truth, without doing anything.

Any pass may be the first or be repeated. Nothing here remembers: what was launched is seen, what was learnt is
in rows, and what remains follows from both.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from benchwarden import names
from benchwarden.planning.groups import group_trials
from benchwarden.planning.plan import Batch, Plan
from benchwarden.reconcile import status as status_of
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN, Condition, find
from benchwarden.reconcile.decision import (
    Action,
    Compact,
    Decision,
    DeleteBatch,
    EmitEvent,
    EnsureInputs,
    StorePlan,
    StoreRows,
)
from benchwarden.reconcile.launching import launches
from benchwarden.reconcile.news import refusal_events, retry_events, turn_events
from benchwarden.reconcile.observed import WAITING, ObservedPod
from benchwarden.reconcile.outlook import Outlook, outlook
from benchwarden.reconcile.probing import probe
from benchwarden.reconcile.settling import (
    RESYNC_SECONDS,
    after_the_end,
    deletes,
    is_settled,
    kept_end,
    settled,
    ttl,
    until_ttl,
)
from benchwarden.reconcile.uploads import artifacts_kept
from benchwarden.reconcile.verdict import regressed, succeeded
from benchwarden.reconcile.work import RetryPolicy, Work, survey
from benchwarden.reconcile.world import Refusal, World
from benchwarden.results.row import KIND_VERDICT, Row
from benchwarden.suites.instance import Panel

FLUSH_ROWS = 50
FLUSH_AFTER = timedelta(seconds=30)
ACTIVE_SECONDS = 10.0
# Nothing is seen of a pod that was refused, so whoever waits for one asks; a healthy one is there by now.
PODLESS_SECONDS = 4.0
# Nor of an answer of the registry, which mostly comes at once.
RESOLVING_SECONDS = 0.5


def decide(world: World) -> Decision:
    """The decision of one pass; see `World` for what it depends on."""
    if is_settled(world):
        return settled(world)
    if world.panel is None and world.plan is None:
        return _waiting(world, "the suite is being read")
    if isinstance(world.panel, Refusal):
        return _refused(world, world.panel)
    if world.panel is None:
        return _waiting(world, "the suite is being read again")
    if world.plan is None:
        return _planning(world, world.panel)
    if world.plan.panel_digest != world.panel.digest:
        text = "the suite's content changed after the run was planned; create a new run"
        return _refused(world, Refusal(names.REASON_PLAN_CHANGED, text))
    return _running(world, world.plan)


def _waiting(world: World, message: str) -> Decision:
    decided = [
        Condition(names.CONDITION_ACCEPTED, UNKNOWN, names.REASON_STARTING, message),
        Condition(names.CONDITION_PLANNED, UNKNOWN, names.REASON_STARTING),
        Condition(names.CONDITION_PROGRESSING, UNKNOWN, names.REASON_STARTING),
        Condition(names.CONDITION_SUCCEEDED, UNKNOWN, names.REASON_IN_PROGRESS),
    ]
    if world.run.status.get("conditions"):
        return Decision(requeue_after_seconds=RESYNC_SECONDS)
    status = status_of.build(world, decided, status_of.progress_of(world, None))
    return Decision(status=status, requeue_after_seconds=RESYNC_SECONDS)


def _refused(world: World, refusal: Refusal) -> Decision:
    """The suite does not do. A run that had ended before is told so, and its end stays what it was."""
    planned = TRUE if world.plan is not None else FALSE
    ended = UNKNOWN if refusal.retry else FALSE
    kept = kept_end(world, refusal)
    decided = [
        Condition(names.CONDITION_ACCEPTED, FALSE, refusal.reason, refusal.message),
        *(
            kept
            or (
                Condition(names.CONDITION_PLANNED, planned, refusal.reason, refusal.message),
                Condition(names.CONDITION_PROGRESSING, FALSE, refusal.reason, refusal.message),
                Condition(names.CONDITION_SUCCEEDED, ended, refusal.reason, refusal.message),
            )
        ),
    ]
    work = None if world.plan is None else _work(world, world.plan)
    status = status_of.build(world, decided, status_of.progress_of(world, work))
    events = refusal_events(world, refusal)
    if refusal.retry:
        if kept:  # what was asked for after the end is not done yet
            handled = ("observedGeneration", "retriesHandled")
            status |= {key: world.run.status.get(key, 0) for key in handled}
        stored = _stores(world) if _flush_due(world, ended=False) else []
        return Decision((*stored, *events), status, RESYNC_SECONDS)
    stops = _stores(world) if kept else _stops(world)
    return Decision((*events, *stops, *ttl(world, status)), status, until_ttl(world, status))


def _stops(world: World) -> list[Action]:
    """Keep what is known and end what is alive: the run can never go on."""
    return _stores(world) + [
        DeleteBatch(each.batch.name, each.batch.uid)
        for each in world.batches
        if not each.batch.deleting and not each.batch.gone
    ]


def _stores(world: World) -> list[Action]:
    return [StoreRows(world.unstored)] if world.unstored else []


def _planning(world: World, panel: Panel) -> Decision:
    """Accepted: probe the agent if it has something to probe, then freeze the plan."""
    accepted = _accepted(panel)
    if world.run.spec.cancel:
        return _never_started(world, accepted, names.REASON_CANCELLED, "cancelled before it began")
    if world.run.spec.suspend:
        return _held(world, accepted)
    probed = probe(world)
    if probed.failure is not None:
        reason, message = probed.failure
        return _never_started(world, accepted, reason, message)
    if not probed.done:
        decided = [
            accepted,
            Condition(names.CONDITION_PLANNED, UNKNOWN, probed.reason, probed.message),
            Condition(names.CONDITION_PROGRESSING, TRUE, probed.reason, probed.message),
            Condition(names.CONDITION_SUCCEEDED, UNKNOWN, names.REASON_IN_PROGRESS),
        ]
        status = status_of.build(world, decided, status_of.progress_of(world, None))
        resolving = probed.reason == names.REASON_RESOLVING
        return Decision(
            probed.actions, status, RESOLVING_SECONDS if resolving else _patience(world)
        )
    return Decision((StorePlan(make_plan(world, panel, probed.facts)),), None, 0.0)


def make_plan(world: World, panel: Panel, facts: tuple[tuple[str, str], ...]) -> Plan:
    """The plan that follows from panel, spec and what the probe learnt."""
    execution = world.run.spec.execution
    size = execution.batch_size or default_batch_size(world)
    groups = group_trials(
        panel.instances, execution.trials_per_instance, size, world.durations_seconds
    )
    return Plan(panel.digest, groups, facts)


def default_batch_size(world: World) -> int:
    """5 where instances commonly share an image, 1 where each has its own."""
    return 5 if world.run.spec.suite.tasks is not None else 1


def _accepted(panel: Panel) -> Condition:
    text = f"{len(panel.instances)} instances, panel {panel.digest[:12]}"
    return Condition(names.CONDITION_ACCEPTED, TRUE, names.REASON_VALID, text)


def _held(world: World, accepted: Condition) -> Decision:
    decided = [
        accepted,
        Condition(names.CONDITION_PLANNED, UNKNOWN, names.REASON_SUSPENDED),
        Condition(
            names.CONDITION_PROGRESSING, FALSE, names.REASON_SUSPENDED, "spec.suspend is true"
        ),
        Condition(names.CONDITION_SUCCEEDED, UNKNOWN, names.REASON_SUSPENDED),
    ]
    return Decision((), status_of.build(world, decided, status_of.progress_of(world, None)), None)


def _never_started(world: World, accepted: Condition, reason: str, message: str) -> Decision:
    decided = [
        accepted,
        Condition(names.CONDITION_PLANNED, FALSE, reason, message),
        Condition(names.CONDITION_PROGRESSING, FALSE, reason, message),
        Condition(names.CONDITION_SUCCEEDED, FALSE, reason, message),
    ]
    before = find(world.run.status.get("conditions") or [], names.CONDITION_SUCCEEDED)
    actions = _stops(world)
    if before.get("reason") != reason:
        actions.append(EmitEvent(reason, message, warning=True))
    status = status_of.build(world, decided, status_of.progress_of(world, None))
    return Decision((*actions, *ttl(world, status)), status, until_ttl(world, status))


def _running(world: World, plan: Plan) -> Decision:
    work = _work(world, plan)
    ahead = outlook(world, work)
    actions: list[Action] = []
    if _flush_due(world, ended=ahead.ended):
        actions.append(StoreRows(world.unstored))
        actions += retry_events(world)
    flushed = bool(actions) or not world.unstored
    cleared = deletes(world, cut_short=ahead.cut_short, flushed=flushed)
    launched = launches(world, work) if ahead.open else []
    actions += _missing_inputs(world)
    actions += _in_turn(cleared, launched)
    decided = [*_conditions(world, plan, ahead), *artifacts_kept(world, ended=ahead.ended)]
    actions += turn_events(world, decided)
    status = status_of.build(world, decided, status_of.progress_of(world, work))
    if ahead.ended:
        comparison = regressed(world)
        if comparison is not None:
            condition, figures = comparison
            status = status_of.build(
                world, [*decided, condition], status_of.progress_of(world, work)
            )
            status["comparison"] = figures
            actions += turn_events(world, (condition,))
        actions += _ends(world, status)
    again = (
        after_the_end(world, status)
        if ahead.ended
        else _requeue(world, ahead, launched=bool(launched))
    )
    return Decision(tuple(actions), status, again)


def _work(world: World, plan: Plan) -> Work:
    alive = frozenset(
        member.key
        for view in world.batches
        if not view.over
        for member in view.batch.members
        if not world.tally.knows(member)
    )
    return survey(plan, world.tally, alive, RetryPolicy.of(world.run.spec), world.now)


def _flush_due(world: World, *, ended: bool) -> bool:
    if not world.unstored:
        return False
    last = world.last_stored_at
    # Outside the span in either direction: a clock that is put back delays nothing.
    waited = last is None or not timedelta() <= world.now - last < FLUSH_AFTER
    full = len(world.unstored) >= FLUSH_ROWS
    return waited or full or ended or any(_judged(world, row) for row in world.unstored)


def _judged(world: World, row: Row) -> bool:
    """Whether a row is the verdict on a charged launch: no pod could say it again to a successor."""
    charges = world.tally.state(row.key).charges
    return row.kind == KIND_VERDICT and bool(charges) and charges[-1].launch == row.launch


def _in_turn(deletes: Sequence[Action], launched: Sequence[Action]) -> list[Action]:
    """One of each after the other: a pass may not come to the end of them, and neither shall starve."""
    both = zip_longest(deletes, launched)
    return [action for pair in both for action in pair if action is not None]


def _missing_inputs(world: World) -> list[Action]:
    """Input ConfigMaps of Jobs this process did not create: a crash may have come between.

    A pod of which a container was started has mounted them all: a successor among a thousand live pods asks
    for those alone that wait.
    """
    return [
        EnsureInputs(view.batch.name, view.batch.uid, Batch(view.batch.members))
        for view in world.batches
        if view.batch.members
        and view.batch.uid  # else the API server refused the Job
        and not view.over
        and not view.batch.deleting
        and view.batch.name not in world.inputs_ensured
        and not _has_begun(view.batch.pod)
    ]


def _has_begun(pod: ObservedPod | None) -> bool:
    return pod is not None and any(each.state != WAITING for each in pod.containers)


def _conditions(world: World, plan: Plan, ahead: Outlook) -> list[Condition]:
    assert isinstance(world.panel, Panel)  # noqa: S101  # decide() came here with a panel
    text = f"trials: {plan.trials}, batches: {len(plan.groups)}"
    return [
        _accepted(world.panel),
        Condition(names.CONDITION_PLANNED, TRUE, names.REASON_PLANNED, text),
        Condition(names.CONDITION_PROGRESSING, ahead.progressing, ahead.reason, ahead.message),
        succeeded(world, ahead),
    ]


def _ends(world: World, status: dict[str, Any]) -> list[Action]:
    """What the end of a run asks for: compact results, tell it once, later delete the run."""
    before = find(world.run.status.get("conditions") or [], names.CONDITION_SUCCEEDED)
    after = find(status["conditions"], names.CONDITION_SUCCEEDED)
    actions: list[Action] = []
    turned = before.get("status") != after["status"] or before.get("reason") != after["reason"]
    if turned or world.unstored:
        actions.append(Compact())
    if turned:
        warning = after["status"] != TRUE
        actions.append(EmitEvent(after["reason"], after["message"], warning=warning))
    actions += ttl(world, status)
    return actions


def _requeue(world: World, ahead: Outlook, *, launched: bool) -> float:
    patience = PODLESS_SECONDS if launched else _patience(world)
    if ahead.next_at is not None:
        return min(max((ahead.next_at - world.now).total_seconds(), 0.5), patience)
    if world.unstored and world.last_stored_at is not None:
        due = (world.last_stored_at + FLUSH_AFTER - world.now).total_seconds()
        return min(max(due, 0.5), patience)
    return patience


def _patience(world: World) -> float:
    """How long to wait for something to be seen."""
    podless = any(
        view.batch.pod is None and not (view.over or view.batch.suspended or view.batch.gone)
        for view in world.batches
    )
    return PODLESS_SECONDS if podless else ACTIVE_SECONDS
