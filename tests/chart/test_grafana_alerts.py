"""Grafana's alert rules say what the Prometheus rules say, in the words that Grafana reads."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.chart import grafana_alerts
from tests.chart.generated import CHART
from tests.chart.grafana_alerts import CONDITION, DATASOURCE, IS_THERE, QUERY

FILE = yaml.safe_load((CHART.parents[1] / grafana_alerts.PATH).read_text())
SOURCE = yaml.safe_load(grafana_alerts.RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in SOURCE for rule in group["rules"] if "alert" in rule}
RECORDED = {rule["record"] for group in SOURCE for rule in group["rules"] if "record" in rule}
RULES = {rule["title"]: rule for group in FILE["groups"] for rule in group["rules"]}
# What Grafana's reader of provisioning files knows; any other key would be passed over in silence.
KNOWN = {
    *("uid", "title", "condition", "data", "noDataState", "execErrState", "for", "keepFiringFor"),
    *("missing_series_evals_to_resolve", "annotations", "labels", "isPaused"),
}
# Functions and variables of Grafana's alert templates.
WORDS = {
    *("if", "eq", "or", "else", "end", "range", "with", "printf"),
    *("humanizePercentage", "humanizeDuration", "humanizeTimestamp"),
}


def expressions(rule):
    return {
        each["refId"]: each["model"]["expr"] for each in rule["data"] if "expr" in each["model"]
    }


def test_every_alert_is_there_in_its_group_and_order():
    ours = [(g["name"], [r["title"] for r in g["rules"]]) for g in FILE["groups"]]
    theirs = [(g["name"], [r["alert"] for r in g["rules"] if "alert" in r]) for g in SOURCE]
    assert ours == theirs


def test_rules_have_names_of_their_own_that_grafana_takes():
    uids = [rule["uid"] for rule in RULES.values()]
    assert len(set(uids)) == len(ALERTS)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid) for uid in uids)


@pytest.mark.parametrize("name", ALERTS)
def test_a_rule_fires_as_long_and_is_as_bad_as_its_alert(name):
    rule, alert = RULES[name], ALERTS[name]
    assert set(rule) == KNOWN
    assert rule["labels"] == alert["labels"]
    assert rule["for"] == alert.get("for", "0s")
    assert rule["keepFiringFor"] == alert["keep_firing_for"]
    assert rule["missing_series_evals_to_resolve"] == 1, "Prometheus resolves at once, too"
    assert rule["noDataState"] == "OK", "no series is no alert"


@pytest.mark.parametrize("name", ALERTS)
def test_a_rule_fires_for_each_series_that_its_query_returns_whatever_the_value(name):
    rule = RULES[name]
    steps = {each["refId"]: each for each in rule["data"]}
    assert rule["condition"] == CONDITION
    assert steps[CONDITION]["model"]["expression"] == IS_THERE
    assert steps[CONDITION]["model"]["conditions"] == [{"evaluator": {"type": "gt", "params": [0]}}]
    assert steps[IS_THERE]["model"]["expression"].startswith(f"is_number(${QUERY}) ||")
    for ref, step in steps.items():
        assert step["model"]["refId"] == ref
        own = "expr" in step["model"]
        assert step["datasourceUid"] == (DATASOURCE if own else "__expr__")


@pytest.mark.parametrize("name", ALERTS)
def test_a_query_needs_no_recording_rule_and_is_the_alerts_otherwise(name):
    found = expressions(RULES[name])
    assert not any(record in text for record in RECORDED for text in found.values())
    if not any(record in ALERTS[name]["expr"] for record in RECORDED):
        assert found[QUERY] == ALERTS[name]["expr"]


@pytest.mark.parametrize("name", ALERTS)
def test_texts_use_only_what_grafanas_templates_have(name):
    rule = RULES[name]
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    for text in rule["annotations"].values():
        assert "$value " not in text
        for action in re.findall(r"\{\{-?(.*?)-?\}\}", text):
            bare = re.sub(r'"[^"]*"', "", action)
            assert "query" not in re.sub(r"\$values\.query\b", "", bare), "no template can ask"
            words = re.findall(r"(?<![\w.$])[a-zA-Z]\w*", bare)
            assert set(words) <= WORDS, action
        for ref in re.findall(r'eq \$name "(\w+)"', text):
            assert ref in expressions(rule)
