"""The door: a raw object of ours becomes typed, or one error that names the field and the fix."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from benchwarden.api.patterns import MEANINGS
from benchwarden.api.run import BenchmarkRun
from benchwarden.api.schedule import BenchmarkSchedule
from benchwarden.errors import InvalidInputError
from benchwarden.names import REASON_INVALID_SPEC

M = TypeVar("M", BenchmarkRun, BenchmarkSchedule)

_MOST_ERRORS: Final = 5
_UNREAD_METADATA: Final = frozenset(
    {"finalizers", "managedFields", "ownerReferences", "selfLink", "deletionGracePeriodSeconds"}
)


def parse_run(obj: Mapping[str, Any], *, strict: bool = False) -> BenchmarkRun:
    """Parse a BenchmarkRun as the API server or a YAML file gives it.

    Args:
        obj: the whole object, JSON-like.
        strict: unknown fields are errors; for files, where a typing mistake must not be ignored.

    Raises:
        InvalidInputError: reason `InvalidSpec`; `field` is the first field at fault, and the message
            has one sentence for each of the first few.
    """
    return _parse(BenchmarkRun, obj, strict=strict)


def parse_schedule(obj: Mapping[str, Any], *, strict: bool = False) -> BenchmarkSchedule:
    """Parse a BenchmarkSchedule; see `parse_run`."""
    return _parse(BenchmarkSchedule, obj, strict=strict)


def _parse(model: type[M], obj: Mapping[str, Any], *, strict: bool) -> M:
    if not isinstance(obj, Mapping):
        raise InvalidInputError(f"a {model.__name__} must be an object", reason=REASON_INVALID_SPEC)
    readable = _readable(obj, strict=strict)
    extra: Final = "forbid" if strict else None
    try:
        return model.model_validate(readable, extra=extra)
    except ValidationError as error:
        faults = [
            each for each in error.errors(include_url=False) if each["loc"][:1] != ("status",)
        ]
    if faults:
        raise _one_error(faults)
    # Only the status is odd, written by another version: that is never the user's fault.
    readable.pop("status")
    return model.model_validate(readable, extra=extra)


def _readable(obj: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    """The object without what a file may carry and nobody reads."""
    readable = dict(obj)
    if strict:
        readable.pop("status", None)
        metadata = readable.get("metadata")
        if isinstance(metadata, Mapping):
            readable["metadata"] = {
                name: value for name, value in metadata.items() if name not in _UNREAD_METADATA
            }
    return readable


def _one_error(details: Sequence[ErrorDetails]) -> InvalidInputError:
    faults = [(_path(detail), _sentence(detail)) for detail in details]
    field, sentence = faults[0]
    more = [f"{path}: {text}" for path, text in faults[1:_MOST_ERRORS]]
    left = len(faults) - _MOST_ERRORS
    if left > 0:
        more.append(f"and {left} more")
    return InvalidInputError("; ".join([sentence, *more]), reason=REASON_INVALID_SPEC, field=field)


def _path(detail: ErrorDetails) -> str:
    """Such as `spec.suite.selection.include[3]`."""
    path = ""
    for part in detail["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":
            path += f".{part}" if path else str(part)
    if detail["type"] == "rule" and detail["ctx"]["field"]:
        path += f".{detail['ctx']['field']}"
    return path


_SENTENCES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field here; check its spelling and indentation",
    "literal_error": "must be {expected}, not {given}",
    "greater_than_equal": "must be at least {ge}, not {given}",
    "less_than_equal": "must be at most {le}, not {given}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "too_short": "must have at least {min_length} item",
    "rule": "{message}",
    "duplicate": "{identity} is there twice; remove one",
}


def _sentence(detail: ErrorDetails) -> str:
    """One pydantic error in words that say the fix."""
    given, limits = _shown(detail["input"]), detail.get("ctx", {})
    if detail["type"] == "string_pattern_mismatch":
        return f"{given} is not {MEANINGS.get(limits['pattern'], limits['pattern'])}"
    template = _SENTENCES.get(detail["type"])
    if template is None:
        return _type_sentence(detail["type"], detail["input"])
    return template.format(given=given, **limits)


def _type_sentence(kind: str, given: Any) -> str:
    wanted = {
        "string_type": "text",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "tuple_type": "a list",
        "dict_type": "a map",
        "model_type": "an object",
        "model_attributes_type": "an object",
    }.get(kind)
    if wanted is None:
        return f"{_shown(given)} cannot be used ({kind.replace('_', ' ')})"
    if given is None and wanted == "an object":
        return "must be an object, not empty; write {} for one without fields"
    if wanted == "text" and isinstance(given, int | float):
        return f'must be text: put it in quotes, "{_plain(given)}"'
    return f"must be {wanted}, not {_shown(given)}"


def _plain(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _shown(value: Any) -> str:
    """The value as a reader of YAML knows it, cut to a readable length."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return _plain(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:57]}...")
    return "a list" if isinstance(value, Sequence) else "an object"
