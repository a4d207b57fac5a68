"""`make demo`: the mini suite with its gold patches, on the cluster of KUBECONFIG if it answers, else on this machine.

The oracle solves, so it costs nothing: twelve real bug fixes resolve, and two instances made to be hard for
infrastructure show what happens when something hangs or runs out of memory.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from benchwarden import names
from benchwarden.api.crd import render
from benchwarden.cli.output import Format, console, print_summary
from benchwarden.manifests.install import Installation, objects
from benchwarden.minisuite.build import TASKS, default_folder, ensure_suite
from benchwarden.minisuite.image import image_layers

ROOT = Path(__file__).resolve().parents[1]
RUN_FILE = ROOT / "examples" / "run-oracle.yaml"
NAMESPACE = "benchwarden-demo"
OUT = ROOT / "out"
WAIT_SECONDS = 1800


def main() -> int:
    """Run the demo; the exit code of the run."""
    suite = ensure_suite(default_folder(os.environ), say)
    kubectl = reachable()
    if kubectl is None:
        return locally(suite)
    return on_cluster(kubectl, suite)


def say(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)


def reachable() -> list[str] | None:
    """The kubectl for the cluster of KUBECONFIG, if one is named and answers within five seconds."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if not kubeconfig:
        say("KUBECONFIG is not set: the demo runs on this machine")
        return None
    program = shutil.which("kubectl") or own_kubectl()
    if program is None:
        say("KUBECONFIG is set but kubectl is not on PATH: the demo runs on this machine")
        return None
    ready = [program, "--request-timeout=5s", "get", "--raw", "/readyz"]
    if subprocess.run(ready, capture_output=True, check=False).returncode != 0:
        say("the cluster of KUBECONFIG does not answer: the demo runs on this machine")
        return None
    return [program]


def own_kubectl() -> str | None:
    """The kubectl of the project's test cluster, if that was built."""
    sys.path.insert(0, str(ROOT))
    from tests.cluster.kubectl import kubectl_program

    return kubectl_program()


def locally(suite: Path) -> int:
    """The embedded executor."""
    command = [sys.executable, "-m", "benchwarden", "run", str(RUN_FILE), "--local"]
    command += ["--config-map", f"mini-suite={suite / TASKS}", "--out", str(OUT / "demo")]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def on_cluster(kubectl: list[str], suite: Path) -> int:
    """Install CRDs and operator, apply the suite and the run, watch it to its end."""
    installation = images(suite)

    def run(*arguments: str, text: str = "") -> str:
        command = [*kubectl, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    say("installing CRDs and operator")
    run("apply", "--server-side", "--force-conflicts", "-f", "-", text=render())
    manifests: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *objects(installation),
        config_map(suite),
    ]
    apply = ("apply", "--server-side", "--force-conflicts", "-n", NAMESPACE, "-f", "-")
    run(*apply, text=yaml.safe_dump_all(manifests))
    rollout = ("rollout", "status", "deployment/benchwarden", "--timeout=180s")
    run("-n", NAMESPACE, *rollout)
    manifest = yaml.safe_load(RUN_FILE.read_text())
    name = f"demo-{int(time.time())}"
    manifest["metadata"]["name"] = name
    run(*apply, text=yaml.safe_dump(manifest))
    say(f"run {NAMESPACE}/{name}; `kubectl -n {NAMESPACE} get bmr {name} --watch` shows the same")
    found = watch(lambda: json.loads(run("-n", NAMESPACE, "get", "bmr", name, "-o", "json")))
    return show(run, found)


def watch(read: Any) -> dict[str, Any]:
    """Follow the run's progress to its end."""
    shown = ""
    for _ in range(WAIT_SECONDS):
        found: dict[str, Any] = read()
        status = found.get("status", {})
        conditions = {each["type"]: each for each in status.get("conditions", [])}
        progress = (
            f"{status.get('progress', '')} finished, {status.get('resolvedOfTotal', '')} resolved"
        )
        if progress != shown:
            say(f"  {progress}")
            shown = progress
        if conditions.get(names.CONDITION_SUCCEEDED, {}).get("status") in ("True", "False"):
            return found
        time.sleep(1)
    raise SystemExit(f"no end within {WAIT_SECONDS} s; see kubectl -n {NAMESPACE} describe bmr")


