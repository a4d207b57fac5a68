"""What can be said of the chart without helm: generated files, schema, rules, dashboard and runbooks agree."""

import copy
import itertools
import json
import re

import jsonschema
import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard
from tests.chart import dashboard
from tests.chart.generated import CHART, chart_files

from benchwarden import __version__, names
from benchwarden.manifests.install import Installation, objects
from benchwarden.telemetry.catalogue import HISTOGRAM, METRICS
from benchwarden.telemetry.schedule_catalogue import SCHEDULE_METRICS

ROOT = CHART.parents[1]
RULES_TEXT = (CHART / "files/rules/benchwarden.rules.yaml").read_text()
RULES = [rule for group in yaml.safe_load(RULES_TEXT)["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DASHBOARD = json.loads((ROOT / dashboard.PATH).read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(each["expr"] for each in DASHBOARD["annotations"]["list"]),
]
TARGET_LABELS = {"job", "instance"}


def exported() -> dict[str, set[str]]:
    """Labels of every series that a scrape can show, by name."""
    found: dict[str, set[str]] = {}
    for metric in (*METRICS, *SCHEDULE_METRICS):
        labels = set(metric.labels)
        if metric.kind == HISTOGRAM:
            found |= {f"{metric.name}_{end}": labels for end in ("sum", "count")}
            found[f"{metric.name}_bucket"] = labels | {"le"}
        else:
            found[metric.name] = labels
    return found


def metrics_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w:/.])benchwarden_\w+", text))


def unknown_labels(expression: str) -> set[str]:
    """Pairs of metric and matcher label that no scrape shows."""
    known = exported()
    found = set()
    for metric, matchers in re.findall(r"(benchwarden_\w+)\{([^}]*)\}", expression):
        for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers):
            if label not in known.get(metric, set()) | TARGET_LABELS:
                found.add(f"{metric}: {label}")
    return found


def schema_refuses(values: object) -> bool:
    return not jsonschema.Draft7Validator(SCHEMA).is_valid(values)


def open_paths(schema: dict, path: str = "") -> list[str]:
    """Paths of the objects with properties of ours that would let a typo pass."""
    found = []
    for name, each in schema.get("properties", {}).items():
        found += open_paths(each, f"{path}.{name}")
    if "properties" in schema and schema.get("additionalProperties") is not False:
        found.append(path or ".")
    return found


def test_generated_files_of_the_chart_have_not_drifted():
    for path, text in chart_files():
        assert (ROOT / path).read_text() == text, f"{path}: run make generate"


def test_the_chart_is_of_the_operators_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_the_default_values_fit_the_schema_and_none_is_unknown_to_it():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA)
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)
    assert open_paths(SCHEMA) == []


@pytest.mark.parametrize(
    "path", ["typo", "image.typo", "runner.image.typo", "serviceMonitor.typo", "crds.typo"]
)
def test_a_typo_in_a_value_is_refused(path):
    values = copy.deepcopy(VALUES)
    *parents, last = path.split(".")
    inner = values
    for each in parents:
        inner = inner[each]
    inner[last] = True
    assert schema_refuses(values)


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"pullPolicy": "Sometimes"}},
        {"image": {"digest": "sha256:short"}},
        {"watchNamespaces": ["Not_A_Name"]},
        {"operator": {"leaseSeconds": "40"}},
        {"prometheusRule": {"overrides": {"BenchwardenNoSuchAlert": {}}}},
        {"prometheusRule": {"overrides": {"BenchwardenDegraded": {"keep_firing_for": "1h"}}}},
        {"imagePullSecrets": ["registry"]},
    ],
)
def test_a_value_that_cannot_work_is_refused(values):
    assert schema_refuses(values)


def test_every_value_is_documented():
    lines = (CHART / "values.yaml").read_text().splitlines()
    silent = [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r"^[a-z]\w*: *[^\s#{]|^[a-z]\w*: (\{\}|\[\]|\"\")", line)
        and not before.startswith("#")
    ]
    assert silent == []


def test_every_alert_can_be_overridden_and_has_a_runbook():
    known = SCHEMA["properties"]["prometheusRule"]["properties"]["overrides"]["properties"]
    assert set(known) == set(ALERTS)
    index = (ROOT / "docs/runbooks/README.md").read_text()
    for name, alert in ALERTS.items():
        page = (ROOT / f"docs/runbooks/{name}.md").read_text()
        headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
        assert headings == [name, "Meaning", "Impact", "Diagnosis", "Mitigation"]
        assert f"[{name}]({name}.md) | {alert['labels']['severity']} |" in index
    pages = {path.stem for path in (ROOT / "docs/runbooks").glob("*.md")} - {"README"}
    assert pages == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on(name):
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"].endswith(f"/runbooks/{name}")


def test_rules_read_only_what_the_operator_exports():
    assert metrics_in(RULES_TEXT) <= set(exported())
    assert {label for rule in RULES for label in unknown_labels(rule["expr"])} == set()
    used = {name for rule in RULES for name in re.findall(r"\w+:benchwarden_\w+:\w+", rule["expr"])}
    assert used == RECORDED


def test_the_dashboard_reads_only_what_the_operator_exports():
    queries = [each["query"]["query"] for each in DASHBOARD["templating"]["list"][1:]]
    for expression in (*EXPRESSIONS, *queries):
        assert metrics_in(expression) <= set(exported()), expression
        assert metrics_in(expression), expression
        assert unknown_labels(expression) == set()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_title_description_unit_and_the_chosen_data_source(panel):
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_grafanas_own_model_reads_the_dashboard_back():
    read = Dashboard.from_json(copy.deepcopy(DASHBOARD))
    assert [variable.name for variable in read.templating.list_val] == [
        *("datasource", "namespace", "schedule", "run")
    ]
    titles = [panel.title for panel in read.panels]
    assert titles == [panel["title"] for panel in DASHBOARD["panels"]]
    assert read.schema_version >= 41


def test_panels_have_numbers_and_places_of_their_own():
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < dashboard.WIDTH
        taken |= cells


def test_the_deployment_of_the_chart_sets_what_the_plain_manifests_set():
    """The text of the template: helm itself is asked in test_templates.py."""
    template = (CHART / "templates/deployment.yaml").read_text()
    plain = next(
        each for each in objects(Installation("n", "o", "r")) if each["kind"] == "Deployment"
    )
    (container,) = plain["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in container["env"]} <= set(re.findall(r"name: (\w+)", template))
    assert names.ENV_RUNNER_IMAGE in template


def test_the_lease_that_goes_with_the_release_is_the_operators():
    assert f"name: {names.COMPONENT}\n" in (CHART / "templates/lease.yaml").read_text()
