"""`make audit`: known vulnerabilities in what is locked; a dependency that could not be looked up is no pass.

Exit codes: 0 all were looked up and none is vulnerable; 1 some are; 2 the service could not say (it does not
answer, or the index in use is a mirror without vulnerability data).
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime", "build", "dev")
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


@dataclass(frozen=True)
class Report:
    """What the audit of one lock came to."""

    looked_up: int
    vulnerable: tuple[str, ...]
    unknown: tuple[str, ...]


def read(document: Any) -> Report:
    """pip-audit's JSON, where a dependency it knows nothing of is merely skipped."""
    listed = document["dependencies"]
    vulnerable = [
        f"{each['name']} {each['version']}: {', '.join(hole['id'] for hole in each['vulns'])}"
        for each in listed
        if each.get("vulns")
    ]
    unknown = [each["name"] for each in listed if "skip_reason" in each]
    return Report(len(listed) - len(unknown), tuple(vulnerable), tuple(unknown))


def audit(lock: Path) -> Report | None:
    """None if the service did not answer."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--require-hashes",
        "--disable-pip",
        "-r",
        str(lock),
    ]
    options = ["-f", "json", "--progress-spinner", "off", "--timeout", "20"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    try:
        return read(json.loads(done.stdout))
    except ValueError:
        print(done.stderr.strip()[-300:], file=sys.stderr)
        return None


def main() -> int:
    code = CLEAN
    for name in LOCKS:
        report = audit(ROOT / "locks" / f"{name}.txt")
        if report is None:
            print(f"{name}: the vulnerability service did not answer")
            code = code or UNKNOWN
            continue
        print(f"{name}: {report.looked_up} looked up, {len(report.unknown)} could not be")
        for each in report.vulnerable:
            print(f"  {each}")
        if report.vulnerable:
            code = VULNERABLE
        elif report.unknown:
            code = code or UNKNOWN
    if code == UNKNOWN:
        print("nothing is known about these dependencies: audit where the service can be reached")
    return code


if __name__ == "__main__":
    sys.exit(main())
