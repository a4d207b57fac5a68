"""`benchwarden status`: runs and schedules of a cluster at a glance, or one of them with all that is known."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.cluster import (
    RUN,
    AllNamespacesOption,
    connected,
    on_a_cluster,
    target,
)
from benchwarden.cli.completion import complete_any
from benchwarden.cli.listing import (
    ListFormat,
    ListFormatOption,
    age,
    print_list,
    print_objects,
)

_TRUE: Final = "True"
_FALSE: Final = "False"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(on_a_cluster(status))


def status(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="run/NAME or schedule/NAME; a bare NAME is a run's. Without it: everything.",
            autocompletion=complete_any,
        ),
    ] = "",
    all_namespaces: AllNamespacesOption = False,
    output: ListFormatOption = ListFormat.table,
) -> None:
    """Show runs and schedules of a cluster, or all that is known of one."""
    if name:
        _one(name, output)
    else:
        _everything(output, all_namespaces=all_namespaces)


def _everything(output: ListFormat, *, all_namespaces: bool) -> None:
    from benchwarden.kube.resources import RUNS, SCHEDULES

    with connected() as desk:
        place = "" if all_namespaces else None
        namespace = desk.namespace
        schedules = [
            {"apiVersion": names.API_VERSION, "kind": names.SCHEDULE_KIND, **each}
            for each in desk.list(SCHEDULES, namespace=place)
        ]
        runs = [
            {"apiVersion": names.API_VERSION, "kind": names.RUN_KIND, **each}
            for each in desk.list(RUNS, namespace=place)
        ]
    if not output.for_people:
        print_objects({"apiVersion": "v1", "kind": "List", "items": [*schedules, *runs]}, output)
        return
    if not schedules and not runs:
        place_name = "any namespace" if all_namespaces else f"namespace {namespace}"
        typer.echo(f"no runs and no schedules in {place_name}", err=True)
        return
    wide = output is ListFormat.wide
    runs.sort(key=lambda each: str(each["metadata"].get("creationTimestamp")), reverse=True)
    if schedules:
        _table(schedules, schedule_columns, wide=wide, namespaced=all_namespaces)
    if schedules and runs:
        typer.echo()
    if runs:
        _table(runs, run_columns, wide=wide, namespaced=all_namespaces)


def _table(found: list[dict[str, Any]], columns: Any, *, wide: bool, namespaced: bool) -> None:
    now = datetime.now(UTC)
    rows = [columns(each, now, wide=wide) for each in found]
    titles = list(rows[0])
    cells = [list(row.values()) for row in rows]
    if namespaced:
        titles.insert(0, "NAMESPACE")
        for row, each in zip(cells, found, strict=True):
            row.insert(0, each["metadata"]["namespace"])
    print_list(titles, cells)


def run_columns(run: Mapping[str, Any], now: datetime, *, wide: bool) -> dict[str, object]:
    """A run's cells by column title."""
    told: Mapping[str, Any] = run.get("status") or {}
    suite, agent = told.get("suite") or {}, told.get("agent") or {}
    found: dict[str, object] = {
        "RUN": run["metadata"]["name"],
        "STATE": state_of_run(told),
        "PROGRESS": told.get("progress"),
        "RESOLVED": told.get("resolvedOfTotal"),
        "RATE": told.get("passRate"),
        "COVERAGE": told.get("coverage"),
        "COST": f"${told['costUsd']}" if told.get("costUsd") else "",
        "AGE": age(run["metadata"].get("creationTimestamp"), now),
    }
    if wide:
        interval = told.get("passRateInterval") or {}
        found |= {
            "95 %": f"{interval['lower']}-{interval['upper']}" if interval else "",
            "MISSING": (told.get("counts") or {}).get("missing"),
            "SUITE": suite.get("name"),
            "AGENT": agent.get("kind"),
            "MODEL": agent.get("model"),
            "CLI": agent.get("cliVersion"),
            "SCHEDULE": (run["metadata"].get("labels") or {}).get(names.LABEL_SCHEDULE),
        }
    return found


