"""`benchwarden analyze`: the operator's own answer for a history kept in a file."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, print_data
from benchwarden.cli.stats_output import (
    file_name,
    interval,
    p_value,
    percent,
    plain,
    points,
    print_table,
    read_text,
    write_text,
)
from benchwarden.errors import InvalidInputError
from benchwarden.names import EXIT_REGRESSED

_PAGING = {"degraded", "confirmed"}


def analyze_command(
    history: Annotated[
        str,
        typer.Argument(
            help='JSON lines {"day": "YYYY-MM-DD", "instance": ..., "passes": y, "trials": m};'
            " - reads standard input"
        ),
    ],
    *,
    output: FormatOption = Format.table,
    baseline_days: Annotated[
        int, typer.Option(min=7, help="Complete days the baseline wants")
    ] = 14,
    arl: Annotated[int, typer.Option("--arl", min=1, help="Mean days between false pages")] = 365,
    min_effect: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The drop (ratio) that must not be missed")
    ] = 0.05,
    until: Annotated[str | None, typer.Option(help="End of data; a later day is an error")] = None,
    start: Annotated[
        str | None, typer.Option(help="Leave out earlier days (screening, an older series)")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Planned trials per instance and day")
    ] = None,
    panel: Annotated[
        str | None, typer.Option(help="File with the planned instances, one a line")
    ] = None,
    void: Annotated[
        list[str] | None, typer.Option(help="A day to leave out; may be repeated")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write an HTML report with plots (needs matplotlib)")
    ] = None,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit with 4 while the monitor pages")
    ] = False,
) -> None:
    """Analyse a history of daily results: baseline, 1/7/30-day windows, monitor, what flipped."""
    from benchwarden.stats.analysis import Settings, analyze
    from benchwarden.stats.documents import analysis_document
    from benchwarden.stats.history import INVALID_HISTORY
    from benchwarden.stats.history_file import parse_history

    settings = Settings(
        baseline_days=baseline_days,
        run_length_days=arl,
        minimum_effect=min_effect,
        until=_day("--until", until),
        first_day=_day("--start", start),
        panel=_panel(panel),
        nominal_trials=trials,
        voided=frozenset(filter(None, (_day("--void", day) for day in void or []))),
    )
    try:
        analysis = analyze(parse_history(read_text(history)), settings)
    except InvalidInputError as error:
        if error.reason != INVALID_HISTORY:
            raise
        raise InvalidInputError(str(error), reason=error.reason, field=file_name(history)) from None
    document = analysis_document(analysis)
    if report is not None:
        from benchwarden.cli.analysis_report import render

        write_text(report, render(analysis, document))
    if output is Format.table:
        _print(document)
    else:
        print_data(document, output)
    if fail_on_regression and document["monitor"]["state"] in _PAGING:
        raise typer.Exit(EXIT_REGRESSED)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"expected a date YYYY-MM-DD, got {text!r:.40}"
        raise InvalidInputError(message, reason="InvalidOption", field=option) from None


def _panel(name: str | None) -> frozenset[str] | None:
    if name is None:
        return None
    panel = frozenset(line.strip() for line in read_text(name).split("\n") if line.strip())
    if not panel:
        raise InvalidInputError(
            f"{file_name(name)} names no instance", reason="InvalidOption", field="--panel"
        )
    return panel


def _print(document: dict[str, Any]) -> None:
    baseline, monitor = document["baseline"], document["monitor"]
    if baseline["digest"] is None:
        typer.echo(
            f"{monitor['state']} {baseline['days']}/{baseline['wanted_days']}"
            f"  pass rate {percent(baseline['pass_rate'])} ({interval(baseline['wilson'])})"
            f"  {baseline['problem']}".rstrip()
        )
        return
    typer.echo(
        f"baseline {percent(baseline['pass_rate'])} of {baseline['trials']} trials,"
        f" {baseline['days']} days, {baseline['instances']} instances,"
        f" frozen on {baseline['frozen_on']}"
    )
    rows = [
        [
            f"{length} d",
            percent(window["pass_rate"]),
            interval(window["wilson"]),
            percent(window["expected"]),
            points(window["delta"]),
            interval(window["delta_ci"]),
            p_value(window["midp_less"]),
            p_value(window["holm"]),
            points(window["mde"]).lstrip("+"),
            window["verdict"] or "no data",
        ]
        for length, window in document["windows"].items()
    ]
    columns = ["window", "rate", "95 %", "expected", "delta", "95 %", "p", "Holm", "MDE", ""]
    print_table("", columns, rows)
    _print_monitor(monitor)
    _print_flipped(document["flipped"])


def _print_flipped(flipped: list[dict[str, Any]]) -> None:
    rows = [
        [
            item["instance"],
            f"{item['baseline_passes']}/{item['baseline_trials']}",
            f"{item['passes']}/{item['trials']}",
            points(item["delta"], 0),
        ]
        for item in flipped
    ]
    if rows:
        print_table("changed most", ["instance", "baseline", "now", "delta"], rows)


def _print_monitor(monitor: dict[str, Any]) -> None:
    last = monitor["days"][-1] if monitor["days"] else None
    line = f"monitor {monitor['state']}"
    if last:
        line += (
            f": capability {plain(last['capability'])}, breakage {plain(last['breakage'])}"
            f" of {plain(monitor['threshold'])} nats"
        )
    if monitor["changepoint"]:
        line += f"; change put at {monitor['changepoint']}"
    typer.echo(line)
