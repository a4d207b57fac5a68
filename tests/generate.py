"""`make generate`: writes everything that is generated, so that a clean diff proves nothing has drifted."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def write(path: str, text: str) -> None:
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_text() != text:
        target.write_text(text)
        print(f"wrote {path}")


def printed(module: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout


def main() -> None:
    from benchwarden.api.crd import render_all
    from tests.chart.generated import chart_files

    for name, text in render_all().items():
        write(f"crds/{name}", text)
    write("docs/reference/api.md", printed("benchwarden.api.reference"))
    write(
        "docs/reference/api-schedule.md", printed("benchwarden.api.reference", "BenchmarkSchedule")
    )
    write("docs/reference/metrics.md", printed("benchwarden.telemetry.reference"))
    write("docs/reference/permissions.md", permissions())
    write("docs/reference/cli.md", printed("benchwarden.cli.reference"))
    for path, text in chart_files():
        write(path, text)
    environment = {**os.environ, "BENCHWARDEN_GENERATE": "1"}
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:randomly",
            "tests/unit/manifests/test_golden.py",
        ],
        check=True,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def permissions() -> str:
    """The permission table, from the list that the Role is made of."""
    from benchwarden.manifests.install import LEASE_PERMISSION, PERMISSIONS

    lines = [
        "# Permissions",
        "",
        "Generated from the list that the Role is made of. There are no others.",
        "Batch pods have no service account token at all.",
        "",
        "What no ordinary run or schedule needs is said in the last column; a test on a real API server reads the",
        "audit log and finds every other verb used, none refused and none beside these",
        "(`tests/cluster_promises/test_least_privilege.py`).",
        "",
        "| API group | Resource | Verbs | Why | Seldom |",
        "|---|---|---|---|---|",
    ]
    for each in (*PERMISSIONS, LEASE_PERMISSION):
        group = each.group or "core"
        seldom = "; ".join(f"{verb}: {when}" for verb, when in each.seldom)
        verbs = ", ".join(each.verbs)
        lines.append(f"| {group} | {each.resource} | {verbs} | {each.reason} | {seldom} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
