"""The Grafana dashboard as code; `make generate` writes it into the chart."""

from __future__ import annotations

import json
from typing import Any

from tests.chart.panels import ROWS, SCHEDULE, Panel

PATH = "charts/benchwarden/files/dashboards/benchwarden.json"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
HEIGHT = 8


def render() -> str:
    """The dashboard as the JSON that Grafana imports."""
    return json.dumps(_dashboard(), indent=1, sort_keys=True) + "\n"


def _dashboard() -> dict[str, Any]:
    return {
        "annotations": {"list": [_annotation()]},
        "description": "Has the coding agent got worse? Verdicts, runs and the operator's health.",
        "editable": True,
        "graphTooltip": 1,
        "panels": list(_laid_out()),
        "refresh": "1m",
        "schemaVersion": 39,
        "tags": ["benchwarden"],
        "templating": {"list": _variables()},
        "time": {"from": "now-30d", "to": "now"},
        "timezone": "",
        "title": "benchwarden",
        "uid": "benchwarden",
    }


def _laid_out() -> list[dict[str, Any]]:
    laid: list[dict[str, Any]] = []
    y = 0
    for title, panels in ROWS:
        at = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        laid.append(
            {"id": len(laid) + 1, "type": "row", "title": title, "gridPos": at, "panels": []}
        )
        x, y = 0, y + 1
        for panel in panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            at = {"x": x, "y": y, "w": panel.width, "h": HEIGHT}
            laid.append(_panel(panel, len(laid) + 1, at))
            x += panel.width
        y += HEIGHT
    return laid


def _panel(panel: Panel, number: int, at: dict[str, int]) -> dict[str, Any]:
    instant = panel.kind in {"stat", "table"}
    targets = [
        {
            "datasource": DATASOURCE,
            "expr": expression,
            "format": "table" if panel.kind == "table" else "time_series",
            "instant": instant,
            "range": not instant,
            "legendFormat": legend,
            "refId": chr(ord("A") + position),
        }
        for position, (expression, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, **panel.defaults}, "overrides": []},
        "gridPos": at,
        "options": panel.options,
        "targets": targets,
    }


def _annotation() -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "expr": f"count by (schedule, series, cli_version) (benchwarden_schedule_info{{{SCHEDULE}}})"
        " unless on (schedule, series, cli_version)"
        f" count by (schedule, series, cli_version) (benchwarden_schedule_info{{{SCHEDULE}}} offset 1h)",
        "iconColor": "purple",
        "name": "CLI version changes",
        "tagKeys": "schedule,series",
        "titleFormat": "CLI {{cli_version}}",
    }


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "label": "Data source", "type": "datasource"}
    return [
        {**source, "query": "prometheus"},
        _variable(
            "namespace",
            'label_values({__name__=~"benchwarden_run_info|benchwarden_schedule_suspended"}, namespace)',
        ),
        _variable(
            "schedule",
            'label_values(benchwarden_schedule_suspended{namespace=~"$namespace"}, schedule)',
        ),
        _variable("run", 'label_values(benchwarden_run_info{namespace=~"$namespace"}, run)'),
    ]


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
        "sort": 1,
    }
