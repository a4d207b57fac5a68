"""Modules stay readable: at most 400 lines each, and the import roots hold no package file."""

import subprocess
import sys
from pathlib import Path

MOST_LINES = 400
ROOT = Path(__file__).parents[1]


def problems() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "operator/*.py", "runner/*.py", "tests/*.py", "benchmarks/*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = []
    for name in listed:
        path = ROOT / name
        if path.exists() and len(path.read_text().splitlines()) > MOST_LINES:
            found.append(f"{name}: more than {MOST_LINES} lines; split it by idea")
    found += [
        f"{root}/__init__.py must not exist: the standard library has a module of that name"
        for root in ("operator", "runner")
        if (ROOT / root / "__init__.py").exists()
    ]
    return found


if __name__ == "__main__":
    for line in problems():
        print(line, file=sys.stderr)
    sys.exit(bool(problems()))