def schedule_columns(
    schedule: Mapping[str, Any], now: datetime, *, wide: bool
) -> dict[str, object]:
    """A schedule's cells by column title."""
    spec, told = schedule["spec"], schedule.get("status") or {}
    baseline, monitor = told.get("baseline") or {}, told.get("monitor") or {}
    longest = max(told.get("windows") or [{}], key=lambda each: int(each.get("days", 0)))
    found: dict[str, object] = {
        "SCHEDULE": schedule["metadata"]["name"],
        "CRON": spec["schedule"],
        "SUSPEND": spec.get("suspend", False),
        "VERDICT": monitor.get("state"),
        "BASELINE": baseline.get("progress"),
        "DELTA": longest.get("delta", "")[:8],
        "LAST": age(told.get("lastScheduleTime"), now),
        "ACTIVE": len(told.get("active") or ()),
        "AGE": age(schedule["metadata"].get("creationTimestamp"), now),
    }
    if wide:
        found |= {
            "NEXT": told.get("nextScheduleTime"),
            "ALARM": monitor.get("alarmDay"),
            "CHANGE": monitor.get("changepoint"),
            "CLI CHANGE": monitor.get("cliChange"),
            "ACKNOWLEDGED": monitor.get("acknowledgedBy"),
        }
    return found


def state_of_run(told: Mapping[str, Any]) -> str:
    """One word for where a run stands: the reason of the condition that says most."""
    conditions = {each["type"]: each for each in told.get("conditions") or ()}

    def of(kind: str) -> tuple[str, str]:
        found = conditions.get(kind) or {}
        return str(found.get("status") or ""), str(found.get("reason") or "")

    regressed, _ = of(names.CONDITION_REGRESSED)
    ended, end = of(names.CONDITION_SUCCEEDED)
    if ended in {_TRUE, _FALSE}:
        return f"{end}, worse" if regressed == _TRUE else end
    for kind in (names.CONDITION_ACCEPTED, names.CONDITION_PLANNED):
        status_, reason = of(kind)
        if status_ == _FALSE:
            return reason
    return of(names.CONDITION_PROGRESSING)[1] or of(names.CONDITION_ACCEPTED)[1]


def _one(name: str, output: ListFormat) -> None:
    named = target(name)
    with connected() as desk:
        found = desk.get(named.resource, named.name)
    if not output.for_people:
        print_objects(found, output)
        return
    columns = run_columns if named.kind == RUN else schedule_columns
    facts = columns(found, datetime.now(UTC), wide=True)
    told = found.get("status") or {}
    if named.kind == RUN:
        counts = told.get("counts") or {}
        facts["COUNTS"] = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
        outcomes = sorted((told.get("outcomes") or {}).items(), key=lambda each: -int(each[1]))
        facts["OUTCOMES"] = ", ".join(f"{number} {outcome}" for outcome, number in outcomes)
    _print_facts({"NAMESPACE": found["metadata"]["namespace"], **facts})
    typer.echo()
    print_list(
        ("CONDITION", "STATUS", "REASON", "MESSAGE"),
        [
            (each["type"], each["status"], each["reason"], each.get("message"))
            for each in told.get("conditions") or ()
        ],
    )
    _print_errors(told)


def _print_errors(told: Mapping[str, Any]) -> None:
    errors = told.get("errors") or ()
    if errors:
        typer.echo()
        rows = [(each["instance"], each["outcome"], each.get("message")) for each in errors]
        print_list(("WENT WRONG", "OUTCOME", "MESSAGE"), rows)


def _print_facts(facts: Mapping[str, object]) -> None:
    from benchwarden.report.clean import one_line

    width = max(map(len, facts)) + 2
    for title, value in facts.items():
        if value not in {None, ""}:
            typer.echo(f"{title.capitalize() + ':':<{width}}{one_line(str(value), 300)}")
