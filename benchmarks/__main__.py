"""`make bench`: measure what README and docs promise, and write the table into docs/performance.md."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import cluster, decide

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
HEAD = """\
# Performance

Written by `make bench`. Ratios are of two ways measured side by side in one run; absolute figures are of the
machine named below, which is small and shared.

"""


def main() -> None:
    """Run all benchmarks; a figure that was not measured is not in the table."""
    print("decide", flush=True)
    figures = decide.main()
    print("cluster", flush=True)
    figures |= cluster.main()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        HEAD,
        f"Measured {datetime.now(UTC):%Y-%m-%d}: {machine}.\n\n",
        "| Figure | Value |\n|---|---|\n",
        *(f"| {name} | {value} |\n" for name, value in figures.items()),
    ]
    PAGE.write_text("".join(lines))
    sys.stdout.write("".join(lines[2:]))


if __name__ == "__main__":
    main()
