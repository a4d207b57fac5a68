"""`make bench-scale`: thousands of instances on fake nodes, with the real API server, scheduler and Job controller.

    python -m benchmarks.scale [--instances 1000 --instances 10000] [--held 1000] [--write]

Needs the project's own test cluster and nothing else running on it. Measures how time grows with the number of
instances, the operator's memory and calls, how late a verdict is in the metrics, a cold start among many
objects, what is kept of a finished instance, and how long everything takes to be gone.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.cluster import audited_calls, namespace, peak_mib, started
from benchmarks.fake_nodes import FAST, HELD, fake_nodes, placement
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster, find_or_start
from tests.installed import (
    OPERATOR_IMAGE,
    RUNNER_IMAGE,
    Images,
    Outside,
    await_true,
    ended,
    ensure_crds,
    rows_of,
    run_manifest,
)
from tests.tiny_suite import task

from benchwarden import names

PAGE = Path(__file__).parents[1] / "docs" / "performance-scale.md"
NODES = 20
STARTS = 3
SETTLE_SECONDS = 60  # until the cluster's own parts have done their share for the new pods
_LAG = re.compile(
    rb'benchwarden_workqueue_queue_duration_seconds_bucket\{le="([^"]+)",name="run"\} ([0-9.e+]+)'
)
_TRIALS = re.compile(rb'benchwarden_run_trials\{[^}]*outcome="pass"[^}]*\} ([0-9.e+]+)')


@dataclass
class Watched:
    """Samples of the operator's metrics while a run goes on: when, and how many trials have passed."""

    port: int
    samples: list[tuple[float, int]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(30)

    def _watch(self) -> None:
        while not self._stop.is_set():
            found = _TRIALS.search(_metrics(self.port))
            self.samples.append((time.time(), int(float(found[1])) if found else 0))
            self._stop.wait(1.0)

    def reached(self, count: int) -> float:
        """When at least so many had passed."""
        return next(moment for moment, passed in self.samples if passed >= count)


def _metrics(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def lag_p99(text: bytes) -> str:
    """The bucket of the operator's own histogram that holds the 99th percentile of the reconcile lag."""
    buckets = [(float(bound), float(count)) for bound, count in _LAG.findall(text)]
    whole = buckets[-1][1]
    return f"<= {next(bound for bound, count in buckets if count >= 0.99 * whole):g}"


def finished_run(
    cluster: Cluster, images: Images, instances: int, batch_size: int, ours: str, pace: float
) -> dict[str, Any]:
    """One run from apply to the end, and what it leaves."""
    with namespace(cluster) as kubectl, tempfile.TemporaryDirectory() as scratch:
        suite = Path(scratch, "suite.jsonl")
        suite.write_text(
            "".join(
                f"{json.dumps(task(f'i{n:05d}', test_command='true'))}\n" for n in range(instances)
            )
        )
        operator = started(cluster, kubectl, images, Path(scratch), environment=at_pace(pace))
        watched = Watched(operator.port)
        try:
            execution = {"batchSize": batch_size, "parallelism": 1000, **placement(FAST, ours)}
            source = {"tasks": {"source": {"path": str(suite)}}}
            began = time.time()
            watched.start()
            kubectl.apply(
                run_manifest("bench", suite=source, agent={"nop": {}}, execution=execution)
            )
            run = _ended(kubectl, operator)
            took = time.time() - began
            time.sleep(3)  # the metrics of the end
            watched.stop()
            lag = lag_p99(_metrics(operator.port))
            user = f"system:serviceaccount:{kubectl.namespace}:benchwarden"
            calls = audited_calls(began, user)
            peak = peak_mib(operator.process.pid)  # type: ignore[union-attr]  # it runs
            kept = _kept_bytes(kubectl, run)
            finished = sorted(
                datetime.fromisoformat(row.finished_at).timestamp() for row in rows_of(kubectl, run)
            )
        finally:
            operator.kill()
            print(Path(scratch, "log").read_text()[-600:], flush=True)
        gone = _gone_seconds(kubectl)
    assert run["status"]["counts"]["valid"] == instances, run["status"]
    # Times of ends have whole seconds, cut off: a lag is over-stated by up to one.
    late = sorted(watched.reached(rank + 1) - moment for rank, moment in enumerate(finished))
    half = watched.reached(instances // 2) - watched.reached(1)
    whole = watched.reached(instances) - watched.reached(1)
    return {
        "instances": instances,
        "batch_size": batch_size,
        "seconds": round(took, 1),
        "second_half_ratio": round((whole - half) / half, 2) if half > 0 else None,
        "operator_peak_mib": round(peak),
        "calls_per_instance": round(calls / instances, 2),
        "verdict_to_metric_p50": round(statistics.median(late), 1),
        "verdict_to_metric_p99": round(late[int(len(late) * 0.99)], 1),
        "reconcile_lag_p99": lag,
        "pace": pace,
        "kept_bytes_per_instance": round(kept / instances),
        "gone_seconds": round(gone, 1),
    }


def at_pace(requests_per_second: float) -> dict[str, str]:
    """The operator's environment for so many requests a second."""
    return {names.ENV_REQUESTS_PER_SECOND: f"{requests_per_second:g}"}


def _ended(kubectl: Kubectl, operator: Outside) -> Any:
    while not ended(found := kubectl.get(names.RUN_PLURAL, "bench")):
        assert operator.alive(), "the operator has died"
        time.sleep(1)
    return found


def _kept_bytes(kubectl: Kubectl, run: Any) -> int:
    """JSON of all that an ended run leaves: the run itself, its plan, its results."""
    await_true(lambda: not kubectl.get("jobs")["items"], 300, "the Jobs are deleted")
    left = kubectl.get("configmaps", "-l", f"{names.LABEL_RUN_UID}={run['metadata']['uid']}")
    return len(json.dumps([run, left["items"]], separators=(",", ":")))


def _gone_seconds(kubectl: Kubectl) -> float:
    """From deleting the runs until nothing of theirs is there."""
    began = time.time()
    kubectl.run("delete", names.RUN_PLURAL, "--all", "--wait=false")
    what = "jobs,pods,networkpolicies"

    def nothing() -> bool:
        left = kubectl.run("get", what, "-o", "name", seconds=120).strip()
        maps = kubectl.run("get", "configmaps", "-l", names.LABEL_RUN_UID, "-o", "name").strip()
        return not left and not maps

    await_true(nothing, 600, "everything of the runs is gone")
    return time.time() - began


def cold_start(
    cluster: Cluster, images: Images, held: int, ours: str, pace: float
) -> dict[str, Any]:
    """An operator that starts among many live pods: seconds until ready, and its memory."""
    with namespace(cluster) as kubectl, tempfile.TemporaryDirectory() as scratch:
        suite = Path(scratch, "suite.jsonl")
        suite.write_text(
            "".join(f"{json.dumps(task(f'i{n:05d}', test_command='true'))}\n" for n in range(held))
        )
        operator = started(cluster, kubectl, images, Path(scratch), environment=at_pace(pace))
        try:
            source = {"tasks": {"source": {"path": str(suite)}}}
            execution = {"batchSize": 1, "parallelism": min(held, 1000), **placement(HELD, ours)}
            runs = -(-held // 1000)
            for number in range(runs):
                part = {
                    **source,
                    "selection": {"sample": {"size": min(held, 1000), "seed": number}},
                }
                kubectl.apply(
                    run_manifest(
                        f"held-{number}", suite=part, agent={"nop": {}}, execution=execution
                    )
                )
            wanted = runs * min(held, 1000)
            _await_pods(kubectl, wanted)
            busy, _ = _started_anew(operator)
            time.sleep(SETTLE_SECONDS)
            settled = sorted(_started_anew(operator) for _ in range(STARTS))
            ready, peak = settled[STARTS // 2][0], max(mib for _, mib in settled)
        finally:
            operator.kill()
        seconds = ", ".join(f"{each:.1f}" for each, _ in settled)
        print(
            f"{wanted} live pods: ready after {seconds} s ({busy:.1f} s while the cluster was still busy with "
            f"them), {peak:.0f} MiB",
            flush=True,
        )
        gone = _gone_seconds(kubectl)
    return {
        "live_pods": wanted,
        "objects": 3 * wanted,
        "ready_seconds": round(ready, 1),
        "ready_busy_seconds": round(busy, 1),
        "operator_peak_mib": round(peak),
        "gone_seconds": round(gone, 1),
    }


def _started_anew(operator: Outside) -> tuple[float, float]:
    """Seconds from the start of its process until the operator is ready, and its peak memory in MiB."""
    operator.stop()  # its lease is given back: waiting for one to run out is not the start
    began = time.time()
    operator.start()
    await_true(lambda: _ready(operator.port), 300, "the operator is ready again")
    ready = time.time() - began
    time.sleep(5)
    return ready, peak_mib(operator.process.pid)  # type: ignore[union-attr]  # it runs


def _await_pods(kubectl: Kubectl, wanted: int) -> None:
    """Until so many pods are there; one at a time is looked at, for all of them are hundreds of megabytes."""
    page = f"/api/v1/namespaces/{kubectl.namespace}/pods?limit=1"
    end = time.monotonic() + 3000
    while time.monotonic() < end:
        found = json.loads(kubectl.run("get", "--raw", page))
        if len(found["items"]) + int(found["metadata"].get("remainingItemCount", 0)) >= wanted:
            time.sleep(10)  # the last ones' containers
            return
        time.sleep(5)
    raise AssertionError("the pods are not all there")


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def page(runs: list[dict[str, Any]], starts: list[dict[str, Any]]) -> str:
    """The results as docs/performance-scale.md."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        "# Scale",
        "",
        "Written by `make bench-scale`: runs on fake nodes (kwok), whose pods end at once with the messages of real",
        "batches, on the project's own cluster with the real API server, scheduler and Job controller on the same",
        f"machine. Measured {datetime.now(UTC):%Y-%m-%d}: {machine}, which the cluster's own parts keep busy.",
        "",
        _table(
            runs,
            {
                "instances": "Instances",
                "batch_size": "batchSize",
                "seconds": "Seconds, apply to end",
                "second_half_ratio": "Second half / first half",
                "operator_peak_mib": "Operator peak, MiB",
                "calls_per_instance": "API calls an instance",
                "verdict_to_metric_p50": "Verdict to metric p50, s",
                "verdict_to_metric_p99": "p99, s",
                "reconcile_lag_p99": "Reconcile lag p99, s",
                "pace": "Requests a second allowed",
                "kept_bytes_per_instance": "Bytes kept an instance",
                "gone_seconds": "Seconds until deleted",
                "note": "Note",
            },
        ),
        "",
        "Calls are the operator's own, counted from the audit log, events and lease renewals included. Bytes are those",
        "of the JSON of the run, its plan and its results once its Jobs are gone. Times of verdicts are whole seconds,",
        "so a lag is over-stated by up to one. A size that is not in the table was not measured.",
        "",
    ]
    if starts:
        lines += [
            "An operator that is stopped and started among live pods, each with its Job and its input:",
            "",
            _table(
                starts,
                {
                    "live_pods": "Live pods",
                    "objects": "Objects",
                    "ready_seconds": f"Seconds until ready (median of {STARTS})",
                    "ready_busy_seconds": "The same while pods were still being made",
                    "operator_peak_mib": "Operator peak, MiB",
                    "gone_seconds": "Seconds until deleted",
                    "note": "Note",
                },
            ),
            "",
        ]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]], columns: dict[str, str]) -> str:
    head = f"| {' | '.join(columns.values())} |\n|{'---|' * len(columns)}"
    return "\n".join(
        [head, *(f"| {' | '.join(str(row.get(key, '')) for key in columns)} |" for row in rows)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, action="append")
    parser.add_argument("--batch-size", type=int, default=5)
    parser.add_argument("--held", type=int, action="append", help="live pods for a cold start")
    parser.add_argument(
        "--pace", type=float, default=20.0, help="requests a second the operator may make"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument(
        "--record", type=Path, help="a file to add the results to; all in it are shown"
    )
    parser.add_argument(
        "--note", default="", help="what the machine was doing beside, for the table"
    )
    options = parser.parse_args()
    cluster = find_or_start()
    if not cluster.own:
        sys.exit("this benchmark needs the project's own test cluster (unset KUBECONFIG)")
    ensure_crds(cluster.kubectl())
    images = Images(OPERATOR_IMAGE, RUNNER_IMAGE)  # named only: nothing runs on fake nodes
    runs, starts = [], []
    nodes = NODES if options.instances or options.held else 0
    with fake_nodes(cluster.kubectl(), nodes) as ours:
        for instances in options.instances or []:
            found = finished_run(cluster, images, instances, options.batch_size, ours, options.pace)
            runs.append({**found, "note": options.note})
            print(json.dumps(runs[-1]), flush=True)
        for held in options.held or []:
            starts.append(
                {**cold_start(cluster, images, held, ours, options.pace), "note": options.note}
            )
            print(json.dumps(starts[-1]), flush=True)
    if options.record:
        with options.record.open("a") as record:
            record.writelines(f"{json.dumps(each)}\n" for each in (*runs, *starts))
        known = [json.loads(line) for line in options.record.read_text().splitlines()]
        runs = [each for each in known if "instances" in each]
        starts = [each for each in known if "live_pods" in each]
    text = page(runs, starts)
    if options.write:
        PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
