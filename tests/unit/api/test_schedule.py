"""The API of schedules: its CRD, its doors, and the same answer from the API server's rules and from ours."""

from pathlib import Path
from typing import Any

import cel
import pytest
import yaml
from tests.unit.api.api_server import defaulted, rules_of
from tests.unit.api.test_crd import nodes
from tests.unit.scheduling.bench import CLAUDE, raw_schedule

from benchwarden.api.crd import SCHEDULE, custom_resource_definition, render, render_all
from benchwarden.api.parse import parse_schedule
from benchwarden.api.semantics import check
from benchwarden.controller.schedules import schedule_view
from benchwarden.errors import InvalidInputError
from benchwarden.reconcile.work import moment
from benchwarden.scheduling.slots import timetable

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("schedule-*.yaml"))
ORACLE = {
    "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
    "agent": {"oracle": {}},
}

IMPOSSIBLE = {"requests": {"memory": "9Gi"}, "limits": {"memory": "1Gi"}}


def root() -> dict[str, Any]:
    version = custom_resource_definition(SCHEDULE)["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]


def spec_schema() -> dict[str, Any]:
    return root()["properties"]["spec"]


def holds(rule: str, value: Any) -> bool:
    return bool(cel.evaluate(rule, {"self": value}))


def refused_by_server(spec: dict[str, Any]) -> bool:
    """Whether a rule of the schedule or of its template says no."""
    whole = defaulted(spec_schema(), spec)
    template = spec_schema()["properties"]["template"]["properties"]["spec"]
    return not all(
        holds(each["rule"], value)
        for schema, value in ((spec_schema(), whole), (template, whole["template"]["spec"]))
        for each in schema.get("x-kubernetes-validations", ())
    )


def test_the_committed_crds_are_what_the_models_say() -> None:
    for name, text in render_all().items():
        assert (ROOT / "crds" / name).read_text() == text, "run `make generate`"


def test_the_crd_is_smaller_than_60_kb() -> None:
    assert len(render(SCHEDULE).encode()) < 60_000


def test_people_find_the_kind_by_short_name_and_category() -> None:
    names = custom_resource_definition(SCHEDULE)["spec"]["names"]
    assert (names["shortNames"], names["categories"]) == (["bms"], ["benchwarden"])


def test_every_field_of_a_schedule_is_described_and_bounded() -> None:
    for path, schema in nodes(spec_schema()):
        inside = path.startswith("spec.template.spec.")
        if not path.endswith(("[]", "{}")) and not inside:
            assert schema.get("description"), path
        if schema.get("type") == "string" and "enum" not in schema:
            assert "maxLength" in schema, path


def test_every_printer_column_shows_a_field_that_exists() -> None:
    known = {path for path, _ in nodes(root(), "")}
    columns = custom_resource_definition(SCHEDULE)["spec"]["versions"][0][
        "additionalPrinterColumns"
    ]
    for column in columns:
        path = column["jsonPath"].split("[")[0]
        assert path in known or path.startswith(".metadata"), path


def test_a_template_may_change_because_no_rule_of_it_looks_back() -> None:
    found = list(rules_of(spec_schema()))
    assert len(found) > 20
    for _, rule in found:
        cel.compile(rule["rule"])
        assert "oldSelf" not in rule["rule"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pinned": {"version": "2.1.330"}, "template": {"spec": ORACLE}}, "needs the agent"),
        ({"control": {"model": "claude-haiku-5"}, "template": {"spec": ORACLE}}, "a control arm"),
        ({"template": {"spec": {**ORACLE, "cancel": True}}}, "leave them out of the template"),
        ({"template": {"spec": {**ORACLE, "suspend": True}}}, "leave them out of the template"),
        ({"template": {"spec": {**ORACLE, "ttlSecondsAfterFinished": 9}}}, "history limits"),
    ],
)
def test_what_the_api_server_refuses_a_file_is_refused_for_too(
    change: dict[str, Any], says: str
) -> None:
    raw = raw_schedule()
    raw["spec"] |= change
    assert refused_by_server(raw["spec"])
    with pytest.raises(InvalidInputError, match=says):
        parse_schedule(raw)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schedule": "every day"}, "spec.schedule"),
        ({"timeZone": "Europe/Berlin; rm"}, "spec.timeZone"),
        ({"baseline": {"days": 6}}, "spec.baseline.days"),
        ({"detection": {"minimumEffect": "5"}}, "spec.detection.minimumEffect"),
        ({"detection": {"windows": []}}, "spec.detection.windows"),
        ({"pinned": {"version": "latest"}}, "spec.pinned.version"),
        ({"control": {"model": "claude-haiku-5", "instances": 1}}, "spec.control.instances"),
        (
            {"voidDays": [{"day": "2026-03-1", "author": "a", "reason": "r"}]},
            "spec.voidDays[0].day",
        ),
        ({"voidDays": [{"day": "2026-03-01", "author": "a"}]}, "spec.voidDays[0].reason"),
        (
            {"acknowledge": [{"day": "2026-03-01", "author": "", "reason": "r"}]},
            "spec.acknowledge[0].author",
        ),
        ({"concurrencyPolicy": "Queue"}, "spec.concurrencyPolicy"),
        ({"scheduel": "0 3 * * *"}, "spec.scheduel"),
    ],
)
def test_what_the_schema_refuses_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_schedule(raw_schedule(**change), strict=True)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schedule": "0 0 31 4 *"}, "spec.schedule"),
        ({"timeZone": "Mars/Base"}, "spec.timeZone"),
        ({"voidDays": [{"day": "2026-02-30", "author": "a", "reason": "r"}]}, "spec.voidDays"),
        (
            {"template": {"spec": {**ORACLE, "execution": {"resources": IMPOSSIBLE}}}},
            "spec.template.spec.execution.resources.requests.memory",
        ),
    ],
)
def test_what_only_the_operator_can_see_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        schedule_view(raw_schedule(**change), {}, moment("2026-03-01T00:00:00Z"))
    assert refused.value.field == field


def test_defaults_of_the_schema_are_the_defaults_of_the_models() -> None:
    raw = raw_schedule(pinned={"version": "2.1.330"})
    assert raw["spec"]["template"]["spec"]["agent"] == CLAUDE
    by_server = {**raw, "spec": defaulted(spec_schema(), raw["spec"])}
    assert parse_schedule(by_server).spec == parse_schedule(raw).spec


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_a_good_schedule(file: Path) -> None:
    parsed = parse_schedule(yaml.safe_load(file.read_text()), strict=True)
    check(parsed.spec.template.spec)
    timetable(parsed.spec.schedule, parsed.spec.time_zone)
    assert parsed.metadata.name == file.stem
    assert f"kubectl apply -f examples/{file.name}" in file.read_text()


def test_there_is_an_example() -> None:
    assert EXAMPLES
