"""Grafana-managed alert rules, made from the Prometheus rules; `make generate` writes them into the chart.

A Prometheus alert fires for each series its expression returns, whatever the value. Grafana says the same with
three steps: the query, "is there a value", and a threshold; it is also how Grafana converts Prometheus rules.
Recording rules are put in place of their names, so that nothing but the operator's own series is needed.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parents[2] / "charts/benchwarden/files/rules/benchwarden.rules.yaml"
PATH = "charts/benchwarden/files/grafana/benchwarden-alerts.yaml"
# The chart puts the values of its users in place of these two.
DATASOURCE = "BENCHWARDEN_DATASOURCE_UID"
FOLDER = "benchwarden"
QUERY, IS_THERE, CONDITION = "query", "prometheus_math", "threshold"
HEAD = "# Generated from files/rules/benchwarden.rules.yaml by `make generate`; do not edit.\n"
WEEK = 'window="7d"'
# Grafana's templates cannot ask Prometheus, so a rule carries what its text needs: values by name, with the
# labels of the alert itself.
VALUES = {
    "BenchwardenDegraded": {
        "change": f"100 * benchwarden_delta_ratio{{{WEEK}}}",
        "change_lower": f"100 * benchwarden_delta_ratio_ci_lower{{{WEEK}}}",
        "change_upper": f"100 * benchwarden_delta_ratio_ci_upper{{{WEEK}}}",
        "first_bad_day": "benchwarden_monitor_changepoint_timestamp_seconds",
    }
}
DEGRADED = """\
The {{ $labels.component }} monitor of {{ or $labels.model "the agent" }} on {{ $labels.suite }},
series {{ $labels.series }}, has crossed its threshold.
{{- range $name, $found := $values }}
{{- if eq $name "first_bad_day" }} The first bad day began at about {{ humanizeTimestamp $found.Value }}.{{ end }}
{{- if eq $name "change" }} Change over 7 days: {{ printf "%+.1f" $found.Value }} points{{ end }}
{{- if eq $name "change_lower" }} (95 % interval {{ printf "%+.1f" $found.Value }}{{ end }}
{{- if eq $name "change_upper" }} to {{ printf "%+.1f" $found.Value }}).{{ end }}
{{- end }}
The CLI versions before and after are in status.monitor.cliChange, the instances that changed most in status.flipped:
kubectl -n {{ $labels.namespace }} get benchmarkschedule {{ $labels.schedule }} -o yaml
"""
DESCRIPTIONS = {"BenchwardenDegraded": DEGRADED.replace("\n", " ").replace(" {{-", "{{-").strip()}


def render() -> str:
    """The provisioning file as Grafana reads it."""
    document = {"apiVersion": 1, "groups": list(groups())}
    return HEAD + yaml.dump(document, Dumper=_Readable, sort_keys=False, width=110)


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as such."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def groups() -> list[dict[str, Any]]:
    """Grafana's groups, one for each group of the Prometheus rules that holds an alert."""
    source = yaml.safe_load(RULES.read_text())["groups"]
    recorded = {
        rule["record"]: rule["expr"]
        for group in source
        for rule in group["rules"]
        if "record" in rule
    }
    return [
        {
            "orgId": 1,
            "name": group["name"],
            "folder": FOLDER,
            "interval": "1m",
            "rules": [_rule(rule, recorded) for rule in group["rules"] if "alert" in rule],
        }
        for group in source
    ]


def _rule(rule: dict[str, Any], recorded: dict[str, str]) -> dict[str, Any]:
    name, expression = rule["alert"], plain(rule["expr"], recorded)
    return {
        # 40 characters at most; the same for ever, so that Grafana keeps the rule's history.
        "uid": "benchwarden-" + hashlib.sha256(name.encode()).hexdigest()[:20],
        "title": name,
        "condition": CONDITION,
        "data": [
            _query(QUERY, expression),
            *(
                _query(ref, beside(expression, value))
                for ref, value in VALUES.get(name, {}).items()
            ),
            _step(
                IS_THERE,
                "math",
                f"is_number(${QUERY}) || is_nan(${QUERY}) || is_inf(${QUERY})",
            ),
            _step(CONDITION, "threshold", IS_THERE),
        ],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.get("for", "0s"),
        "keepFiringFor": rule["keep_firing_for"],
        "missing_series_evals_to_resolve": 1,
        "annotations": _annotations(rule),
        "labels": dict(rule["labels"]),
        "isPaused": False,
    }


def plain(expression: str, recorded: dict[str, str]) -> str:
    """The expression with recorded series written out."""
    for name, meaning in recorded.items():
        expression = expression.replace(name, f"(\n{meaning}\n)")
    return expression


def beside(alert: str, value: str) -> str:
    """A value for each series of an alert, with the alert's labels: Grafana matches values by all labels."""
    keys = "namespace, schedule, series"
    return f"0 * (\n{alert}\n)\n+ on ({keys}) group_left () max by ({keys}) ({value})"


def _query(name: str, expression: str) -> dict[str, Any]:
    model = {
        "refId": name,
        "datasource": {"type": "prometheus", "uid": DATASOURCE},
        "expr": expression,
        "instant": True,
        "range": False,
        "intervalMs": 1000,
        "maxDataPoints": 43200,
    }
    return {
        "refId": name,
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": DATASOURCE,
        "model": model,
    }


def _step(name: str, kind: str, expression: str) -> dict[str, Any]:
    model: dict[str, Any] = {
        "refId": name,
        "datasource": {"type": "__expr__", "uid": "__expr__"},
        "type": kind,
        "expression": expression,
    }
    if kind == "threshold":
        model["conditions"] = [{"evaluator": {"type": "gt", "params": [0]}}]
    return {
        "refId": name,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": model,
    }


def _annotations(rule: dict[str, Any]) -> dict[str, str]:
    texts = {**rule["annotations"]}
    if rule["alert"] in DESCRIPTIONS:
        texts["description"] = DESCRIPTIONS[rule["alert"]]
    # In Grafana `$value` is a text that lists all values.
    return {
        key: re.sub(r"\$value\b", f"$values.{QUERY}.Value", text) for key, text in texts.items()
    }
