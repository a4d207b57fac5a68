"""The Prometheus operator's own schemas of the objects that the chart makes for it, from its Go module."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.cluster.packages import program

MODULE = "github.com/prometheus-operator/prometheus-operator@v0.85.0"


@functools.cache
def folder() -> Path:
    """The module's definitions; Go checks them against its checksum database."""
    command = [program("go") or "go", "mod", "download", "-json", MODULE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(json.loads(done.stdout)["Dir"]) / "example/prometheus-operator-crd"


@functools.cache
def schema(kind: str) -> dict[str, Any]:
    """The schema of a kind; a key that it does not name is refused, as the API server would drop it."""
    path = folder() / f"monitoring.coreos.com_{kind.lower()}s.yaml"
    definition = yaml.safe_load(path.read_text())
    (version,) = (each for each in definition["spec"]["versions"] if each["storage"])
    found = strict(version["schema"]["openAPIV3Schema"])
    found["properties"]["metadata"] = {"type": "object"}
    return found


def strict(part: Any) -> Any:
    """The schema without unknown keys, and with Kubernetes' own words in those of JSON Schema."""
    if isinstance(part, list):
        return [strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: strict(each) for key, each in part.items()}
    if found.get("x-kubernetes-int-or-string") is True:
        return {"type": ["integer", "string"]}
    if str(found.get("pattern", "")).startswith("^(?i)"):
        found["pattern"] = "(?i)^" + found["pattern"].removeprefix(
            "^(?i)"
        )  # Go's words in Python's order
    if "properties" in found and isinstance(found["properties"], dict):
        found.setdefault("additionalProperties", False)
    return found
