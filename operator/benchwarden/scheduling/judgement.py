"""Judgement: the conditions of a schedule, and what deserves an event when they turn."""

from collections.abc import Iterable

from benchwarden import names
from benchwarden.reconcile.capture import stamp
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN, Condition, find
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.scheduling.control import control_text
from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.scheduling.figures import cli_change_figure
from benchwarden.scheduling.starting import Start
from benchwarden.scheduling.world import ScheduleWorld
from benchwarden.stats.documents import COLLECTING, NOT_FROZEN
from benchwarden.stats.gate import Gate

_NAMED = 5
_DEGRADED = {
    "ok": (FALSE, names.REASON_NO_DEGRADATION, "within what chance explains"),
    "watch": (FALSE, names.REASON_WATCHING, "a closer look is due"),
    "degraded": (TRUE, names.REASON_SUSPECTED, "the days to come must confirm it"),
    "confirmed": (TRUE, names.REASON_CONFIRMED, "confirmed by the days after the alarm"),
    "resolved": (FALSE, names.REASON_RESOLVED, "a week looks like the baseline again"),
}


def conditions(world: ScheduleWorld, started: Start, attributed: str) -> list[Condition]:
    """All conditions of a schedule whose spec is accepted."""
    return [
        Condition(names.CONDITION_ACCEPTED, TRUE, names.REASON_VALID),
        _scheduling(world, started),
        _baseline_ready(world.latest),
        _degraded(world, attributed),
        _data_quality(world.latest),
    ]


def _scheduling(world: ScheduleWorld, started: Start) -> Condition:
    kind = names.CONDITION_SCHEDULING
    if world.schedule.spec.suspend:
        return Condition(kind, FALSE, names.REASON_SUSPENDED, "spec.suspend is true")
    if started.waiting is not None:
        held = ", ".join(run.name for run in world.active[:_NAMED])
        text = f"slot {stamp(started.waiting)} waits for {held} (concurrencyPolicy Forbid)"
        return Condition(kind, FALSE, names.REASON_PREVIOUS_RUN_ACTIVE, text)
    return Condition(kind, TRUE, names.REASON_SCHEDULED)


def _baseline_ready(evaluation: Evaluation) -> Condition:
    kind = names.CONDITION_BASELINE_READY
    if evaluation.analysis is None:
        return Condition(kind, FALSE, names.REASON_COLLECTING, "no day has results yet")
    found = evaluation.document["baseline"]
    if evaluation.baseline is not None:
        text = (
            f"{found['days']} days, {found['instances']} instances, {found['trials']} trials,"
            f" pass rate {found['pass_rate']:.3f}, frozen on {found['frozen_on']}"
        )
        return Condition(kind, TRUE, names.REASON_FROZEN, text)
    if found["problem"]:
        text = f"{found['problem']}; mend the suite and set baseline.rebaseline to a new text"
        return Condition(kind, FALSE, names.REASON_BASELINE_IMPOSSIBLE, text)
    text = f"{found['days']} of {found['wanted_days']} complete days"
    return Condition(kind, FALSE, names.REASON_COLLECTING, text)


def _degraded(world: ScheduleWorld, attributed: str) -> Condition:
    evaluation = world.latest
    kind, state = names.CONDITION_DEGRADED, evaluation.state
    if state in ("", COLLECTING, NOT_FROZEN):
        return Condition(kind, UNKNOWN, names.REASON_COLLECTING, "there is no frozen baseline yet")
    status, reason, text = _DEGRADED[state]
    details = _details(evaluation, attributed)
    shared = control_text(evaluation, world.evaluations.get(names.SERIES_CONTROL))
    if shared and status == TRUE:
        details.append(shared)
    return Condition(kind, status, reason, "; ".join([text, *details]))


