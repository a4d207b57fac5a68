"""Sixty no-op instances through the operator, and the same pods as bare Jobs: makespan, API calls, memory.

Needs the project's own test cluster (its audit log is what counts the calls). The two ways alternate, so that
whatever else the machine does hits both.
"""

import contextlib
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import config
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster, find_or_start
from tests.installed import (
    Images,
    Outside,
    ended,
    ensure_crds,
    ensure_images,
    run_manifest,
    suite_config_map,
)
from tests.tiny_suite import ensure_tiny_image, task

from benchwarden import names
from benchwarden.manifests.install import Installation, objects

ROOT = Path(__file__).parents[1]
INSTANCES = 60
PARALLELISM = 8
ROUNDS = 2


@dataclass
class Measured:
    """One run through the operator."""

    makespan_seconds: float
    calls_per_instance: float
    peak_mib: float


def operator_run(cluster: Cluster, images: Images, batch_size: int) -> tuple[Measured, list[Any]]:
    """Run the instances once; also the Job and ConfigMap manifests it used, for the bare twin."""
    with namespace(cluster) as kubectl, tempfile.TemporaryDirectory() as scratch:
        operator = started(cluster, kubectl, images, Path(scratch))
        try:
            tasks = (task(f"i{n:03d}", test_command="true") for n in range(INSTANCES))
            kubectl.apply(suite_config_map(*tasks))
            time.sleep(2)
            began_at, since = time.monotonic(), time.time()
            execution = {"batchSize": batch_size, "parallelism": PARALLELISM}
            run = run_manifest(
                "bench", agent={"nop": {}}, execution=execution, cleanupPolicy="Never"
            )
            kubectl.apply(run)
            found = until_ended(kubectl)
            makespan = time.monotonic() - began_at
            peak = peak_mib(operator.process.pid)
            assert found["status"]["counts"]["valid"] == INSTANCES, found["status"]
            calls = audited_calls(since, f"system:serviceaccount:{kubectl.namespace}:benchwarden")
            twins = manifests(kubectl)
            jobs = sum(each["kind"] == "Job" for each in twins)
            assert jobs == ceil(INSTANCES / batch_size), f"{jobs} Jobs are left to be compared with"
        finally:
            operator.kill()
    return Measured(makespan, calls / INSTANCES, peak), twins


def bare_run(cluster: Cluster, twins: list[Any]) -> float:
    """Seconds from kubectl apply to the last bare Job's completion."""
    with namespace(cluster) as kubectl:
        began = time.monotonic()
        kubectl.apply(*twins)
        while True:
            jobs = kubectl.get("jobs")["items"]
            if jobs and all(each.get("status", {}).get("succeeded") for each in jobs):
                return time.monotonic() - began
            time.sleep(0.2)


def started(
    cluster: Cluster, kubectl: Kubectl, images: Images, scratch: Path, **options: Any
) -> Outside:
    """The operator beside the cluster, with exactly the rights and the identity of its service account."""
    installation = Installation(kubectl.namespace, images.operator, images.runner)
    rights = [
        o for o in objects(installation) if o["kind"] in ("ServiceAccount", "Role", "RoleBinding")
    ]
    kubectl.apply(*rights)
    token = kubectl.run("create", "token", "benchwarden").strip()
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["users"] = [{"name": "benchwarden", "user": {"token": token}}]
    document["contexts"][0]["context"]["user"] = "benchwarden"
    kubeconfig = scratch / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document))
    operator = Outside(
        kubeconfig,
        kubectl.namespace,
        scratch / "log",
        images.runner,
        python=str(shipped_python()),
        **options,
    )
    operator.start()
    try:
        kubectl.wait_until(["leases"], _is_held, 60)
    except BaseException:  # raised again
        operator.kill()
        raise
    return operator


def _is_held(found: Any) -> bool:
    return any(each["spec"].get("holderIdentity") for each in found["items"])


