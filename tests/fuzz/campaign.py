"""`make fuzz`: every target under atheris for its share of the executions, beginning with the committed corpus.

    python -m tests.fuzz.campaign [--executions 1000000] [--seconds 1500] [--only TARGET] [--keep FOLDER]

Ends with a table and exit code 1 if a target has failed, or if fewer executions were done than asked for. An
input that breaks a promise is left in the folder named; commit it to the corpus together with the fix.
"""

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.table import TARGETS, Target

_DONE = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_AT = re.compile(r"^#(\d+)\s", re.MULTILINE)
_SLOWEST_SECONDS = 20
_MEMORY_MEBIBYTES = 2048


@dataclass(frozen=True)
class Ran:
    """What came of one target."""

    target: str
    executions: int
    seconds: float
    failed: bool
    said: str


def fuzz(target: Target, executions: int, seconds: int, findings: Path, keep: Path | None) -> Ran:
    """Run one target until its executions or seconds are used up, or it fails."""
    grown = keep / target.name if keep else findings / f"corpus-{target.name}"
    grown.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "tests.fuzz.engine", target.name),
        *(f"-runs={executions}", f"-max_total_time={seconds}", f"-timeout={_SLOWEST_SECONDS}"),
        *(f"-max_len={target.most_bytes}", f"-rss_limit_mb={_MEMORY_MEBIBYTES}"),
        *("-verbosity=1", "-print_final_stats=1", f"-artifact_prefix={findings}/{target.name}-"),
        *(str(grown), str(target.corpus()[0].parent)),
    ]
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=os.environ
    )
    said = done.stdout + done.stderr
    counts = (
        _DONE.findall(said) or [(number, "") for number in _AT.findall(said)[-1:]] or [("0", "")]
    )
    return Ran(
        target.name, int(counts[-1][0]), time.monotonic() - began, done.returncode != 0, said
    )


def _told(said: str) -> str:
    """What went wrong, and the end of the engine's own words."""
    begin = said.find("Uncaught Python exception")
    return f"{said[begin : begin + 2500] if begin >= 0 else ''}\n...\n{said[-1500:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=3600, help="for all targets together")
    parser.add_argument("--only", choices=sorted(TARGETS), action="append")
    parser.add_argument("--keep", type=Path, help="a folder for inputs that reached something new")
    options = parser.parse_args()
    chosen = [TARGETS[name] for name in options.only or TARGETS]
    shares = sum(target.share for target in chosen)
    findings = Path(tempfile.mkdtemp(prefix="benchwarden-fuzz-"))
    began, ran = time.monotonic(), []
    for target in chosen:
        wanted = math.ceil(options.executions * target.share / shares)
        left = options.seconds - int(time.monotonic() - began)
        found = fuzz(target, wanted, max(left, 1), findings, options.keep)
        ran.append(found)
        verdict = "FAILED" if found.failed else "passed"
        print(
            f"{found.target:16} {found.executions:9,} {found.seconds:7.1f} s  {verdict}", flush=True
        )
        if found.failed:
            print(_told(found.said), flush=True)
    total = sum(each.executions for each in ran)
    print(f"{total:,} executions in {time.monotonic() - began:.0f} s; findings, if any: {findings}")
    if any(each.failed for each in ran):
        return 1
    if total < options.executions:
        print(f"fewer than {options.executions:,} executions: give more --seconds", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