def _details(evaluation: Evaluation, attributed: str) -> list[str]:
    found = evaluation.document
    monitor, windows = found["monitor"], found["windows"]
    shown = "7" if "7" in windows else next(iter(windows))
    window = windows[shown]
    details = []
    if monitor["changepoint"]:
        details.append(f"changed about {monitor['changepoint']}")
    if cli_change_figure(evaluation):
        details.append(f"CLI {cli_change_figure(evaluation)}")
    if evaluation.images and monitor["changepoint"]:
        details.append(evaluation.images)
    if attributed:
        details.append(f"attributed to {attributed}")
    if window["trials"]:
        lower, upper = window["delta_ci"]
        details.append(
            f"last {shown} days {window['delta'] * 100:+.1f} points"
            f" [{lower * 100:+.1f}, {upper * 100:+.1f}], p {window['midp_less']:.4f}"
        )
    worse = [each["instance"] for each in found["flipped"] if each["delta"] < 0]
    if worse and monitor["changepoint"]:
        details.append(f"changed most: {', '.join(worse[:_NAMED])}")
    if monitor["robust"] is False:
        details.append("not robust: missing results could turn the verdict")
    return details


def _data_quality(evaluation: Evaluation) -> Condition:
    kind = names.CONDITION_DATA_QUALITY
    if evaluation.changed:
        text = (
            "the stored days no longer give the baseline that was frozen: a shard was changed or lost;"
            " set baseline.rebaseline to a new text to start anew"
        )
        return Condition(kind, FALSE, names.REASON_HISTORY_CHANGED, text)
    if evaluation.quality is None:
        return Condition(kind, UNKNOWN, names.REASON_NO_DATA, "no day has results yet")
    if evaluation.quality is Gate.HELD:
        text = "less than 80 % of the panel have a result on the last day: it is left out"
        return Condition(kind, FALSE, names.REASON_DAY_HELD, text)
    if evaluation.quality is Gate.PARTIAL:
        text = "less than 90 % of the panel have a result on the last day"
        return Condition(kind, FALSE, names.REASON_INCOMPLETE, text)
    return Condition(kind, TRUE, names.REASON_COMPLETE)


def turns(world: ScheduleWorld, decided: Iterable[Condition]) -> list[EmitEvent]:
    """Events for conditions that turned since the status was written; the first look is no turn."""
    previous = world.schedule.status.get("conditions") or []
    events: list[EmitEvent] = []
    for now in decided:
        before = find(previous, now.type)
        if (before.get("status"), before.get("reason")) == (now.status, now.reason):
            continue
        if now.type == names.CONDITION_DEGRADED:
            events += _monitor_turned(world, before.get("reason"), now)
        elif now.type == names.CONDITION_BASELINE_READY and now.status == TRUE:
            events.append(EmitEvent(names.EVENT_BASELINE_FROZEN, now.message))
        elif now.status == FALSE and now.type in (
            names.CONDITION_DATA_QUALITY,
            names.CONDITION_SCHEDULING,
            names.CONDITION_BASELINE_READY,
        ):
            if now.reason in (names.REASON_COLLECTING, names.REASON_SUSPENDED):
                continue
            events.append(EmitEvent(now.reason, now.message, warning=True))
    return events


def _monitor_turned(world: ScheduleWorld, before: str | None, now: Condition) -> list[EmitEvent]:
    if now.status == UNKNOWN or (before is None and now.reason == names.REASON_NO_DEGRADATION):
        return []
    if before == names.REASON_COLLECTING and now.reason == names.REASON_NO_DEGRADATION:
        return []
    told = world.schedule.status.get("monitor") or {}
    false_alarms = world.latest.document["monitor"]["false_alarms"]
    if before == names.REASON_SUSPECTED and false_alarms > int(told.get("falseAlarms") or 0):
        text = "the days after the alarm did not confirm it; it counts as a false one"
        return [EmitEvent(names.EVENT_NOT_CONFIRMED, text)]
    return [EmitEvent(now.reason, now.message, warning=now.status == TRUE)]
