"""Pages that say which test shows a claim name tests that exist."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    "concepts/outcomes.md",
    "concepts/threats.md",
    "concepts/isolation.md",
    "concepts/faults.md",
    "concepts/complaints.md",
)
PARAMETRIZED = "test_a_fault_for_ever_has_its_class_and_keeps_what_was_used_before"


@cache
def known_tests() -> frozenset[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    return frozenset(found)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_tests_and_files_that_exist(name):
    text = page(name)
    named = set(re.findall(r"`(test_\w+)(?:\[[^\]]*\])?`", text))
    assert named - known_tests() == set()
    for path in re.findall(r"`(tests/[\w./*]+)`", text):
        assert list(ROOT.glob(path.rstrip("/"))), path


def test_every_rung_of_the_ladder_is_in_the_table():
    ladder = (ROOT / "tests/unit/runner/test_claude_failure_ladder.py").read_text()
    rungs = set(re.findall(r'^    "([\w-]+)": (?:of_status|Rung)\(', ladder, re.MULTILINE))
    assert len(rungs) > 15
    table = page("concepts/outcomes.md")
    shown = set(re.findall(r"`(?:\.\.\.|" + PARAMETRIZED + r")\[([\w-]+)\]`", table))
    assert rungs == shown
