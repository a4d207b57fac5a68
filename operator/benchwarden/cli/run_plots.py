"""The pictures of a run's report: its schedule's days up to now, or those of a history file."""

import typer

from benchwarden import names
from benchwarden.cli.analysis_report import plots_of
from benchwarden.cli.cluster import CommandError, Target, connected, target
from benchwarden.cli.stats_output import read_text
from benchwarden.cli.stored import read_schedule
from benchwarden.errors import UnavailableError
from benchwarden.scheduling.observed import controlling_schedule
from benchwarden.stats.analysis import Analysis, analyze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.history_file import parse_history

Plots = list[tuple[str, str]]


def plots_of_history(file: str) -> Plots:
    """The pictures of a history file, as `benchwarden analyze --report` makes them.

    Raises:
        UnavailableError: matplotlib is not installed.
    """
    return _plots(analyze(parse_history(read_text(file))))


def plots_of_schedule(named: Target) -> Plots:
    """The pictures of the schedule a run of the cluster belongs to; none for a run of no schedule.

    Without matplotlib, or without the schedule, the report goes without them and says so.
    """
    with connected() as desk:
        run = desk.get(named.resource, named.name)
        schedule = controlling_schedule(run)
        if not schedule:
            return []
        try:
            stored = read_schedule(desk, target(f"schedule/{schedule}"))
        except CommandError as error:
            typer.echo(f"note: no plots: {error}", err=True)
            return []
    labels = run["metadata"].get("labels") or {}
    series = str(labels.get(names.LABEL_SERIES) or names.SERIES_LATEST)
    analysis = stored.evaluation(series).analysis
    if analysis is None:
        return []
    try:
        return _plots(analysis)
    except UnavailableError as error:
        typer.echo(f"note: no plots: {error}", err=True)
        return []


def _plots(analysis: Analysis) -> Plots:
    return plots_of(analysis, analysis_document(analysis))
