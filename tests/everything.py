"""`make test`: sets up what the tests need, then runs all of them, in stages that say what they are.

`python -m tests.everything long` (`make test-long`) runs only those marked `long` instead: whole chains with
other programs, campaigns. Exit code 0 only if every stage passed. Without root or Go and without a KUBECONFIG,
the cluster stage cannot run: that is said, and is a failure unless BENCHWARDEN_SKIP_CLUSTER=1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.config import IMAGE_VOLUMES_VARIABLE
from tests.cluster.reach import SKIP_VARIABLE, skipped
from tests.conftest import NO_SKIPS
from tests.installed import LOADED

ROOT = Path(__file__).parents[1]
SKIP_CLAUDE = "BENCHWARDEN_SKIP_CLAUDE"
# Cluster tests mostly wait for pods; more at once would starve the kubelet of a small machine.
CLUSTER_WORKERS = "4"
SPREAD = ("-n", "auto")
UNIT = ("unit and contract tests", "not cluster and not claude and not long")
LIFECYCLE = "tests/cluster/test_cluster_lifecycle.py"


def stage(title: str, *command: str) -> bool:
    print(f"== {title}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return told(title, code, began)


def told(title: str, code: int, began: float) -> bool:
    verdict = "passed" if code == 0 else f"failed with {code}"
    print(f"== {title}: {verdict} after {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


def pytest(title: str, marker: str, *more: str) -> bool:
    """A stage of tests; what failed side by side gets one more chance alone, and that is said."""
    command = pytest_command(title, marker)
    return stage(title, *command, *more) or once_more(title, command)


def pytest_command(title: str, marker: str) -> tuple[str, ...]:
    """Each stage remembers its failures in a folder of its own: two may run at the same time."""
    slow = ("--durations=12", "--durations-min=15")
    memory = f"cache_dir={ROOT / '.pytest_cache' / title.replace(' ', '-')}"
    return (sys.executable, "-m", "pytest", "-q", "-m", marker, "-o", memory, *slow)


def once_more(title: str, command: tuple[str, ...]) -> bool:
    return stage(f"{title}, the failed ones alone", *command, "--lf", "--lfnf=none")


class Beside:
    """A stage of tests that goes on while another one, which mostly waits, has the terminal."""

    def __init__(self, title: str, marker: str, *more: str) -> None:
        print(f"== {title}: begun, told when it has ended", flush=True)
        self._title, self._began = title, time.monotonic()
        self._command = pytest_command(title, marker)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # read when the stage has ended
        self._process = subprocess.Popen(
            ("nice", "-n", "5", *self._command, *more),
            cwd=ROOT,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def passed(self) -> bool:
        """Wait for its end, print what it said, and give what failed one more chance alone."""
        code = self._process.wait()
        self._output.seek(0)
        sys.stdout.flush()
        shutil.copyfileobj(self._output, sys.stdout.buffer)
        sys.stdout.flush()
        return told(self._title, code, self._began) or once_more(self._title, self._command)


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
    if with_cluster:
        good &= cluster_stages(python, tool, own=own, with_claude=with_claude)
    else:
        good &= pytest(*UNIT, *SPREAD)
        good &= claude_stage(with_claude=with_claude)
        good &= skipped()
        if skipped():
            print(f"== cluster tests skipped: {SKIP_VARIABLE} is set", flush=True)
    print("everything passed" if good else "something failed; see above", flush=True)
    return 0 if good else 1


def claude_stage(*, with_claude: bool) -> bool:
    marker = "claude and not cluster and not long"
    return not with_claude or pytest(
        "tests with the real Claude Code", marker, *SPREAD, *holding("claude")
    )


def long_stages(python: str, tool: str, *, own: bool, with_cluster: bool, good: bool) -> int:
    """First what stops parts of the cluster, and beside it what needs none; then all others side by side.

    The first mostly wait for Kubernetes to notice, so that what needs the processors loses little beside them.
    """
    programs = ("prometheus", "alertmanager", "helm", "helm4")
    side_by_side = ("-n", CLUSTER_WORKERS, "--dist", "loadgroup")
    if own:
        good &= stage("programs of the long tests are built", python, tool, "build", *programs)
        good &= cluster_with_images(python, tool)
    alone = ("long tests without a cluster", "long and not cluster")
    groups = ("-n", "2", "--dist", "loadgroup")
    if with_cluster:
        beside = Beside(*alone, *groups, *holding("long"))
        title = "long tests while parts of the cluster stop"
        good &= pytest(title, "long and disruptive", *holding("disruptive"))
        good &= beside.passed()
        here = "long and cluster and not disruptive and not image_volumes"
        good &= pytest("long tests on the cluster", here, *side_by_side, *holding("long"))
    else:
        good &= pytest(*alone, *groups, *holding("long"))
    if own:
        good &= stage("test cluster is gone", python, tool, "down")
        good &= image_volume_stage(python, tool)
    print("everything passed" if good else "something failed; see above", flush=True)
    return 0 if good and (with_cluster or skipped()) else 1


def image_volume_stage(python: str, tool: str) -> bool:
    """The same Kubernetes with a newer runtime: Debian's cannot mount images."""
    os.environ[IMAGE_VOLUMES_VARIABLE] = "1"
    good = stage("the newer runtime is built", python, tool, "build", "containerd")
    good = good and cluster_with_images(python, tool)
    title = "with images as volumes"
    good = good and pytest(title, "image_volumes", *holding("image_volumes"))
    good &= stage("that cluster is gone", python, tool, "down")
    del os.environ[IMAGE_VOLUMES_VARIABLE]
    return good


def cluster_with_images(python: str, tool: str) -> bool:
    """Images are built here and not within the time limit of the first test that needs them."""
    os.environ.pop(LOADED, None)
    up = stage("test cluster is up", python, tool, "up")
    there = up and stage("images are in the test cluster", python, "-m", "tests.installed")
    if there:
        os.environ[LOADED] = "1"
    return there


def cluster_stages(python: str, tool: str, *, own: bool, with_claude: bool) -> bool:
    good = True
    # Beside all until both have ended: what comes first on the cluster mostly waits.
    unit = Beside(*UNIT, *SPREAD)
    if own:
        stage("test cluster is down", python, tool, "down")
        good &= pytest("the test cluster comes and goes", "cluster", LIFECYCLE)
        good &= cluster_with_images(python, tool)
    marker = "cluster" if with_claude else "cluster and not claude"
    good &= pytest(
        "promises while parts of the cluster stop",
        f"{marker} and disruptive and not long",
        *holding("disruptive"),
    )
    good &= unit.passed()
    good &= claude_stage(with_claude=with_claude)
    workers = ("-n", CLUSTER_WORKERS, "--dist", "loadgroup")
    good &= pytest(
        "promises on the cluster",
        f"{marker} and not disruptive and not long",
        *workers,
        *holding("cluster"),
    )
    if own:
        good &= stage("test cluster is gone", python, tool, "down")
    return good


if __name__ == "__main__":
    sys.exit(main(only_long=sys.argv[1:] == ["long"]))
