"""What people decide about a schedule: a new baseline, a day that does not count, an alarm taken note of.

Each decision is written into the spec with its author and reason; the operator keeps it in the schedule's
history even after the spec has forgotten it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.cluster import SCHEDULE, CommandError, Target, connected, on_a_cluster, target
from benchwarden.cli.completion import complete_schedule
from benchwarden.cli.editing import edit
from benchwarden.errors import InvalidInputError

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk

_LONGEST_NONCE: Final = 64  # as spec.baseline.rebaseline
ScheduleArgument = Annotated[
    str, typer.Argument(metavar="SCHEDULE", autocompletion=complete_schedule)
]
AuthorOption = Annotated[
    str, typer.Option("--author", help="Who decided it. [default: who the cluster says you are]")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("rebaseline")(on_a_cluster(rebaseline))
    app.command("void-day")(on_a_cluster(void_day))
    app.command("acknowledge")(on_a_cluster(acknowledge))


def rebaseline(
    schedule: ScheduleArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why. Needed without --nonce.")] = "",
    author: AuthorOption = "",
    nonce: Annotated[
        str,
        typer.Option("--nonce", help="The whole text that is kept. [default: TIME AUTHOR: REASON]"),
    ] = "",
) -> None:
    """Start a new baseline with the next slot; the earlier series stays in the history."""
    named = target(schedule, SCHEDULE, only=SCHEDULE)
    if not nonce:
        _check_reason(reason)
    with connected() as desk:
        text = nonce or _nonce(author or _user(desk), reason)
        edit(desk, named, lambda found: _another_baseline(found, text))
    typer.echo(f"{named} starts a new baseline with its next slot ({text})")


def _nonce(author: str, reason: str) -> str:
    text = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ} {author}: {reason}"
    if len(text) > _LONGEST_NONCE:
        raise InvalidInputError(
            f"author and reason together have {len(text) - _LONGEST_NONCE} characters too many",
            reason=names.REASON_INVALID_SPEC,
            field="--reason",
        )
    return text


def _another_baseline(found: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
    if (found["spec"].get("baseline") or {}).get("rebaseline") == nonce:
        raise CommandError("the schedule has that rebaseline already", names.EXIT_FAILED)
    return {"baseline": {"rebaseline": nonce}}


def void_day(
    schedule: ScheduleArgument,
    day: Annotated[str, typer.Argument(metavar="DAY", help="YYYY-MM-DD in the schedule's zone.")],
    reason: Annotated[str, typer.Option("--reason", help="Why. Needed.")] = "",
    author: AuthorOption = "",
    undo: Annotated[bool, typer.Option("--undo", help="Let the day count again.")] = False,
) -> None:
    """Leave a day out, as if it had not been run; a day of a frozen baseline stays in it."""
    named = target(schedule, SCHEDULE, only=SCHEDULE)
    _check_day(day)
    if undo:
        _undo(named, day)
        return
    _check_reason(reason)
    with connected() as desk:
        word = {"day": day, "author": author or _user(desk), "reason": reason}
        edit(desk, named, lambda found: _with(found, "voidDays", word))
    typer.echo(f"{named} leaves out {day} ({word['author']}: {reason})")


def _undo(named: Target, day: str) -> None:
    def decide(found: Mapping[str, Any]) -> Mapping[str, Any]:
        listed = found["spec"].get("voidDays") or []
        left = [each for each in listed if each["day"] != day]
        if len(left) == len(listed):
            raise CommandError(f"{named} does not leave out {day}", names.EXIT_FAILED)
        return {"voidDays": left}

    with connected() as desk:
        edit(desk, named, decide)
    typer.echo(f"{named} counts {day} again")


def acknowledge(
    schedule: ScheduleArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="What is known or done about it. Needed.")
    ] = "",
    author: AuthorOption = "",
    day: Annotated[
        str, typer.Option("--day", help="Day of the alarm. [default: that of the last one]")
    ] = "",
) -> None:
    """Take note of an alarm, so that others see who looks after it; the page is not silenced."""
    named = target(schedule, SCHEDULE, only=SCHEDULE)
    _check_reason(reason)
    if day:
        _check_day(day)
    word = {"day": day, "author": author, "reason": reason}

    def decide(found: Mapping[str, Any]) -> Mapping[str, Any]:
        monitor = (found.get("status") or {}).get("monitor") or {}
        word["day"] = word["day"] or str(monitor.get("alarmDay") or "")
        if not word["day"]:
            raise CommandError(f"{named} has no alarm to take note of", names.EXIT_FAILED)
        return _with(found, "acknowledge", word)

    with connected() as desk:
        word["author"] = author or _user(desk)
        edit(desk, named, decide)
    typer.echo(f"{named} alarm of {word['day']} acknowledged ({word['author']}: {reason})")


def _with(found: Mapping[str, Any], field: str, word: Mapping[str, str]) -> Mapping[str, Any]:
    """The list with the word for its day in it, the days in their order."""
    listed: Sequence[Mapping[str, str]] = found["spec"].get(field) or []
    others = [each for each in listed if each["day"] != word["day"]]
    return {field: sorted([*others, dict(word)], key=lambda each: each["day"])}


def _user(desk: "Desk") -> str:
    user = desk.user()
    if not user:
        raise InvalidInputError(
            "the cluster does not say who you are; give it",
            reason=names.REASON_INVALID_SPEC,
            field="--author",
        )
    return user[:200]


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidInputError(
            "is needed: it is kept in the schedule's history",
            reason=names.REASON_INVALID_SPEC,
            field="--reason",
        )


def _check_day(day: str) -> None:
    try:
        date.fromisoformat(day)
    except ValueError:
        raise InvalidInputError(
            f"expected a date YYYY-MM-DD, got {day!r:.40}",
            reason=names.REASON_INVALID_SPEC,
            field="DAY",
        ) from None
