"""Every input of the corpus once, without atheris: `python -m tests.fuzz.replay [TARGET ...]`."""

import sys
import traceback

from tests.fuzz.table import TARGETS


def replay(names: list[str]) -> list[str]:
    """Files on which a target failed, after printing why."""
    failed = []
    for name in names or list(TARGETS):
        for path in TARGETS[name].corpus():
            try:
                TARGETS[name].run(path.read_bytes())
            except Exception:  # told, and counted
                print(f"{name} {path.name}\n{traceback.format_exc()[-1200:]}")
                failed.append(f"{name}/{path.name}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if replay(sys.argv[1:]) else 0)
