"""The CustomResourceDefinition of BenchmarkRun, written out by `python -m benchwarden.api.crd`."""

import sys
from typing import Any, Final

import yaml
from pydantic import BaseModel

from benchwarden.api.run import BenchmarkRun
from benchwarden.api.structural import Schema, UnstructuralError, structural_schema
from benchwarden.names import GROUP, RUN_KIND, RUN_PLURAL, VERSION

_ONE_LINE: Final = 420  # characters of a map that is written on one line

_COLUMNS: Final = (
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


def custom_resource_definition() -> Schema:
    """The CRD of BenchmarkRun as an object."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{RUN_PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["benchwarden"],
                "kind": RUN_KIND,
                "listKind": f"{RUN_KIND}List",
                "plural": RUN_PLURAL,
                "shortNames": ["bmr"],
                "singular": RUN_KIND.lower(),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
                    "schema": {"openAPIV3Schema": _root_schema()},
                }
            ],
        },
    }


def render() -> str:
    """The CRD as YAML, ready for `kubectl apply`; the same bytes each time."""
    header = "# Generated from operator/benchwarden/api by `make generate`; do not edit.\n"
    body = yaml.dump(custom_resource_definition(), Dumper=_ShortDumper, sort_keys=False, width=1000)
    return header + body


def _root_schema() -> Schema:
    parts = BenchmarkRun.model_fields
    texts = {name: parts[name].description for name in ("api_version", "kind")}
    return {
        "description": BenchmarkRun.__doc__,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": texts["api_version"], "type": "string"},
            "kind": {"description": texts["kind"], "type": "string"},
            "metadata": {"type": "object"},
            "spec": structural_schema(_model_of("spec")),
            "status": structural_schema(_model_of("status"), observed=True),
        },
    }


def _model_of(field: str) -> type[BaseModel]:
    annotation = BenchmarkRun.model_fields[field].annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise UnstructuralError(f"{field} of a BenchmarkRun must be one model")
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
    sys.stdout.write(render())
