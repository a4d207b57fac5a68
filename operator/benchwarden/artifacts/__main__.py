"""`python -m benchwarden.artifacts`: the sidecar of a batch pod, and with a position its child for one upload."""

import argparse
import os
import sys
from pathlib import Path

from benchwarden import names
from benchwarden.artifacts.assignment import Assignment
from benchwarden.artifacts.uploader import (
    SETTLE_SECONDS,
    Uploader,
    child_main,
    in_child,
    launches_of,
    stop_on_signals,
)
from benchwarden_runner import protocol


def main() -> int:
    """Run; ends with 0 whatever became of the uploads."""
    stop = stop_on_signals()  # first of all: as PID 1 this process would ignore them
    options = _parser().parse_args()
    assignment = Assignment.from_json(os.environ.get(names.ENV_UPLOAD, ""))
    launches = launches_of(assignment, options.work, options.logs, options.inputs)
    if options.position is not None:
        return child_main(assignment, launches[options.position], os.environ)
    own = [sys.executable, "-I", "-m", "benchwarden.artifacts"]
    paths = ["--work", options.work, "--logs", options.logs, "--inputs", options.inputs]
    word = Uploader(launches, in_child([*own, *map(str, paths)], stop)).run(
        stop, options.settle_seconds
    )
    Path(options.message).write_bytes(word.encode(options.message_bytes))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchwarden.artifacts", description=__doc__)
    for name in ("work", "logs", "inputs"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--message", default=names.TERMINATION_MESSAGE_PATH)
    parser.add_argument("--message-bytes", type=int, default=protocol.CONTAINER_MESSAGE_BYTES)
    parser.add_argument("--settle-seconds", type=float, default=SETTLE_SECONDS)
    parser.add_argument("position", type=int, nargs="?")
    return parser


if __name__ == "__main__":
    sys.exit(main())
