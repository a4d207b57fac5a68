"""`make test`: sets up what the tests need, then runs all of them, in stages that say what they are.

`python -m tests.everything long` (`make test-long`) runs only those marked `long` instead: whole chains with
other programs, campaigns. Exit code 0 only if every stage passed. Without root or Go and without a KUBECONFIG,
the cluster stage cannot run: that is said, and is a failure unless BENCHWARDEN_SKIP_CLUSTER=1.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.cluster.reach import SKIP_VARIABLE, skipped
from tests.conftest import NO_SKIPS

ROOT = Path(__file__).parents[1]
SKIP_CLAUDE = "BENCHWARDEN_SKIP_CLAUDE"
# Cluster tests mostly wait for pods; more at once would starve the kubelet of a small machine.
CLUSTER_WORKERS = "4"
LIFECYCLE = "tests/cluster/test_cluster_lifecycle.py"


def stage(title: str, *command: str) -> bool:
    print(f"== {title}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    verdict = "passed" if code == 0 else f"failed with {code}"
    print(f"== {title}: {verdict} after {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


def pytest(title: str, marker: str, *more: str) -> bool:
    """A stage of tests; what failed side by side gets one more chance alone, and that is said."""
    slow = ("--durations=12", "--durations-min=15")
    command = (sys.executable, "-m", "pytest", "-q", "-m", marker, *slow)
    if stage(title, *command, *more):
        return True
    return stage(f"{title}, the failed ones alone", *command, "--lf", "--lfnf=none")


def holding(mark: str) -> list[str]:
    """Files that use a mark: collecting all the others as well takes half a minute. LIFECYCLE goes alone."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        str(file)
        for file in files
        if f"pytest.mark.{mark}" in file.read_text() and file != ROOT / LIFECYCLE
    ]


def cluster_is_possible() -> bool:
    """Whether a cluster can be had; says what is missing."""
    if os.environ.get("KUBECONFIG"):
        return True
    missing = []
    if os.geteuid() != 0:
        missing.append("root")
    if shutil.which("go") is None:
        missing.append("Go >= 1.24")
    if missing:
        print(
            f"the cluster tests (markers `cluster`) cannot run without {' and '.join(missing)}; give a cluster by"
            f" KUBECONFIG, or set {SKIP_VARIABLE}=1 to go without them",
            file=sys.stderr,
        )
    return not missing


def main(only_long: bool = False) -> int:
    python = sys.executable
    tool = str(ROOT / "tests" / "cluster" / "cli.py")
    with_cluster = not skipped() and cluster_is_possible()
    own = with_cluster and not os.environ.get("KUBECONFIG")
    good = True
    if own:
        # First, because it also installs what other tests use (busybox, promtool).
        good &= stage(
            "test cluster is built", python, tool, "build", "kubernetes", "promtool", "versitygw"
        )
    good &= stage("mini suite", python, "-m", "benchwarden", "suite", "build-mini", "--images")
    with_claude = os.environ.get(SKIP_CLAUDE, "") in ("", "0")
    if with_claude:
        good &= stage(
            "Claude Code, from your package registry", python, "-m", "tests.claude_binary"
        )
    if own and with_claude:
        os.environ[NO_SKIPS] = "1"
    if only_long:
        return long_stages(python, tool, own=own, with_cluster=with_cluster, good=good)
    spread = ("-n", "auto")
    good &= pytest("unit and contract tests", "not cluster and not claude and not long", *spread)
    if with_claude:
        marker = "claude and not cluster and not long"
        good &= pytest("tests with the real Claude Code", marker, *spread, *holding("claude"))
    if with_cluster:
        good &= cluster_stages(python, tool, own=own, with_claude=with_claude)
    elif skipped():
        print(f"== cluster tests skipped: {SKIP_VARIABLE} is set", flush=True)
    else:
        good = False
    print("everything passed" if good else "something failed; see above", flush=True)
    return 0 if good else 1


def long_stages(python: str, tool: str, *, own: bool, with_cluster: bool, good: bool) -> int:
    if own:
        good &= stage("test cluster is up", python, tool, "up")
    good &= pytest(
        "long tests", "long" if with_cluster else "long and not cluster", *holding("long")
    )
    if own:
        good &= stage("test cluster is gone", python, tool, "down")
    return 0 if good and (with_cluster or skipped()) else 1


def cluster_stages(python: str, tool: str, *, own: bool, with_claude: bool) -> bool:
    good = True
    if own:
        stage("test cluster is down", python, tool, "down")
        good &= pytest("the test cluster comes and goes", "cluster", LIFECYCLE)
        good &= stage("test cluster is up", python, tool, "up")
    marker = "cluster" if with_claude else "cluster and not claude"
    beside = ("-n", CLUSTER_WORKERS, "--dist", "loadgroup")
    good &= pytest(
        "promises on the cluster",
        f"{marker} and not disruptive and not long",
        *beside,
        *holding("cluster"),
    )
    good &= pytest(
        "promises while parts of it stop",
        f"{marker} and disruptive and not long",
        *holding("disruptive"),
    )
    if own:
        good &= stage("test cluster is gone", python, tool, "down")
    return good


if __name__ == "__main__":
    sys.exit(main(only_long=sys.argv[1:] == ["long"]))
