"""What there is, from the code: commands with their options, resources, fields, values, targets, names."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import yaml
from tests.docs.pages import ROOT

from benchwarden import names
from benchwarden.api.crd import render_all

KUBECTL_VERBS = frozenset(
    [
        "annotate",
        "api-resources",
        "apply",
        "auth",
        "config",
        "cp",
        "create",
        "delete",
        "describe",
        "edit",
        "events",
        "exec",
        "explain",
        "get",
        "label",
        "logs",
        "patch",
        "plugin",
        "port-forward",
        "replace",
        "rollout",
        "run",
        "scale",
        "top",
        "version",
        "wait",
        "cluster-info",
        "completion",
    ]
)
OF_KUBERNETES = frozenset(
    [
        "all",
        "clusterroles",
        "configmap",
        "configmaps",
        "cm",
        "crd",
        "customresourcedefinitions",
        "customresourcedefinition",
        "deployment",
        "deployments",
        "deploy",
        "events",
        "job",
        "jobs",
        "lease",
        "leases",
        "namespace",
        "namespaces",
        "ns",
        "networkpolicies",
        "networkpolicy",
        "node",
        "nodes",
        "persistentvolumeclaim",
        "persistentvolumeclaims",
        "pvc",
        "pod",
        "pods",
        "role",
        "rolebindings",
        "roles",
        "secret",
        "secrets",
        "service",
        "services",
        "serviceaccount",
        "serviceaccounts",
        "svc",
        "po",
        "sts",
        "statefulset",
        "podmonitor",
        "servicemonitor",
        "prometheusrule",
    ]
)
_UNTYPED = "x-kubernetes-preserve-unknown-fields"


@lru_cache(maxsize=1)
def command_line() -> Any:
    import typer

    from benchwarden.cli.app import app

    return typer.main.get_command(app)


@lru_cache(maxsize=1)
def _crds() -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [yaml.load(text, loader)["spec"] for text in render_all().values()]


def definitions() -> dict[str, Any]:
    """Each kind's OpenAPI schema."""
    return {
        crd["names"]["kind"]: crd["versions"][0]["schema"]["openAPIV3Schema"] for crd in _crds()
    }


@lru_cache(maxsize=1)
def resources() -> frozenset[str]:
    ours: set[str] = set()
    for crd in _crds():
        found = crd["names"]
        ours |= {found["plural"], found["singular"], *found.get("shortNames", [])}
    full = {f"{plural}.{names.GROUP}" for plural in ours}
    return frozenset(OF_KUBERNETES | ours | full)


def field_exists(path: str, schema: dict[str, Any]) -> bool:
    """Whether a dotted path, with or without [], is a field."""
    for part in path.replace("[]", "").split("."):
        while schema.get("type") == "array":
            schema = schema["items"]
        name = re.sub(r"\[[^\]]*\]", "", part)
        properties = schema.get("properties", {})
        if name in properties:
            schema = properties[name]
        elif isinstance(schema.get("additionalProperties"), dict):
            schema = schema["additionalProperties"]
        else:
            return bool(schema.get(_UNTYPED))
    return True


@lru_cache(maxsize=1)
def chart() -> tuple[dict[str, Any], dict[str, Any]]:
    """The chart's values and their schema."""
    folder = ROOT / "charts/benchwarden"
    values: dict[str, Any] = yaml.safe_load((folder / "values.yaml").read_text())
    schema: dict[str, Any] = json.loads((folder / "values.schema.json").read_text())
    return values, schema


def value_exists(path: str) -> bool:
    """Whether a dotted path is a value of the chart; below an empty map anything is."""
    found: Any = chart()[0]
    for part in path.split("."):
        if found == {} or isinstance(found, list):
            return True
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


@lru_cache(maxsize=1)
def make_targets() -> frozenset[str]:
    text = (ROOT / "Makefile").read_text()
    return frozenset(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def image_targets() -> frozenset[str]:
    return frozenset(
        re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )


def image_arguments() -> frozenset[str]:
    return frozenset(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))


@lru_cache(maxsize=8)
def constants(*prefixes: str) -> frozenset[str]:
    """Values of the constants in names.py whose names begin like this."""
    return frozenset(value for name, value in vars(names).items() if name.startswith(prefixes))