def shipped_python() -> Path:
    """A Python with exactly what the operator's image holds: tests bring far more, which costs seconds at start."""
    lock = ROOT / "locks" / "runtime.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = ROOT / "out" / f"shipped-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for name in ("runtime", "build"):
            locked = str(ROOT / "locks" / f"{name}.txt")
            subprocess.run([*install, "--require-hashes", "-r", locked], check=True)
        editable = [*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        subprocess.run(editable, check=True)
        (folder / "done").touch()
    return python


def until_ended(kubectl: Kubectl, name: str = "bench") -> Any:
    while not ended(found := kubectl.get(names.RUN_PLURAL, name)):
        time.sleep(0.2)
    return found


def manifests(kubectl: Kubectl) -> list[Any]:
    """The run's Jobs and inputs without what the cluster added, fit to be applied elsewhere."""
    kept = []
    for item in kubectl.get("jobs,configmaps")["items"]:
        labels = item["metadata"].get("labels", {})
        if labels.get(names.LABEL_ROLE) not in (names.ROLE_BATCH, names.ROLE_INPUT):
            continue
        plain = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {"name": item["metadata"]["name"]},
        }
        if item["kind"] == "ConfigMap":
            plain["binaryData"] = item["binaryData"]
            kept.insert(0, plain)
            continue
        template = item["spec"]["template"]
        plain["spec"] = {"backoffLimit": 0, "template": {"spec": template["spec"]}}
        kept.append(plain)
    return kept


class namespace:  # noqa: N801  # reads as a phrase where it is used
    """A namespace for one measurement, gone afterwards."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = f"bench-{uuid.uuid4().hex[:6]}"

    def __enter__(self) -> Kubectl:
        self._cluster.kubectl().run("create", "namespace", self._name)
        return self._cluster.kubectl(self._name)

    def __exit__(self, *_: object) -> None:
        self._cluster.kubectl().run("delete", "namespace", self._name, seconds=180)


def audited_calls(since: float, user: str) -> int:
    """Requests of a user since a moment (seconds since 1970), events and lease renewals included.

    The API server begins a new file when one is full and keeps a few: all are read, the oldest first.
    """
    current = config.paths().audit_log
    full = sorted(current.parent.glob(f"{current.stem}-*{current.suffix}"))
    with contextlib.ExitStack() as opened:
        logs = [opened.enter_context(each.open("rb")) for each in (*full, current)]
        assert not full or _received(json.loads(logs[0].readline())) <= since, (
            "the audit log lost a part"
        )
        logs[0].seek(0)
        lines = (line for log in logs for line in log if user.encode() in line)
        entries = (json.loads(line) for line in lines)
        return sum(
            1
            for entry in entries
            if entry["user"]["username"] == user and _received(entry) >= since
        )


def _received(entry: Any) -> float:
    return datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp()


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def prepared() -> tuple[Cluster, Images]:
    """The project's own cluster with the product's and the tiny suite's images in it, or the end of the program."""
    cluster = find_or_start()
    if not cluster.own:
        sys.exit("this benchmark needs the project's own test cluster (unset KUBECONFIG)")
    ensure_crds(cluster.kubectl())
    images = ensure_images(cluster)
    ensure_tiny_image(cluster)
    return cluster, images


def main() -> dict[str, Any]:
    """Measure, print, and return the figures."""
    cluster, images = prepared()
    figures: dict[str, Any] = {}
    ours, bare = [], []
    for _ in range(ROUNDS):
        measured, twins = operator_run(cluster, images, 5)
        ours.append(measured)
        bare.append(bare_run(cluster, twins))
        print(f"  operator {measured}, bare Jobs {bare[-1]:.1f} s", flush=True)
    ratio = statistics.median(m.makespan_seconds for m in ours) / statistics.median(bare)
    single, _ = operator_run(cluster, images, 1)
    figures["makespan ratio to bare Jobs (60 no-op instances, batchSize 5, parallelism 8)"] = (
        f"{ratio:.2f}"
    )
    figures["makespan seconds, operator / bare"] = (
        f"{statistics.median(m.makespan_seconds for m in ours):.1f} / {statistics.median(bare):.1f}"
    )
    figures["API calls per instance at batchSize 5"] = (
        f"{max(m.calls_per_instance for m in ours):.2f}"
    )
    figures["API calls per instance at batchSize 1"] = f"{single.calls_per_instance:.2f}"
    figures["operator peak RSS, MiB"] = f"{max(m.peak_mib for m in (*ours, single)):.0f}"
    return figures


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
