"""A small model of what an API server does with a custom resource: defaults, schema, list types, CEL rules.

It knows the part of the rules that the generated CRD uses; `tests/cluster_promises` holds it against the real one.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import cel
from jsonschema import Draft202012Validator

from benchwarden.api.crd import custom_resource_definition


class Violation(NamedTuple):
    field: str
    message: str


@cache
def spec_schema() -> dict[str, Any]:
    version = custom_resource_definition()["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]


def admit(spec: Any, old: Any = None) -> list[Violation]:
    """What the API server says of a spec, on create or (with `old`) on update."""
    schema = spec_schema()
    spec = defaulted(schema, spec)
    violations = list(_structure(schema, spec))
    if violations:
        return violations
    old = defaulted(schema, old) if old is not None else None
    return list(_rules(schema, spec, old, "spec"))


def defaulted(schema: dict[str, Any], value: Any) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        filled = dict(value)
        for name, field in schema["properties"].items():
            if name not in filled and "default" in field:
                filled[name] = field["default"]
            if name in filled:
                filled[name] = defaulted(field, filled[name])
        return filled
    if isinstance(value, list) and "items" in schema:
        return [defaulted(schema["items"], item) for item in value]
    return value


def rules_of(schema: dict[str, Any], path: str = "spec") -> Iterator[tuple[str, dict[str, str]]]:
    """All rules of a schema with the path of the node that has them."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path, rule
    for name, field in schema.get("properties", {}).items():
        yield from rules_of(field, f"{path}.{name}")
    if "items" in schema:
        yield from rules_of(schema["items"], f"{path}[]")


def _structure(schema: dict[str, Any], spec: Any) -> Iterator[Violation]:
    for error in Draft202012Validator(schema).iter_errors(spec):
        path = _path(error.absolute_path)
        if error.validator == "required":
            path += "." + error.message.split("'")[1]
        yield Violation(path, error.message)
    yield from _list_types(schema, spec, "spec")


def _list_types(schema: dict[str, Any], value: Any, path: str) -> Iterator[Violation]:
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            yield from _list_types(field, value.get(name), f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        kind = schema.get("x-kubernetes-list-type")
        keys = schema.get("x-kubernetes-list-map-keys", [])
        identities = [
            tuple(item.get(key) for key in keys) if keys and isinstance(item, dict) else item
            for item in value
        ]
        for position, identity in enumerate(identities):
            if kind and identity in identities[:position]:
                yield Violation(f"{path}[{position}]", "Duplicate value")
        for position, item in enumerate(value):
            yield from _list_types(schema["items"], item, f"{path}[{position}]")


def _rules(schema: dict[str, Any], value: Any, old: Any, path: str) -> Iterator[Violation]:
    for rule in schema.get("x-kubernetes-validations", ()):
        about_change = "oldSelf" in rule["rule"]
        if about_change and old is None:
            continue
        context = {"self": value, "oldSelf": old} if about_change else {"self": value}
        if not _compiled(rule["rule"]).execute(context):
            yield Violation(path + rule.get("fieldPath", ""), rule["message"])
    if isinstance(value, dict):
        for name, field in schema.get("properties", {}).items():
            if name in value:
                before = old.get(name) if isinstance(old, dict) else None
                yield from _rules(field, value[name], before, f"{path}.{name}")
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _rules(schema["items"], item, None, f"{path}[{position}]")


@cache
def _compiled(rule: str) -> Any:
    return cel.compile(rule)


def _path(parts: Any) -> str:
    path = "spec"
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path
