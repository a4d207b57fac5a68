"""The Grafana dashboard as code; `make generate` writes it into the chart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, statetimeline, table
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.builders.common import StackingConfig
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    GridPos,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from tests.chart.panels import ROWS, SCHEDULE, Panel, Shape

PATH = "charts/benchwarden/files/dashboards/benchwarden.json"
DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH = 24
HEIGHT = 8
ALL = VariableOption(text=["All"], value=["$__all"])
SINCE = "1h"


def render() -> str:
    """The dashboard as the JSON that Grafana imports."""
    made = json.loads(json.dumps(_dashboard().build(), cls=JSONEncoder))
    # Grafana's Prometheus data source reads these two; the SDK's model of an annotation has no place for them.
    made["annotations"]["list"][0] |= {
        "titleFormat": "CLI {{cli_version}}",
        "tagKeys": "schedule,series",
    }
    for variable in made["templating"]["list"]:
        for key in ("auto", "auto_count", "auto_min"):  # of intervals; the SDK writes them for all
            variable.pop(key)
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _dashboard() -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard("benchwarden")
        .uid("benchwarden")
        .description("Has the coding agent got worse? Verdicts, runs and the operator's health.")
        .tags(["benchwarden"])
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-30d", "now")
        .timezone("browser")
        .refresh("1m")
        .annotation(_annotation())
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )
    for name, query in VARIABLES.items():
        made = made.with_variable(_variable(name, query))
    number, y = 0, 0
    for title, panels in ROWS:
        number += 1
        at = GridPos(x=0, y=y, w=WIDTH, h=1)
        made = made.with_row(dashboard.Row(title).id(number).grid_pos(at))
        x, y = 0, y + 1
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            number += 1
            at = GridPos(x=x, y=y, w=panel.width, h=HEIGHT)
            made = made.with_panel(_panel(panel, number, at))
            x += panel.width
        y += HEIGHT
    return made


def _lines(panel: Panel) -> Any:
    made = lines.Panel()
    if panel.shape in {Shape.STEPS, Shape.SHARE}:
        made = made.line_interpolation(common.LineInterpolation.STEP_AFTER).fill_opacity(0)
    if panel.shape is Shape.SHARE:
        made = made.min(0).max(1)
    if panel.shape is Shape.STACK:
        stacked = StackingConfig().mode(common.StackingMode.NORMAL)
        made = made.stacking(stacked).fill_opacity(60).line_width(0)
    return made


def _timeline(panel: Panel) -> Any:
    """Bars that say the word of their value in its colour."""
    meanings = {
        str(number): ValueMappingResult(text=text, color=colour, index=number)
        for number, (text, colour) in enumerate(panel.words, 1)
    }
    return statetimeline.Panel().mappings([ValueMap(options=meanings)]).merge_values(True)


SHAPES: dict[Shape, Callable[[Panel], Any]] = {
    **dict.fromkeys((Shape.LINES, Shape.STEPS, Shape.SHARE, Shape.STACK), _lines),
    Shape.TIMELINE: _timeline,
    Shape.NUMBER: lambda _: stat.Panel(),
    Shape.TABLE: lambda _: table.Panel(),
}


def _panel(panel: Panel, number: int, at: GridPos) -> Any:
    made = (
        SHAPES[panel.shape](panel)
        .id(number)
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(DATASOURCE)
        .grid_pos(at)
    )
    for position, (expression, legend) in enumerate(panel.queries):
        made = made.with_target(_query(panel, expression, legend, chr(ord("A") + position)))
    return made


def _query(panel: Panel, expression: str, legend: str, name: str) -> prometheus.Dataquery:
    asked = prometheus.Dataquery().expr(expression).ref_id(name).datasource(DATASOURCE)
    if legend:
        asked = asked.legend_format(legend)
    if panel.shape is Shape.TABLE:
        asked = asked.format(PromQueryFormat.TABLE)
    return asked.instant() if panel.shape in {Shape.TABLE, Shape.NUMBER} else asked.range()


def _annotation() -> dashboard.AnnotationQuery:
    """A mark at each moment when the CLI of a series was another one an hour before."""
    now = f"count by (schedule, series, cli_version) (benchwarden_schedule_info{{{SCHEDULE}}})"
    before = now.replace("})", f"}} offset {SINCE})")
    return (
        dashboard.AnnotationQuery()
        .name("CLI version changes")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color("purple")
        .expr(f"{now} unless on (schedule, series, cli_version) {before}")
    )


VARIABLES = {
    "namespace": 'label_values({__name__=~"benchwarden_run_info|benchwarden_schedule_suspended"}, namespace)',
    "schedule": 'label_values(benchwarden_schedule_suspended{namespace=~"$namespace"}, schedule)',
    "run": 'label_values(benchwarden_run_info{namespace=~"$namespace"}, run)',
}


def _variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name})
        .include_all(True)
        .multi(True)
        .all_value(".*")
        .current(ALL)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
