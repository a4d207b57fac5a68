"""One target under atheris: `python -m tests.fuzz.engine TARGET [libFuzzer options] [corpus folders]`."""

import sys

import atheris

with atheris.instrument_imports(include=["benchwarden", "benchwarden_runner"]):
    from tests.fuzz.table import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
