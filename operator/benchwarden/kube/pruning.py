"""Only what projections use of a Job or pod becomes Python objects; the parser skips all the rest.

Nine tenths of a pod's JSON is its spec and the record of who wrote which field. Building dictionaries of it was
most of what a start among thousands of pods costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict  # before Python 3.12 pydantic takes no other

T = TypeVar("T")


class _Named(TypedDict, total=False):
    name: Any


class _Written(TypedDict, total=False):
    manager: Any
    subresource: Any
    time: Any


class _Metadata(TypedDict, total=False):
    uid: Any
    name: Any
    namespace: Any
    resourceVersion: Any
    labels: Any
    annotations: Any
    ownerReferences: Any
    creationTimestamp: Any
    deletionTimestamp: Any
    managedFields: list[_Written]


class _PodSpec(TypedDict, total=False):
    nodeName: Any
    initContainers: list[_Named]
    containers: list[_Named]


class _Pod(TypedDict, total=False):
    metadata: _Metadata
    spec: _PodSpec
    status: Any


class _JobSpec(TypedDict, total=False):
    suspend: Any


class _Job(TypedDict, total=False):
    metadata: _Metadata
    spec: _JobSpec
    status: Any


class _Page(TypedDict, Generic[T], total=False):
    metadata: Any
    items: list[T]


class _Event(TypedDict, Generic[T], total=False):
    type: Any
    object: T


def _read(adapter: TypeAdapter[Any], text: bytes) -> Any:
    try:
        return adapter.validate_json(text)
    except ValidationError:
        return from_json(text)  # of another shape, or no JSON at all: whoever asked judges it


@dataclass(frozen=True, slots=True)
class Shape:
    """Reads the JSON of one kind; what has another shape is read whole."""

    pages: TypeAdapter[Any]
    events: TypeAdapter[Any]

    def page(self, body: bytes) -> Any:
        """One page of a list; ValueError if it is no JSON."""
        return _read(self.pages, body)

    def event(self, line: bytes) -> Any:
        """One event of a watch; ValueError if it is no JSON. An error is read whole."""
        event = _read(self.events, line)
        if isinstance(event, Mapping) and event.get("type") == "ERROR":
            return from_json(line)
        return event


PODS = Shape(TypeAdapter(_Page[_Pod]), TypeAdapter(_Event[_Pod]))
JOBS = Shape(TypeAdapter(_Page[_Job]), TypeAdapter(_Event[_Job]))