def show(run: Any, found: dict[str, Any]) -> int:
    """Fetch the result rows, print the table, write the report."""
    from benchwarden.controller.durable import rows_of
    from benchwarden.planning.plan import TrialKey
    from benchwarden.report.html import to_html
    from benchwarden.report.summary import Heading, summarise
    from benchwarden.results.shards import lines

    selector = (
        f"{names.LABEL_RUN_UID}={found['metadata']['uid']},{names.LABEL_ROLE}={names.ROLE_RESULTS}"
    )
    listed = json.loads(run("-n", NAMESPACE, "get", "configmaps", "-l", selector, "-o", "json"))
    rows = [row for each in listed["items"] for row in rows_of(each)]
    status = found["status"]
    heading = Heading(
        run=found["metadata"]["name"],
        namespace=NAMESPACE,
        suite=status["suite"]["name"],
        panel_digest=status["suite"]["panelDigest"],
        agent=status["agent"]["kind"],
        executor="kubernetes",
    )
    keys = sorted({TrialKey(row.instance, row.trial) for row in rows})
    summary = summarise(heading, keys, rows)
    folder = OUT / found["metadata"]["name"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.jsonl").write_bytes(lines(rows))
    (folder / "report.html").write_text(to_html(summary), encoding="utf-8")
    print_summary(summary, Format.table)
    console().print(f"\nReport    {folder / 'report.html'}\nResults   {folder / 'results.jsonl'}")
    conditions = {each["type"]: each for each in status["conditions"]}
    return 0 if conditions[names.CONDITION_SUCCEEDED]["status"] == "True" else 1


def config_map(suite: Path) -> dict[str, Any]:
    """The suite as the ConfigMap that the run names."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "mini-suite", "namespace": NAMESPACE},
        "data": {"tasks.jsonl": (suite / TASKS).read_text()},
    }


def images(suite: Path) -> Installation:
    """Images for the cluster: given by name, or built here and loaded into the test cluster or kind."""
    operator = os.environ.get("BENCHWARDEN_OPERATOR_IMAGE", "")
    runner = os.environ.get(names.ENV_RUNNER_IMAGE, "")
    if operator and runner:
        say(
            f"using {operator} and {runner}; the cluster must have {', '.join(image_layers(suite))}"
        )
        return Installation(NAMESPACE, operator, runner)
    sys.path.insert(0, str(ROOT))
    from tests.cluster import config

    if Path(os.environ["KUBECONFIG"]) == config.paths().kubeconfig:
        return for_test_cluster(suite)
    if shutil.which("kind") and shutil.which("docker"):
        return for_kind(suite)
    raise SystemExit(
        "the cluster needs images it can pull: push the targets `operator` and `runner` of the Dockerfile and the"
        f" mini suite's images (benchwarden suite build-mini --images), then set BENCHWARDEN_OPERATOR_IMAGE and"
        f" {names.ENV_RUNNER_IMAGE}"
    )


def for_test_cluster(suite: Path) -> Installation:
    """Build with buildah and load into the project's own cluster."""
    from tests.cluster.reach import find_or_start
    from tests.cluster.rootfs import base_image
    from tests.installed import ensure_images
    from tests.layered_image import layer_on

    say("building images")
    cluster = find_or_start()
    built = ensure_images(cluster)
    for reference, rootfs in image_layers(suite).items():
        cluster.load(layer_on(base_image(), rootfs, reference))
    return Installation(NAMESPACE, built.operator, built.runner)


def for_kind(suite: Path) -> Installation:
    """Build with docker and load into kind."""
    built = {f"benchwarden-{target}:demo": (str(ROOT), target) for target in ("operator", "runner")}
    for tag, (context, target) in built.items():
        subprocess.run(
            ["docker", "build", "-q", "--target", target, "-t", tag, context], check=True
        )
    for reference, rootfs in image_layers(suite).items():
        subprocess.run(["docker", "build", "-q", "-t", reference, str(rootfs.parent)], check=True)
    for tag in (*built, *image_layers(suite)):
        subprocess.run(["kind", "load", "docker-image", tag], check=True)
    return Installation(NAMESPACE, "benchwarden-operator:demo", "benchwarden-runner:demo")


if __name__ == "__main__":
    sys.exit(main())
