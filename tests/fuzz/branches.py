"""Branch coverage of the parsers, by the corpus and Hypothesis: `python -m tests.fuzz.branches`.

Not measured under atheris, which rewrites what it watches. Exit code 1 below the promised share.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.fuzz.examples import inputs_of
from tests.fuzz.replay import replay
from tests.fuzz.table import TARGETS

PROMISED_PERCENT = 95.0
_EXAMPLES = 150
_SLOW = {"patched_trees": 3, "hostile_trees": 30}


def explore() -> int:
    """Run every target on its corpus and on what Hypothesis makes of it."""
    if replay([]):
        return 1
    for name, target in TARGETS.items():
        most = _SLOW.get(name, _EXAMPLES)
        quiet = settings(
            max_examples=most, suppress_health_check=list(HealthCheck), database=None, deadline=None
        )
        quiet(given(inputs_of(target))(target.run))()
    return 0


def measure() -> dict[str, Any]:
    """What coverage.py says of each parser's module, by its path below the import root."""
    with tempfile.TemporaryDirectory() as scratch:
        data, report = f"--data-file={scratch}/data", f"{scratch}/report.json"
        coverage = (sys.executable, "-m", "coverage")
        subprocess.run(
            [*coverage, "run", "--branch", data, "-m", "tests.fuzz.branches", "explore"], check=True
        )
        subprocess.run([*coverage, "json", "-q", data, "-o", report], check=True)
        files: dict[str, Any] = json.loads(Path(report).read_text())["files"]
    wanted = {module for target in TARGETS.values() for module in target.parsers}
    return {
        module: {**found["summary"], "missing": found["missing_branches"]}
        for module in sorted(wanted)
        for path, found in files.items()
        if path.endswith(f"/{module}")
    }


def main() -> int:
    found = measure()
    branches = sum(each["num_branches"] for each in found.values())
    taken = sum(each["covered_branches"] for each in found.values())
    for module, each in found.items():
        percent = 100 * each["covered_branches"] / max(each["num_branches"], 1)
        missing = ", ".join(f"{begin}-{end}" for begin, end in each["missing"])
        print(f"{module:52} {percent:6.1f} %  {missing}")
    total = 100 * taken / branches
    print(f"{taken} of {branches} branches of the parsers: {total:.1f} %")
    return 0 if total >= PROMISED_PERCENT else 1


if __name__ == "__main__":
    sys.exit(explore() if sys.argv[1:] == ["explore"] else main())
