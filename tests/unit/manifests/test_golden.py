"""Golden manifests: what is created on users' clusters changes only on purpose.

`BENCHWARDEN_GENERATE=1 pytest tests/unit/manifests/test_golden.py` writes them anew.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.manifests.cases import GOLDEN

FOLDER = Path(__file__).resolve().parents[2] / "golden"


class _Plain(yaml.SafeDumper):
    """YAML without anchors, whatever objects are shared."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(manifest: dict[str, Any]) -> str:
    return yaml.dump(manifest, Dumper=_Plain, sort_keys=False, width=110)


@pytest.fixture(scope="module", autouse=True)
def _generated() -> None:
    if os.environ.get("BENCHWARDEN_GENERATE"):
        for path in FOLDER.glob("*.yaml"):
            path.unlink()
        for name, build in GOLDEN.items():
            (FOLDER / f"{name}.yaml").write_text(as_yaml(build()))


@pytest.mark.parametrize("name", GOLDEN)
def test_a_manifest_is_what_it_was(name: str) -> None:
    assert (FOLDER / f"{name}.yaml").read_text() == as_yaml(GOLDEN[name]())


def test_no_golden_manifest_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_manifest_belongs_to_its_caller(name: str) -> None:
    first = as_yaml(GOLDEN[name]())
    _spoil(GOLDEN[name]())

    assert as_yaml(GOLDEN[name]()) == first


def _spoil(value: Any) -> None:
    """Change everything that can be changed in place."""
    children = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in list(children):
            _spoil(child)
    if isinstance(value, dict):
        value["spoiled"] = True
    elif isinstance(value, list):
        value.append("spoiled")
