"""pydantic types become structural OpenAPI schemas: bounded, described, without floats; refused otherwise.

pydantic writes JSON Schema that the API server does not take (references, `anyOf` with null, `const`).
What has a structural equal is translated; what has none raises `UnstructuralError` at generation.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

Schema = dict[str, Any]

_CARRIED: Final = (
    "description",
    "enum",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
)
_TRANSLATED: Final = frozenset(
    {
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "items",
        "properties",
        "required",
        "title",
        "type",
    }
)
_TYPES: Final = frozenset({"string", "integer", "boolean", "array", "object"})
_BOUNDS: Final = {"string": "maxLength", "array": "maxItems", "map": "maxProperties"}


class UnstructuralError(TypeError):
    """A type has no structural schema; the message names the field and what is wrong with it."""


class _ShortDefaults(GenerateJsonSchema):
    """A default that is a model shows what was given to it; the API server fills in the rest."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return super().encode_default(dft)


def structural_schema(model: type[BaseModel], *, observed: bool = False) -> Schema:
    """Structural OpenAPI schema of a model.

    Args:
        model: the type; its docstrings become descriptions.
        observed: the schema of a status: the operator writes it, so it has no defaults and needs no
            bounds; in a spec every string, list and map must have one, for the CEL cost budget.

    Raises:
        UnstructuralError: for floats, unions, tuples of fixed shape, free-form objects, missing
            descriptions and missing bounds.
    """
    raw = model.model_json_schema(by_alias=True, schema_generator=_ShortDefaults)
    definitions = raw.pop("$defs", {})
    return _Translator(definitions, observed=observed).translate(raw, model.__name__)


class _Translator:
    """One walk over one JSON Schema document."""

    def __init__(self, definitions: Mapping[str, Schema], *, observed: bool) -> None:
        self._definitions = definitions
        self._observed = observed

    def translate(self, node: Schema, path: str) -> Schema:
        """Structural form of one node; `path` is for error messages."""
        node = self._plain(node, path)
        unknown = node.keys() - _TRANSLATED - set(_CARRIED)
        if unknown:
            raise UnstructuralError(f"{path}: no structural equal of {', '.join(sorted(unknown))}")
        result: Schema = {key: node[key] for key in _CARRIED if key in node}
        if "description" in result:
            result["description"] = " ".join(result["description"].split())
        if not self._observed and node.get("default") not in (None, [], ""):
            result["default"] = node["default"]
        if "x-kubernetes-int-or-string" in node:
            return {**result, "anyOf": node["anyOf"]}
        kind = node.get("type")
        if kind not in _TYPES:
            raise UnstructuralError(f"{path}: type {kind} is not allowed in the API")
        result["type"] = kind
        if kind == "array":
            result["items"] = self.translate(self._items(node, path), f"{path}[]")
        if kind == "object":
            self._object(node, result, path)
        self._check_bounds(result, path)
        return result

    def _plain(self, node: Schema, path: str) -> Schema:
        """The node without references, null and constants."""
        node = dict(node)
        if "anyOf" in node and "x-kubernetes-int-or-string" not in node:
            options = [option for option in node.pop("anyOf") if option != {"type": "null"}]
            if len(options) != 1:
                raise UnstructuralError(f"{path}: a union of types is not allowed in the API")
            node = {**options[0], **node}
        if "$ref" in node:
            name = node.pop("$ref").rsplit("/", 1)[-1]
            node = self._plain({**self._definitions[name], **node}, path)
        if "const" in node:
            node["enum"] = [node.pop("const")]
        return node

    def _items(self, node: Schema, path: str) -> Schema:
        if not isinstance(node.get("items"), dict):
            raise UnstructuralError(f"{path}: a list needs one type of items")
        items: Schema = node["items"]
        return items

    def _object(self, node: Schema, result: Schema, path: str) -> None:
        values = node.get("additionalProperties")
        if "properties" not in node and isinstance(values, dict):
            result["additionalProperties"] = self.translate(values, f"{path}{{}}")
            return
        if "properties" not in node:
            raise UnstructuralError(f"{path}: a free-form object is not allowed in the API")
        properties = {}
        for name, value in node.get("properties", {}).items():
            properties[name] = self.translate(value, f"{path}.{name}")
            if "description" not in properties[name]:
                raise UnstructuralError(f"{path}.{name}: a field needs a description")
        if properties:
            result["properties"] = properties
        if node.get("required"):
            result["required"] = node["required"]
        if result.get("default") == {} and not _has_defaults(result):
            del result["default"]

    def _check_bounds(self, schema: Schema, path: str) -> None:
        kind = "map" if "additionalProperties" in schema else schema["type"]
        bound = _BOUNDS.get(kind)
        if not self._observed and bound and bound not in schema and "enum" not in schema:
            raise UnstructuralError(f"{path}: needs {bound}, for the API server's cost of rules")


def _has_defaults(schema: Schema) -> bool:
    return any("default" in value for value in schema.get("properties", {}).values())
