"""The documents about tasks say what the code does: their examples load, their keys are all there are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel
from tests.unit.suites.rows import full_row, jsonl

from benchwarden.suites.schema import TaskRow
from benchwarden.suites.tasks import parse_tasks

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guides/own-tasks.md").read_text()
REFERENCE = (ROOT / "docs/reference/tasks-schema.md").read_text()
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]


def keys_of(model: type[BaseModel], prefix: str = "") -> dict[str, bool]:
    """Dotted keys of a model's leaves and parts, each with whether it is required."""
    found: dict[str, bool] = {}
    for name, info in model.model_fields.items():
        place = f"{prefix}{name}"
        found[place] = info.is_required()
        inner = [info.annotation]
        while inner:
            kind = inner.pop()
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                many = "[]" if "list" in str(info.annotation) else ""
                found |= keys_of(kind, f"{place}{many}.")
            inner += getattr(kind, "__args__", ())
    return found


def documented() -> dict[str, str]:
    return dict(
        re.findall(r"^\| `([a-z_.\[\]0-9]+)` \|.*?\| ([^|]*?) \| [^|]*\|$", REFERENCE, re.MULTILINE)
    )


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_guide_loads(number):
    assert parse_tasks(jsonl(EXAMPLES[number]))


def test_the_examples_of_the_guide_show_every_key():
    assert len(EXAMPLES) >= 6
    assert {key for example in EXAMPLES for key in example} == set(full_row())


def test_the_reference_lists_exactly_the_keys_there_are():
    known = set(keys_of(TaskRow))
    parts = {"resources.requests", "resources.limits"}  # headings of their own keys
    assert set(documented()) == known - parts


def test_the_reference_tells_which_keys_are_required():
    required = {key for key, needed in keys_of(TaskRow).items() if needed}
    assert {key for key, word in documented().items() if word == "yes"} == required


def test_the_script_of_the_guide_reads_what_it_is_for(tmp_path):
    (script,) = [e["parser"]["script"] for e in EXAMPLES if e["parser"]["kind"] == "script"]
    out = tmp_path / "out"
    at = {"Time": "2026-01-02T03:04:05Z"}
    rows = [{**at, "Action": "run", "Test": "TestA"}, {**at, "Action": "pass", "Test": "TestA"}]
    lines = [
        json.dumps(row, separators=(",", ":")) for row in rows
    ]  # as `go test -json` writes them
    out.write_text("\n".join(["noise", "{ more noise", *lines, ""]))
    (tmp_path / "parser.py").write_text(script)
    words = [sys.executable, tmp_path / "parser.py", out, tmp_path / "err", tmp_path / "result"]
    subprocess.run(words, check=True)
    found = json.loads((tmp_path / "result").read_text())
    assert found == {"tests": [{"name": "TestA", "status": "PASSED"}]}
