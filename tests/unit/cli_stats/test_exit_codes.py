"""The statistics commands within the real command line: exit codes and one-line errors."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli_stats.commands import write_rows
from tests.unit.stats.histories import history


def benchwarden(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchwarden", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_good_history_exits_with_zero_and_prints_only_json(tmp_path: Path) -> None:
    done = benchwarden("analyze", write_rows(tmp_path / "h.jsonl", history(20)), "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("{")


@pytest.mark.parametrize("command", ["analyze", "compare"])
def test_input_that_cannot_be_used_exits_with_two_and_one_line(
    tmp_path: Path, command: str
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\nnonsense\n")
    done = benchwarden(command, bad, *([bad] if command == "compare" else []))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "line 2: not JSON" in done.stderr or "line 1: needs" in done.stderr
    assert done.stderr.count("\n") == 1
