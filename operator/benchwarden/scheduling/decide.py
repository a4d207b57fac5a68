"""decide_schedule(world) -> decision: what a schedule needs now, from the whole truth, without doing anything.

Any pass may be the first or be repeated. What happened to the numbers is in the stored cells and notes, what
was started is in the runs, and both are only ever added to; so the order of passes changes nothing.
"""

from collections.abc import Iterable

from benchwarden import names
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.results import cells as kept
from benchwarden.results.cells import Note
from benchwarden.scheduling import status as status_of
from benchwarden.scheduling.attribution import attribution
from benchwarden.scheduling.decision import (
    Action,
    DeleteRun,
    RollUp,
    ScheduleDecision,
    TakeNotes,
)
from benchwarden.scheduling.judgement import conditions, turns
from benchwarden.scheduling.keeping import to_delete, to_roll_up
from benchwarden.scheduling.noting import notes_to_take
from benchwarden.scheduling.starting import Start, start
from benchwarden.scheduling.world import ScheduleWorld

RESYNC_SECONDS = 300.0
SOON_SECONDS = 0.05

_TOLD = {
    kept.NOTE_COMPARED: names.EVENT_SERIES_COMPARED,
    kept.NOTE_VOIDED: names.EVENT_DAY_VOIDED,
    kept.NOTE_ACKNOWLEDGED: names.EVENT_ACKNOWLEDGED,
}


def decide_schedule(world: ScheduleWorld) -> ScheduleDecision:
    """The decision of one pass.

    What adds to the history comes first and alone, because everything else is judged by it.
    """
    ended = to_roll_up(world)
    if ended:
        return ScheduleDecision(tuple(RollUp(run) for run in ended), None, 0.0)
    notes = notes_to_take(world)
    if notes:
        return ScheduleDecision((TakeNotes(notes), *_told(notes)), None, 0.0)
    started = start(world)
    pinned = world.evaluations.get(names.SERIES_PINNED)
    attributed = attribution(world.latest, pinned) if pinned is not None else ""
    decided = conditions(world, started, attributed)
    actions: list[Action] = [*started.actions]
    actions += (DeleteRun(run) for run in to_delete(world))
    actions += turns(world, decided)
    actions += _new_series(world)
    status = status_of.build(world, decided, started, attributed)
    return ScheduleDecision(tuple(actions), status, _requeue(world, started))


def _told(notes: Iterable[Note]) -> list[EmitEvent]:
    """Events about notes as they are taken."""
    events: list[EmitEvent] = []
    for note in notes:
        if note.kind in _TOLD:
            words = note.get("summary") or (
                f"{note.get('day')} by {note.get('author')}: {note.get('reason')}"
            )
            events.append(EmitEvent(_TOLD[note.kind], words))
    return events


def _new_series(world: ScheduleWorld) -> list[EmitEvent]:
    """An event when what is measured changed, or a new baseline was asked for."""
    epoch = world.latest.epoch
    told = int((world.schedule.status.get("baseline") or {}).get("series") or 0)
    if epoch is None or told == 0 or epoch.number <= told:
        return []
    because = (
        "what is measured changed" if epoch.cause == "identity" else "a rebaseline was asked for"
    )
    text = f"series {epoch.number} begins with slot {epoch.first}: {because}; its baseline is collected anew"
    return [EmitEvent(names.EVENT_NEW_SERIES, text)]


def _requeue(world: ScheduleWorld, started: Start) -> float:
    """At the next slot, and now and then in any case."""
    if started.waiting is not None or world.schedule.spec.suspend:
        return RESYNC_SECONDS
    upcoming = world.schedule.timetable.next_after(world.now)
    if upcoming is None:
        return RESYNC_SECONDS
    return min((upcoming - world.now).total_seconds() + SOON_SECONDS, RESYNC_SECONDS)
