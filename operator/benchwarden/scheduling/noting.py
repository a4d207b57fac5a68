"""Noting: what people decided about a schedule, kept in its history even after the spec has forgotten it."""

from collections.abc import Iterator

from benchwarden.reconcile.capture import stamp
from benchwarden.results import cells as kept
from benchwarden.results.cells import Note
from benchwarden.scheduling.evaluate import due_notes
from benchwarden.scheduling.world import ScheduleWorld


def notes_to_take(world: ScheduleWorld) -> tuple[Note, ...]:
    """Every note that is due and not in the history; empty once all of them are stored.

    What decides numbers comes first and alone, so that a baseline is frozen only by an evaluation that knew it.
    """
    people = tuple(_of_people(world))
    if people:
        return people
    at = stamp(world.now)
    return tuple(
        note
        for evaluation in world.evaluations.values()
        for note in due_notes(world.history, evaluation, at)
    )


def _of_people(world: ScheduleWorld) -> Iterator[Note]:
    at, spec, history = stamp(world.now), world.schedule.spec, world.history
    nonce = spec.baseline.rebaseline
    if nonce and nonce not in {n.get("nonce") for n in history.noted(kept.NOTE_REBASELINE)}:
        yield _note(kept.NOTE_REBASELINE, at, nonce=nonce)
    standing = history.voids()
    for void in spec.void_days:
        wanted = (void.author, void.reason)
        if standing.get(void.day) != wanted:
            yield _note(kept.NOTE_VOIDED, at, day=void.day, author=void.author, reason=void.reason)
    listed = {void.day for void in spec.void_days}
    for day in sorted(standing.keys() - listed):
        yield _note(kept.NOTE_UNVOIDED, at, day=day)
    said = {
        (n.get("day"), n.get("author"), n.get("reason"))
        for n in history.noted(kept.NOTE_ACKNOWLEDGED)
    }
    for word in spec.acknowledge:
        if (word.day, word.author, word.reason) not in said:
            yield _note(
                kept.NOTE_ACKNOWLEDGED, at, day=word.day, author=word.author, reason=word.reason
            )


def acknowledgement(world: ScheduleWorld, day: str) -> str:
    """Who took note of the alarm of a day and why; the newest word counts."""
    words = [n for n in world.history.noted(kept.NOTE_ACKNOWLEDGED) if n.get("day") == day]
    return f"{words[-1].get('author')}: {words[-1].get('reason')}" if words and day else ""


def _note(kind: str, at: str, **data: str) -> Note:
    return Note(kind, at, "", tuple(sorted(data.items())))
