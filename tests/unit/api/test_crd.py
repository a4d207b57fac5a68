from pathlib import Path
from typing import Annotated, Any, ClassVar

import cel
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints
from tests.unit.api.api_server import rules_of, spec_schema

from benchwarden.api import reference
from benchwarden.api.crd import custom_resource_definition, render
from benchwarden.api.model import KubeModel, Rule, Unique, exactly_one, immutable
from benchwarden.api.run import BenchmarkRun
from benchwarden.api.scalars import Int, Quantity
from benchwarden.api.structural import UnstructuralError, structural_schema

ROOT = Path(__file__).parents[3]
GENERATED = ROOT / "crds" / "benchmarkruns.benchwarden.dev.yaml"
Short = Annotated[str, StringConstraints(max_length=9)]


def nodes(schema: Any, path: str = "spec") -> Any:
    """Every node of a schema with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


def versions() -> Any:
    return custom_resource_definition()["spec"]["versions"]


def test_the_committed_crd_is_what_the_models_say() -> None:
    assert GENERATED.read_text() == render(), "run `make generate`"


def test_the_kustomization_lists_every_crd() -> None:
    listed = yaml.safe_load((GENERATED.parent / "kustomization.yaml").read_text())["resources"]
    found = {file.name for file in GENERATED.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == found


def test_the_crd_is_smaller_than_60_kb() -> None:
    assert len(render().encode()) < 60_000


def test_the_yaml_reads_back_as_the_object() -> None:
    assert yaml.safe_load(render()) == custom_resource_definition()


def test_people_find_the_kind_by_short_name_and_category() -> None:
    spec = custom_resource_definition()["spec"]
    assert spec["names"]["shortNames"] == ["bmr"]
    assert spec["names"]["categories"] == ["benchwarden"]
    assert spec["scope"] == "Namespaced"


def test_the_status_is_a_subresource_and_one_version_is_stored() -> None:
    assert [(v["served"], v["storage"], v["subresources"]) for v in versions()] == [
        (True, True, {"status": {}})
    ]


def test_every_printer_column_shows_a_field_that_exists() -> None:
    status = versions()[0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    known = {path for path, _ in nodes(status, ".status")}
    columns = versions()[0]["additionalPrinterColumns"]
    shown = {column["jsonPath"] for column in columns if column["jsonPath"].startswith(".status")}
    assert {path.replace('[?(@.type=="Succeeded")]', "[]") for path in shown} <= known
    wide = [column["name"] for column in columns if column.get("priority")]
    assert wide == ["Cost", "Model", "CLI"]


def test_nothing_is_a_float_and_nothing_escapes_pruning() -> None:
    text = render()
    assert "type: number" not in text
    assert "x-kubernetes-preserve-unknown-fields" not in text
    assert "x-kubernetes-embedded-resource" not in text


def test_every_field_is_described() -> None:
    root = versions()[0]["schema"]["openAPIV3Schema"]
    for part in ("spec", "status"):
        for path, schema in nodes(root["properties"][part], part):
            if not path.endswith(("[]", "{}")):
                assert schema.get("description"), path


def test_everything_in_a_spec_is_bounded_so_that_rules_have_a_price() -> None:
    bounds = {"string": "maxLength", "array": "maxItems"}
    for path, schema in nodes(spec_schema()):
        if "enum" not in schema and schema.get("type") in bounds:
            assert bounds[schema["type"]] in schema, path
        if "additionalProperties" in schema:
            assert "maxProperties" in schema, path


def test_every_rule_compiles_and_points_at_a_field_of_its_node() -> None:
    schemas = dict(nodes(spec_schema()))
    found = list(rules_of(spec_schema()))
    assert len(found) > 30
    for path, rule in found:
        cel.compile(rule["rule"])
        assert rule["message"]
        if "fieldPath" in rule:
            assert rule["fieldPath"].removeprefix(".") in schemas[path]["properties"], path


def test_every_field_but_three_is_guarded_against_change() -> None:
    guarded = {r["fieldPath"][1:] for p, r in rules_of(spec_schema()) if "oldSelf" in r["rule"]}
    assert set(spec_schema()["properties"]) - guarded == {"suspend"}


def test_defaults_in_the_schema_are_the_defaults_of_the_models() -> None:
    from tests.bad_specs.corpus import GOOD, a_run
    from tests.unit.api.api_server import defaulted

    for spec in GOOD.values():
        by_server = BenchmarkRun.model_validate(a_run(defaulted(spec_schema(), spec)))
        assert by_server.spec == BenchmarkRun.model_validate(a_run(spec)).spec


def test_a_status_has_no_defaults_because_the_operator_writes_it() -> None:
    root = versions()[0]["schema"]["openAPIV3Schema"]
    assert not [p for p, s in nodes(root["properties"]["status"], "status") if "default" in s]


def a_model(annotation: Any, **extra: Any) -> type[KubeModel]:
    body = {"__annotations__": {"field": annotation}, "__doc__": "A model.", "__module__": __name__}
    return type("Model", (KubeModel,), body | {"field": Field(description="A field.", **extra)})


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (float, "type number"),
        (int | Short, "a union"),
        (tuple[Short, Int], "no structural equal of prefixItems"),
        (dict[str, Any], "free-form"),
        (Any, "type None"),
        (str, "needs maxLength"),
        (tuple[Short, ...], "needs maxItems"),
        (dict[str, Short], "needs maxProperties"),
        (Annotated[int, Field(gt=0)], "exclusiveMinimum"),
    ],
)
def test_what_the_api_server_would_refuse_is_refused_at_generation(
    annotation: Any, says: str
) -> None:
    with pytest.raises(UnstructuralError, match=says):
        structural_schema(a_model(annotation))


def test_a_field_without_a_description_is_refused_at_generation() -> None:
    model = type("Model", (KubeModel,), {"__annotations__": {"field": Int}, "__module__": __name__})
    with pytest.raises(UnstructuralError, match="needs a description"):
        structural_schema(model)


def test_an_optional_field_is_neither_nullable_nor_required() -> None:
    schema = structural_schema(a_model(Short | None, default=None))
    assert schema["properties"]["field"] == {
        "description": "A field.",
        "maxLength": 9,
        "type": "string",
    }
    assert "required" not in schema


def test_a_quantity_is_an_int_or_a_string() -> None:
    field = structural_schema(a_model(Quantity))["properties"]["field"]
    assert field["x-kubernetes-int-or-string"] is True
    assert field["anyOf"] == [{"type": "integer"}, {"type": "string"}]
    assert "type" not in field


def test_a_list_of_unique_items_is_a_set() -> None:
    items = Annotated[tuple[Short, ...], Field(max_length=3), Unique()]
    assert (
        structural_schema(a_model(items))["properties"]["field"]["x-kubernetes-list-type"] == "set"
    )


class Choice(KubeModel):
    """A choice."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("a", "bC"), immutable("a", optional=True))

    a: Int | None = None
    """One."""
    b_c: Int | None = None
    """The other."""


