"""The ground of the API types: camelCase in YAML, snake_case and frozen in Python, rules beside the fields.

A rule that spans fields is written once, as CEL for the API server and as a Python predicate for files
that never meet an API server (`benchwarden run FILE --local`); a test holds the two against each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Rule:
    """One cross-field rule of a model.

    Attributes:
        cel: expression over `self` (and `oldSelf`), true when the rule holds.
        message: what is wrong and how to mend it, one sentence.
        holds: the same predicate in Python; None for rules about changes, which need an old object.
        field: camelCase name of the field at fault below the model, or empty for the model itself.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    field: str = ""


class KubeModel(BaseModel):
    """Base of every API type.

    Unknown fields are ignored by default, because an old operator must read a newer object;
    `parse_run(..., strict=True)` makes them errors.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.rules:
            schema["x-kubernetes-validations"] = [
                {
                    "rule": rule.cel,
                    "message": rule.message,
                    **({"fieldPath": f".{rule.field}"} if rule.field else {}),
                }
                for rule in cls.rules
            ]
        return schema

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise PydanticCustomError(
                    "rule", "{message}", {"message": rule.message, "field": rule.field}
                )
        return self


@dataclass(frozen=True, slots=True)
class Unique:
    """Marks a list whose items differ: in the field `key`, or as a whole if there is none."""

    key: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._differ, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        marks = {"x-kubernetes-list-type": "map" if self.key else "set"}
        keys = {"x-kubernetes-list-map-keys": [self.key]} if self.key else {}
        return {**handler(schema), **marks, **keys}

    def _differ(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        seen = set()
        for item in items:
            identity = getattr(item, self.key) if self.key else item
            if identity in seen:
                raise PydanticCustomError(
                    "duplicate", "{identity} is there twice; remove one", {"identity": identity}
                )
            seen.add(identity)
        return items


def exactly_one(*fields: str, field: str = "") -> Rule:
    """Rule: one and only one of these (camelCase) fields is set."""
    return _counted(fields, "== 1", "set exactly one of", lambda count: count == 1, field)


def at_most_one(*fields: str, field: str = "") -> Rule:
    """Rule: these (camelCase) fields exclude each other; none is fine too."""
    return _counted(fields, "<= 1", "set at most one of", lambda count: count <= 1, field)


def at_least_one(*fields: str, field: str = "") -> Rule:
    """Rule: not all of these (camelCase) fields may be missing."""
    return _counted(fields, ">= 1", "set at least one of", lambda count: count >= 1, field)


def immutable(field: str, *, optional: bool) -> Rule:
    """Rule: the field keeps the value it was created with; `optional` = it may be absent."""
    same = f"self.{field} == oldSelf.{field}"
    if optional:
        same = f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {same})"
    return Rule(
        cel=same,
        message=f"{field} cannot be changed once the run exists; create a new run instead",
        field=field,
    )


def _counted(
    fields: tuple[str, ...], test: str, words: str, fits: Callable[[int], bool], field: str
) -> Rule:
    present = ", ".join(f"has(self.{name})" for name in fields)
    return Rule(
        cel=f"[{present}].filter(x, x).size() {test}",
        message=f"{words} {', '.join(fields)}",
        holds=lambda model: fits(_present(model, fields)),
        field=field,
    )


def _present(model: KubeModel, fields: tuple[str, ...]) -> int:
    """How many of these camelCase fields are set."""
    names = {info.alias: name for name, info in type(model).model_fields.items()}
    return sum(getattr(model, names[field]) is not None for field in fields)
