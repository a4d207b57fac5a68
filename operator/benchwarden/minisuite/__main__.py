"""`python -m benchwarden.minisuite build [--out DIR]`: build the mini suite and print its tasks file."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchwarden import names
from benchwarden.errors import BenchwardenError, UnavailableError
from benchwarden.minisuite.build import TASKS, default_folder, ensure_suite
from benchwarden.minisuite.image import image_layers


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is one of `names.EXIT_*`."""
    parser = argparse.ArgumentParser(prog="python -m benchwarden.minisuite", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the suite unless it is there")
    build.add_argument("--out", type=Path, help="folder of the suite (default: in the cache)")
    build.add_argument(
        "--images", action="store_true", help="also write folders and Dockerfiles for its images"
    )
    asked = parser.parse_args(arguments)
    out = asked.out or default_folder(os.environ)
    try:
        suite = ensure_suite(out, lambda line: print(line, file=sys.stderr))  # noqa: T201  # a command speaks on its streams
        if asked.images:
            for image, rootfs in image_layers(suite).items():
                print(f"{image}: {rootfs.parent}", file=sys.stderr)  # noqa: T201  # a command speaks on its streams
    except BenchwardenError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # a command speaks on its streams
        return names.EXIT_UNAVAILABLE if isinstance(error, UnavailableError) else names.EXIT_FAILED
    print(suite / TASKS)  # noqa: T201  # a command speaks on its streams
    return names.EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
