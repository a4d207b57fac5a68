"""`benchwarden report` and `results`: what a run or a schedule came to, from a cluster, a folder or rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.cluster import SCHEDULE, CommandError, Target, connected, on_a_cluster
from benchwarden.cli.completion import complete_any
from benchwarden.cli.listing import ListFormat, ListFormatOption, print_list, print_objects
from benchwarden.cli.output import Format, print_summary
from benchwarden.cli.stats_output import interval, p_value, percent, points, write_text
from benchwarden.cli.stored import WHERE_HELP, StoredSchedule, place, read_run, read_schedule

if TYPE_CHECKING:
    from benchwarden.results.row import Row

WhereArgument = Annotated[
    str, typer.Argument(metavar="WHAT", help=WHERE_HELP, autocompletion=complete_any)
]

_COLUMNS: Final = (
    "instance",
    "trial",
    "launch",
    "kind",
    "outcome",
    "agent_class",
    "reason",
    "finished_at",
)
_WIDE: Final = (
    *_COLUMNS,
    "tests",
    "agent_seconds",
    "grade_seconds",
    "turns",
    "cost_usd",
    "cli_version",
    "network",
    "batch",
    "artifact",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("report")(on_a_cluster(report))
    app.command("results")(on_a_cluster(results))


def report(
    what: WhereArgument,
    output: ListFormatOption = ListFormat.table,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the HTML page to FILE.")
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Show these daily results (as for `analyze`) as plots on the page of a run; a scheduled"
            " run of the cluster brings its own. Needs the extra `plots`.",
        ),
    ] = None,
) -> None:
    """Summarise a run or a schedule.

    Of a run: outcomes, pass rate with its interval, coverage, time and cost; on its page also the
    plots of the schedule it belongs to. Of a schedule: baseline, windows, monitor and what changed most, computed
    here from the stored days.
    """
    from benchwarden.local.reading import read_summary
    from benchwarden.report.html import to_html

    meant = place(what)
    if isinstance(meant, Target) and meant.kind == SCHEDULE:
        _report_schedule(meant, output, html)
        return
    if isinstance(meant, Target):
        with connected() as desk:
            summary = read_run(desk, meant).summary
    else:
        summary = read_summary(meant)
    if html is not None:
        write_text(html, to_html(summary, plots=_plots(meant, history)))
    form = Format.table if output.for_people else Format(output.value)
    print_summary(summary, form)


def _plots(meant: Target | Path, history: str | None) -> list[tuple[str, str]]:
    from benchwarden.cli import run_plots

    if history is not None:
        return run_plots.plots_of_history(history)
    return run_plots.plots_of_schedule(meant) if isinstance(meant, Target) else []


def results(what: WhereArgument, output: ListFormatOption = ListFormat.table) -> None:
    """List every recorded launch of a run, or every recorded run of a schedule.

    Launches are verdicts, charged infra failures, and launches that were put back.
    """
    from benchwarden.results.shards import row_to_json

    meant = place(what)
    if isinstance(meant, Target) and meant.kind == SCHEDULE:
        with connected() as desk:
            _print_days(read_schedule(desk, meant), output)
        return
    rows = [row_to_json(row) for row in rows_at(meant)]
    if not output.for_people:
        print_objects(rows, output)
        return
    columns = _WIDE if output is ListFormat.wide else _COLUMNS
    titles = [column.replace("_", " ").upper() for column in columns]
    print_list(titles, [[_cell(row.get(column)) for column in columns] for row in rows])


def rows_at(meant: Target | Path) -> "Sequence[Row]":
    """The rows of a run, of the cluster or of a folder or file here."""
    from benchwarden.local.directory import FILE_RESULTS, read_rows

    if isinstance(meant, Target):
        with connected() as desk:
            return read_run(desk, meant).rows
    path = meant / FILE_RESULTS if meant.is_dir() else meant
    if not path.is_file():
        raise CommandError(f"there is no {path}", names.EXIT_USAGE)
    return read_rows(path)


def _cell(value: object) -> object:
    return "/".join(map(str, value)) if isinstance(value, list | tuple) else value


def _print_days(found: StoredSchedule, output: ListFormat) -> None:
    """Every run in a schedule's history, the newest first."""
    runs = sorted(found.history.runs, key=lambda run: run.slot, reverse=True)
    if not output.for_people:
        from dataclasses import asdict

        print_objects([asdict(run) for run in runs], output)
        return
    titles = ["DAY", "RUN", "SERIES", "PASSED", "MISSING", "REASON", "COST", "CLI"]
    rows: list[list[object]] = [
        [
            run.day,
            run.run,
            run.series,
            f"{run.passed}/{run.valid}",
            run.missing,
            run.reason,
            f"${run.cost_usd}",
            run.cli_version,
        ]
        for run in runs
    ]
    if output is ListFormat.wide:
        titles += ["SLOT", "MODEL", "NETWORK", "IDENTITY"]
        for row, run in zip(rows, runs, strict=True):
            row += [run.slot, run.model, run.network, run.identity[:12]]
    print_list(titles, rows)


def _report_schedule(named: Target, output: ListFormat, html: Path | None) -> None:
    with connected() as desk:
        stored = read_schedule(desk, named)
    evaluation = stored.evaluation(names.SERIES_LATEST)
    if evaluation.analysis is None:
        raise CommandError(f"{named} has no results yet", names.EXIT_FAILED)
    from benchwarden.stats.documents import analysis_document

    document = analysis_document(evaluation.analysis)
    if html is not None:
        from benchwarden.cli.analysis_report import render

        write_text(html, render(evaluation.analysis, document))
    if not output.for_people:
        print_objects(document, output)
        return
    _print_analysis(document)


def _print_analysis(document: Mapping[str, Any]) -> None:
    baseline, monitor = document["baseline"], document["monitor"]
    wanted = "" if baseline["wanted_days"] is None else f"/{baseline['wanted_days']}"
    typer.echo(
        f"{monitor['state']}; baseline {baseline['days']}{wanted} days,"
        f" {percent(baseline['pass_rate'])} ({interval(baseline['wilson'])})"
    )
    if monitor["changepoint"]:
        typer.echo(f"change put at {monitor['changepoint']}")
    rows = [
        [
            f"{days} d",
            percent(window["pass_rate"]),
            percent(window["expected"]),
            f"{points(window['delta'])} ({interval(window['delta_ci'])})",
            p_value(window["holm"]),
            window["verdict"] or "no data",
        ]
        for days, window in document["windows"].items()
    ]
    if rows:
        typer.echo()
        print_list(["WINDOW", "RATE", "EXPECTED", "DELTA (95 %)", "P (HOLM)", "VERDICT"], rows)
