"""The CustomResourceDefinitions, written out by `python -m benchwarden.api.crd [BenchmarkSchedule]`."""

import sys
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import BaseModel

from benchwarden.api.run import BenchmarkRun
from benchwarden.api.schedule import BenchmarkSchedule
from benchwarden.api.structural import Schema, UnstructuralError, structural_schema
from benchwarden.names import (
    GROUP,
    RUN_KIND,
    RUN_PLURAL,
    SCHEDULE_KIND,
    SCHEDULE_PLURAL,
    VERSION,
)

_ONE_LINE: Final = 600  # characters of a map that is written on one line

_RUN_COLUMNS: Final = (
    ("Suite", ".status.suite.name", "string", "The suite", 0),
    ("Agent", ".status.agent.kind", "string", "Who solves the instances", 0),
    ("Progress", ".status.progress", "string", "Finished of planned trials", 0),
    ("Resolved", ".status.resolvedOfTotal", "string", "Resolved of valid trials", 0),
    ("Pass rate", ".status.passRate", "string", "Resolved over valid trials", 0),
    (
        "Status",
        '.status.conditions[?(@.type=="Succeeded")].reason',
        "string",
        "Reason of the condition Succeeded",
        0,
    ),
    ("Cost", ".status.costUsd", "string", "US dollars spent", 1),
    ("Model", ".status.agent.model", "string", "Model id", 1),
    ("CLI", ".status.agent.cliVersion", "string", "Version of the CLI", 1),
    ("Age", ".metadata.creationTimestamp", "date", "Time since creation", 0),
)
_SCHEDULE_COLUMNS: Final = (
    ("Schedule", ".spec.schedule", "string", "Cron expression", 0),
    ("Suspend", ".spec.suspend", "boolean", "Starts no new runs", 0),
    ("Active", ".status.active[0]", "string", "A run that has not ended", 0),
    ("Baseline", ".status.baseline.progress", "string", "Complete days of days wanted", 0),
    ("State", ".status.monitor.state", "string", "What the monitor says", 0),
    (
        "Quality",
        '.status.conditions[?(@.type=="DataQuality")].reason',
        "string",
        "Whether the last day is complete",
        0,
    ),
    ("Last", ".status.lastScheduleTime", "date", "Time since the last slot", 0),
    ("Next", ".status.nextScheduleTime", "string", "The next slot", 1),
    ("Time zone", ".spec.timeZone", "string", "Time zone of the expression", 1),
    ("Alarm", ".status.monitor.alarmDay", "string", "Day of the last alarm", 1),
    ("Age", ".metadata.creationTimestamp", "date", "Time since creation", 0),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of our kinds, as the CRD shows it."""

    model: type[BaseModel]
    name: str
    plural: str
    short: str
    columns: tuple[tuple[str, str, str, str, int], ...]
    rules: tuple[tuple[str, str], ...] = ()


RUN: Final = Kind(BenchmarkRun, RUN_KIND, RUN_PLURAL, "bmr", _RUN_COLUMNS)
SCHEDULE: Final = Kind(
    BenchmarkSchedule,
    SCHEDULE_KIND,
    SCHEDULE_PLURAL,
    "bms",
    _SCHEDULE_COLUMNS,
    rules=(
        (
            "self.metadata.name.size() <= 52",
            "the name may have at most 52 characters: runs add to it",
        ),
    ),
)


def custom_resource_definition(kind: Kind = RUN) -> Schema:
    """The CRD of a kind as an object."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["benchwarden"],
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "shortNames": [kind.short],
                "singular": kind.name.lower(),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": _root_schema(kind)},
                }
            ],
        },
    }


def render(kind: Kind = RUN) -> str:
    """The CRD as YAML, ready for `kubectl apply`; the same bytes each time."""
    header = "# Generated from operator/benchwarden/api by `make generate`; do not edit.\n"
    definition = custom_resource_definition(kind)
    body = yaml.dump(definition, Dumper=_ShortDumper, sort_keys=False, width=1000)
    return header + body


def render_all() -> dict[str, str]:
    """The CRDs of all kinds by the name of their file."""
    return {f"{kind.plural}.{GROUP}.yaml": render(kind) for kind in (RUN, SCHEDULE)}


def _root_schema(kind: Kind) -> Schema:
    parts = kind.model.model_fields
    texts = {name: parts[name].description for name in ("api_version", "kind")}
    spec = structural_schema(_model_of(kind, "spec"))
    if kind is SCHEDULE:
        # `kubectl explain bmr.spec` says it all; saying it twice would double the size.
        _keep_no_descriptions(spec["properties"]["template"]["properties"]["spec"])
    root: Schema = {
        "description": kind.model.__doc__,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": texts["api_version"], "type": "string"},
            "kind": {"description": texts["kind"], "type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": structural_schema(_model_of(kind, "status"), observed=True),
        },
    }
    if kind.rules:
        rules = [{"rule": rule, "message": message} for rule, message in kind.rules]
        root["x-kubernetes-validations"] = rules
    return root


def _keep_no_descriptions(schema: Schema) -> None:
    inner = [*schema.get("properties", {}).values()]
    inner += [schema[key] for key in ("items", "additionalProperties") if key in schema]
    for each in inner:
        each.pop("description", None)
        _keep_no_descriptions(each)


def _model_of(kind: Kind, field: str) -> type[BaseModel]:
    annotation = kind.model.model_fields[field].annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise UnstructuralError(f"{field} of a {kind.name} must be one model")
    return annotation


def _column(name: str, path: str, kind: str, description: str, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "description": description, "jsonPath": path}
    return {**column, "priority": priority} if priority else column


class _ShortDumper(yaml.SafeDumper):
    """YAML without anchors, with small maps on one line: most of a deep schema is indentation."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _short_map(dumper: _ShortDumper, data: Schema) -> yaml.MappingNode:
    short = len(repr(data)) <= _ONE_LINE
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=short)


def _short_list(dumper: _ShortDumper, data: list[Any]) -> yaml.SequenceNode:
    short = all(isinstance(item, str) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=short)


_ShortDumper.add_representer(dict, _short_map)
_ShortDumper.add_representer(list, _short_list)


if __name__ == "__main__":
    sys.stdout.write(render(SCHEDULE if SCHEDULE_KIND in sys.argv[1:] else RUN))
