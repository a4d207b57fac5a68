"""What the chart makes for Prometheus and Grafana, as the real helm renders it."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from tests.chart import grafana_alerts, monitoring
from tests.chart.generated import CHART
from tests.chart.test_templates import EVERYTHING, MONITORING, one, render

__all__ = ["render"]
pytestmark = pytest.mark.cluster


def test_objects_for_the_prometheus_operator_are_what_its_own_schemas_say(render):
    found = [each for each in render(EVERYTHING).values() if each["apiVersion"] == MONITORING]
    assert {each["kind"] for each in found} == {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
    for each in found:
        jsonschema.validate(each, monitoring.schema(each["kind"]))


def test_a_misspelt_key_would_not_pass_those_schemas(render):
    monitor = one(render(EVERYTHING), "ServiceMonitor")
    monitor["spec"]["endpoints"][0]["honourLabels"] = True
    with pytest.raises(jsonschema.ValidationError, match="honourLabels"):
        jsonschema.validate(monitor, monitoring.schema("ServiceMonitor"))


def test_monitors_keep_the_namespace_of_what_is_measured(render):
    found = render(EVERYTHING)
    monitor = one(found, "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
    assert monitor["metadata"]["labels"]["release"] == "stack"
    (endpoint,) = one(found, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert endpoint["honorLabels"] is True
    assert endpoint["relabelings"] == EVERYTHING["podMonitor"]["relabelings"]
    ports = [each["name"] for each in one(found, "Service")["spec"]["ports"]]
    assert endpoint["port"] in ports


def test_monitors_select_what_the_chart_makes(render):
    found = render(EVERYTHING)
    service = one(found, "Service")["metadata"]["labels"]
    pod = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    for kind, labels in (("ServiceMonitor", service), ("PodMonitor", pod)):
        selector = one(found, kind)["spec"]["selector"]["matchLabels"]
        assert selector
        assert selector.items() <= labels.items()


def test_the_prometheus_rule_is_the_plain_file(render):
    text = (CHART / "files/rules/benchwarden.rules.yaml").read_text()
    found = render({"prometheusRule": {"enabled": True}})
    groups = one(found, "PrometheusRule")["spec"]["groups"]
    assert groups == yaml.safe_load(text)["groups"]


def test_single_alerts_can_be_changed_and_switched_off(render, promtool, tmp_path):
    groups = one(render(EVERYTHING), "PrometheusRule")["spec"]["groups"]
    alerts = {each["alert"]: each for group in groups for each in group["rules"] if "alert" in each}
    assert "BenchwardenImproved" not in alerts
    degraded = alerts["BenchwardenDegraded"]
    assert degraded["labels"] == {"severity": "warning", "team": "platform"}
    assert (degraded["for"], degraded["keep_firing_for"]) == ("5m", "1h")
    where = degraded["annotations"]["runbook_url"]
    assert where == "https://wiki.example.com/BenchwardenDegraded"
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    assert promtool("check", "rules", str(path)).returncode == 0


def test_the_dashboard_arrives_unchanged_where_the_sidecar_looks(render):
    found = one(render(EVERYTHING), "ConfigMap", "benchwarden-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    name = "benchwarden.json"
    assert json.loads(found["data"][name]) == json.loads(
        (CHART / "files/dashboards" / name).read_text()
    )


def grafana_rules(found):
    config = one(found, "ConfigMap", "benchwarden-grafana-alerts")
    assert config["metadata"]["labels"]["grafana_alert"] == "1"
    document = yaml.safe_load(config["data"]["benchwarden-alerts.yaml"])
    return document, {rule["title"]: rule for g in document["groups"] for rule in g["rules"]}


def test_grafanas_alert_rules_are_the_plain_file_with_the_users_data_source(render):
    document, _ = grafana_rules(render({"grafanaAlerts": {"enabled": True}}))
    text = (CHART / "files/grafana/benchwarden-alerts.yaml").read_text()
    assert document == yaml.safe_load(text.replace(grafana_alerts.DATASOURCE, "prometheus"))


def test_what_is_changed_about_an_alert_is_changed_in_grafana_too(render):
    values = {**EVERYTHING}
    changed = {
        "expr": "up == 0",
        **EVERYTHING["prometheusRule"]["overrides"]["BenchwardenDegraded"],
    }
    overrides = {**EVERYTHING["prometheusRule"]["overrides"], "BenchwardenDegraded": changed}
    values["prometheusRule"] = {**EVERYTHING["prometheusRule"], "overrides": overrides}
    document, rules = grafana_rules(render(values))
    assert {group["folder"] for group in document["groups"]} == {"agents"}
    assert "BenchwardenImproved" not in rules
    degraded = rules["BenchwardenDegraded"]
    assert degraded["data"][0]["model"]["expr"] == "up == 0"
    assert degraded["data"][0]["datasourceUid"] == "P1809F7CD0C75ACF3"
    assert degraded["labels"] == {"severity": "warning", "team": "platform"}
    assert (degraded["for"], degraded["keepFiringFor"]) == ("5m", "1h")
    where = degraded["annotations"]["runbook_url"]
    assert where == "https://wiki.example.com/BenchwardenDegraded"
