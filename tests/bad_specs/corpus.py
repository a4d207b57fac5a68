"""The corpus of bad specs: read, merged onto a good spec, with its placeholders filled in."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
FILES = ("suite.yaml", "agent.yaml", "execution.yaml", "run.yaml")

_SUITE = {"tasks": {"source": {"configMap": {"name": "mini-suite"}}}}
GOOD = {
    "oracle": {"suite": _SUITE, "agent": {"oracle": {}}},
    "exec": {"suite": _SUITE, "agent": {"exec": {"command": ["make", "fix"]}}},
    "claude": {
        "suite": _SUITE,
        "agent": {
            "claudeCode": {
                "version": "2.1.330",
                "model": "claude-sonnet-5-5",
                "credentials": {"apiKey": {"name": "anthropic", "key": "api-key"}},
            }
        },
    },
}


class BadSpec(NamedTuple):
    """One case; `unknown` is the field that only strict reading refuses."""

    name: str
    spec: Any
    field: str
    at_the_server: bool
    reason: str
    unknown: str


class Change(NamedTuple):
    """An update of a run; `field` is empty where it must be possible."""

    name: str
    before: Any
    after: Any
    field: str


def bad_specs() -> Iterator[BadSpec]:
    """All bad specs, in file order."""
    for file in FILES:
        for case in _read(file):
            assert case["refused"] in {"apiServer", "accepted"}, case["name"]
            yield BadSpec(
                name=f"{file.removesuffix('.yaml')}: {case['name']}",
                spec=merged(GOOD[case.get("base", "oracle")], case["spec"]),
                field=case["field"],
                at_the_server=case["refused"] == "apiServer",
                reason=case.get("reason", "InvalidSpec"),
                unknown=case.get("strict", ""),
            )


def changes(file: str) -> Iterator[Change]:
    """The updates in `changes.yaml` or `allowed_changes.yaml`."""
    for case in _read(file):
        before, after = (merged(GOOD["oracle"], case[side]) for side in ("before", "after"))
        yield Change(case["name"], before, after, case.get("field", ""))


def a_run(spec: Any, name: str = "bad") -> dict[str, Any]:
    """The whole object around a spec."""
    return {
        "apiVersion": "benchwarden.dev/v1alpha1",
        "kind": "BenchmarkRun",
        "metadata": {"name": name},
        "spec": spec,
    }


def merged(base: Any, patch: Any) -> Any:
    """JSON merge patch: maps are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict) or not isinstance(base, dict):
        return _filled_in(patch)
    result = copy.deepcopy(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key, {}), value)
    return result


def _read(file: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / file).read_text())


def _filled_in(value: Any) -> Any:
    """Placeholders such as `$text-254`: values too long to be written out."""
    if isinstance(value, dict):
        return {key: _filled_in(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled_in(each) for each in value]
    if not isinstance(value, str) or not value.startswith("$") or "-" not in value:
        return value
    kind, _, count = value[1:].partition("-")
    numbers = range(int(count))
    return {
        "text": lambda: "a" * int(count),
        "hex": lambda: "0" * int(count),
        "ids": lambda: [f"id-{number}" for number in numbers],
        "env": lambda: [{"name": f"V{number}", "value": "x"} for number in numbers],
        "rewrites": lambda: [{"prefix": f"r{n}/", "replacement": "mirror/"} for n in numbers],
    }[kind]()
