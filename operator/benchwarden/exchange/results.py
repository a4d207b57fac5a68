"""What is exchanged: rows with a few words about the run they are of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from benchwarden.errors import InvalidInputError
from benchwarden.planning.plan import TrialKey
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden.results.shards import row_from_json, row_to_json
from benchwarden_runner.protocol import HARNESS, PASS_CLASSES, RESOLVED, UNRESOLVED

REASON_UNREADABLE: Final = "ResultsUnreadable"
OURS: Final = "benchwarden"  # the key under which other formats carry what only we know
IMPORTED: Final = "imported"  # stands for the batch of a row that came from elsewhere


@dataclass(frozen=True, slots=True)
class About:
    """What the rows are of; empty text is "not known". Moments are RFC 3339."""

    run: str = ""
    suite: str = ""
    panel_digest: str = ""
    agent: str = ""
    model: str = ""
    cli_version: str = ""
    started_at: str = ""
    finished_at: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Rows in the order they were recorded."""

    about: About
    rows: tuple[Row, ...]


def unreadable(message: str, field: str = "") -> InvalidInputError:
    """The error for input that is not of its format."""
    return InvalidInputError(message, reason=REASON_UNREADABLE, field=field)


def about_from(data: Any) -> About:
    """What another format carried of us; anything else is nothing."""
    if not isinstance(data, Mapping):
        return About()
    known = {each.name for each in fields(About)}
    return About(**{name: str(text) for name, text in data.items() if name in known})


def inside(data: Any, *names: str) -> Mapping[str, Any]:
    """The object that lies in an object in an object; an empty one where there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def by_trial(rows: Iterable[Row]) -> dict[TrialKey, list[tuple[int, Row]]]:
    """Rows with their positions, by trial, in the order of the trials' first rows."""
    found: dict[TrialKey, list[tuple[int, Row]]] = {}
    for position, row in enumerate(rows):
        found.setdefault(row.key, []).append((position, row))
    return found


def deciding(rows: Iterable[tuple[int, Row]]) -> Row | None:
    """The row that decided a trial: its first verdict, else its last charge, else None."""
    own = [row for _, row in rows]
    verdict = next((row for row in own if row.kind == KIND_VERDICT), None)
    charges = [row for row in own if row.kind == KIND_CHARGE]
    return verdict or (charges[-1] if charges else None)


def passed(row: Row) -> bool:
    """Whether a verdict is a pass."""
    return row.kind == KIND_VERDICT and row.outcome in PASS_CLASSES


def carried(rows: Iterable[tuple[int, Row]]) -> list[dict[str, Any]]:
    """Rows as other formats carry them, with their positions in the whole."""
    return [{"position": position, "row": row_to_json(row)} for position, row in rows]


def uncarried(found: Iterable[Any], place: str) -> list[tuple[int, Row]]:
    """What `carried` wrote.

    Raises:
        InvalidInputError: it is something else; names the place.
    """
    try:
        return [(int(each["position"]), row_from_json(each["row"])) for each in found]
    except (TypeError, KeyError, ValueError) as error:
        raise unreadable(f"not rows of benchwarden: {error!r:.200}", place) from error
    except InvalidInputError as error:
        raise unreadable(str(error), place) from error


def in_order(found: Iterable[tuple[int, Row]]) -> tuple[Row, ...]:
    """Rows by their positions."""
    return tuple(row for _, row in sorted(found, key=lambda each: each[0]))


def verdict_of(instance: str, trial: int, *, resolved: bool, **known: Any) -> Row:
    """A verdict that another harness reached."""
    outcome = RESOLVED if resolved else UNRESOLVED
    facts = {"finished_at": "", **known}
    return Row(instance, trial, 1, KIND_VERDICT, outcome, IMPORTED, **facts)


def loss_of(instance: str, trial: int, reason: str, **known: Any) -> Row:
    """A trial for which another harness has an error and no score: not a failure of the agent."""
    facts = {"finished_at": "", **known}
    return Row(instance, trial, 1, KIND_CHARGE, HARNESS, IMPORTED, reason=reason[:500], **facts)
