"""`benchwarden report` and `results`: what a run came to, from its folder or its rows."""

from pathlib import Path
from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, console, print_data, print_summary

PathArgument = Annotated[
    Path,
    typer.Argument(metavar="PATH", help="A run's folder, or a file of result rows (JSON lines)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("report")(report)
    app.command("results")(results)


def report(
    path: PathArgument,
    output: FormatOption = Format.table,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the HTML page to FILE.")
    ] = None,
) -> None:
    """Summarise a run.

    Outcomes, pass rate with its interval, coverage, time and cost.
    """
    from benchwarden.local.reading import read_summary

    summary = read_summary(path)
    if html is not None:
        from benchwarden.report.html import to_html

        html.write_text(to_html(summary), encoding="utf-8")
    print_summary(summary, output)


def results(path: PathArgument, output: FormatOption = Format.table) -> None:
    """List every recorded launch.

    Verdicts, charged infra failures, and launches that were put back.
    """
    from benchwarden.local.directory import FILE_RESULTS, read_rows
    from benchwarden.results.shards import row_to_json

    rows = read_rows(path / FILE_RESULTS if path.is_dir() else path)
    if output is not Format.table:
        print_data([row_to_json(row) for row in rows], output)
        return
    _print_table([row_to_json(row) for row in rows])


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from benchwarden.report.clean import one_line

    columns = (
        "instance",
        "trial",
        "launch",
        "kind",
        "outcome",
        "agent_class",
        "reason",
        "finished_at",
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(str(row.get(column, "")), 200)) for column in columns))
    console().print(table)