@given(st.fixed_dictionaries({}, optional={"a": st.integers(0, 9), "bC": st.integers(0, 9)}))
def test_a_rule_says_the_same_in_cel_and_in_python(value: dict[str, int]) -> None:
    rule = Choice.rules[0]
    assert rule.holds is not None
    in_python = rule.holds(Choice.model_construct(a=value.get("a"), b_c=value.get("bC")))
    assert cel.compile(rule.cel).execute({"self": value}) is in_python


@given(
    st.fixed_dictionaries({}, optional={"a": st.integers(0, 1)}),
    st.fixed_dictionaries({}, optional={"a": st.integers(0, 1)}),
)
def test_an_immutable_field_keeps_its_value_and_its_absence(
    old: dict[str, int], new: dict[str, int]
) -> None:
    allowed = cel.compile(Choice.rules[1].cel).execute({"self": new, "oldSelf": old})
    assert allowed is (old == new)


def test_the_reference_page_is_what_the_schema_says() -> None:
    written = (ROOT / "docs" / "reference" / "api.md").read_text()
    assert written == reference.page(), "run `make generate`"


def test_the_reference_page_has_every_field() -> None:
    page = reference.page()
    for path, schema in nodes(spec_schema()):
        for name in schema.get("properties", {}):
            section = page.split(f"## `{path}`\n")[1].split("\n## ")[0]
            assert f"| `{name}`" in section, f"{path}.{name}"
