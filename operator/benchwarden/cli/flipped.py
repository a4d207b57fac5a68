"""`benchwarden flipped`: which instances changed, how their last trials ended, and where to look."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.cluster import (
    RUN,
    SCHEDULE,
    CommandError,
    Target,
    connected,
    on_a_cluster,
    target,
)
from benchwarden.cli.completion import complete_any
from benchwarden.cli.listing import ListFormat, ListFormatOption, print_list, print_objects
from benchwarden.cli.stored import read_run

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk
    from benchwarden.results.row import Row

_LOST: Final = "lost"
_GAINED: Final = "gained"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("flipped")(on_a_cluster(flipped))


def flipped(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="schedule/NAME, or run/NAME of a run with compareTo; a bare NAME is a schedule's.",
            autocompletion=complete_any,
        ),
    ],
    output: ListFormatOption = ListFormat.table,
) -> None:
    """List the instances that changed most, with how their newest trial ended.

    Of a schedule: since the change, or in the last week, against the frozen baseline.
    """
    named = target(name, SCHEDULE)
    with connected() as desk:
        found = desk.get(named.resource, named.name)
        changed = _of_run(named, found) if named.kind == RUN else _of_schedule(found)
        names_ = [named.name] if named.kind == RUN else _kept_runs(desk, found)
        newest = _newest_verdicts(desk, names_, {each["instance"] for each in changed})
    changed = [{**each, **newest.get(each["instance"], {})} for each in changed]
    if not output.for_people:
        print_objects(changed, output)
        return
    if not changed:
        typer.echo(f"{named}: no instance has changed", err=True)
        return
    first = ["instance", "change"] if named.kind == RUN else ["instance", "baseline", "now"]
    columns = [*first, "outcome", "run"]
    if output is ListFormat.wide:
        columns += ["trial", "reason", "patch_sha256", "artifact"]
    titles = [column.replace("_", " ").upper() for column in columns]
    print_list(titles, [[each.get(column) for column in columns] for each in changed])


def _of_schedule(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(each) for each in (found.get("status") or {}).get("flipped") or ()]


def _of_run(named: Target, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = (found.get("status") or {}).get("comparison")
    if told is None:
        raise CommandError(
            f"{named} has not been compared: it needs compareTo and an end; see benchwarden compare",
            names.EXIT_FAILED,
        )
    return [
        {"instance": instance, "change": change}
        for change, field in ((_LOST, "lostInstances"), (_GAINED, "gainedInstances"))
        for instance in told.get(field) or ()
    ]


def _kept_runs(desk: "Desk", schedule: Mapping[str, Any]) -> list[str]:
    """Names of the schedule's runs that still exist, the newest first."""
    from benchwarden.kube.resources import RUNS

    found = desk.list(RUNS, labels=f"{names.LABEL_SCHEDULE_UID}={schedule['metadata']['uid']}")
    found.sort(key=lambda each: str(each["metadata"]["creationTimestamp"]), reverse=True)
    return [str(each["metadata"]["name"]) for each in found]


def _newest_verdicts(
    desk: "Desk", runs: Iterable[str], wanted: set[str]
) -> dict[str, dict[str, Any]]:
    """The newest verdict of each instance, from runs in the order given."""
    found: dict[str, dict[str, Any]] = {}
    for name in runs:
        if not wanted - found.keys():
            break
        rows = read_run(desk, Target(RUN, name)).rows
        for row in _last_verdicts(rows, wanted - found.keys()):
            found[row.instance] = {
                "run": name,
                "trial": row.trial,
                "outcome": row.outcome,
                "reason": row.reason,
                "patch_sha256": row.patch_sha256,
                "artifact": row.artifact,
            }
    return found


def _last_verdicts(rows: "Iterable[Row]", wanted: set[str]) -> "Iterable[Row]":
    from benchwarden.results.row import KIND_VERDICT

    last = {row.instance: row for row in rows if row.kind == KIND_VERDICT}
    return [row for instance, row in last.items() if instance in wanted]
