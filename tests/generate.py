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
        "| API group | Resource | Verbs | Why |",
        "|---|---|---|---|",
    ]
    for each in (*PERMISSIONS, LEASE_PERMISSION):
        group = each.group or "core"
        lines.append(f"| {group} | {each.resource} | {', '.join(each.verbs)} | {each.reason} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
