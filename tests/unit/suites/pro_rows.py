"""A made-up SWE-bench Pro instance with a repository of its own, and the 33 published rows."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.runner.builders import commit, git, repository

PUBLISHED = Path(__file__).parents[2] / "data" / "swebenchpro" / "instances.jsonl"

CODE = "def add(a, b):\n    return a - b\n\n\ndef half(a):\n    return a / 2\n"
FIXED = "def add(a, b):\n    return a + b\n\n\ndef half(a):\n    return a // 2\n"
OLD_TESTS = "from calc import half\nchecks = {'test_zero': half(0) == 0}\n"
NEW_TESTS = """\
from calc import add, half
checks = {
    'test_zero': half(0) == 0,
    'test_add': add(2, 2) == 4,
    'test_half': half(3) == 1,
}
"""
RUN_SCRIPT = """\
#!/bin/bash
# The files come as one word with commas; no argument means all of them.
IFS=',' read -r -a files <<< "$1"
echo "to standard error" >&2
for file in "${files[@]}"; do
  python3 - "$file" <<'PROGRAM'
import runpy, sys
sys.path.insert(0, ".")
for name, good in runpy.run_path(sys.argv[1])["checks"].items():
    print("ok" if good else "not ok", f"{sys.argv[1]} | {name}")
PROGRAM
done
exit 0
"""
PARSER = """\
import json, sys
if len(sys.argv) != 4:
    sys.exit(1)
out, err, target = sys.argv[1:]
if "to standard error" not in open(err).read():
    raise SystemExit("standard error is missing")
tests = []
for line in open(out):
    if "crash the parser" in line:
        raise ValueError("a line I do not know")
    if "write nothing" in line:
        sys.exit(0)
    for mark, status in (("ok ", "PASSED"), ("not ok ", "FAILED"), ("skip ", "SKIPPED")):
        if line.startswith(mark):
            tests.append({"name": line[len(mark):].strip(), "status": status})
json.dump({"tests": tests}, open(target, "w"))
"""


def published_rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in PUBLISHED.read_text().splitlines()]


def pro_row(**changes: Any) -> dict[str, Any]:
    """A valid row as the data set has it: text in every column; a change to `...` removes one."""
    row = {
        "instance_id": "instance_Demo__Calc-1a2b",
        "repo": "Demo/Calc",
        "base_commit": "a" * 40,
        "patch": "",
        "test_patch": "ignored",
        "problem_statement": "add() subtracts.",
        "requirements": "add(2, 2) is 4",
        "interface": "None",
        "repo_language": "python",
        "fail_to_pass": '["tests/check.py | test_add", "tests/check.py | test_half"]',
        "pass_to_pass": "['tests/check.py | test_zero']",
        "selected_test_files_to_run": '["tests/check.py"]',
        "before_repo_set_cmd": "",
        "issue_specificity": "x",
        **changes,
    }
    return {key: value for key, value in row.items() if value is not ...}


@dataclass
class Demo:
    """A repository whose solution, with its tests, is a later commit, as in the published images."""

    repo: Path
    base: str
    solution: str

    def row(self, **changes: Any) -> dict[str, Any]:
        lines = [
            f"git reset --hard {self.base}",
            "git clean -fd",
            f"git checkout {self.base}",
            f"git checkout {self.solution} -- tests/check.py",
        ]
        return pro_row(
            base_commit=self.base,
            before_repo_set_cmd="\n".join(lines) + "\n",
            patch=git(self.repo, "diff", self.base, self.solution, "--", "calc.py") + "\n",
            **changes,
        )

    def patch(self, **files: str) -> bytes:
        """A diff from the base to the given files (`calc` is calc.py, `check` tests/check.py)."""
        paths = {"calc": "calc.py", "check": "tests/check.py"}
        git(self.repo, "checkout", "--quiet", "--force", self.base)
        for name, content in files.items():
            (self.repo / paths[name]).write_text(content)
        patch = git(self.repo, "diff", self.base) + "\n"
        git(self.repo, "reset", "--quiet", "--hard", self.base)
        return patch.encode()


def demo(folder: Path) -> Demo:
    base = repository(folder, {"calc.py": CODE, "tests/check.py": OLD_TESTS, "logo.bin": b"\0\1"})
    solution = commit(folder, {"calc.py": FIXED, "tests/check.py": NEW_TESTS}, "solution")
    git(folder, "checkout", "--quiet", "--force", base)
    return Demo(folder, base, solution)


def write_scripts(folder: Path, id: str) -> Path:
    """A folder `run_scripts` with the scripts of one instance."""
    place = folder / "run_scripts" / id
    place.mkdir(parents=True)
    (place / "run_script.sh").write_text(RUN_SCRIPT)
    (place / "parser.py").write_text(PARSER)
    (place / "instance_info.txt").write_text("nobody needs this")
    return folder / "run_scripts"
