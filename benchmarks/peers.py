"""Real pods beside the ways without an operator: the same pods as bare Jobs, and as one Indexed Job.

    python -m benchmarks.peers

Needs the project's own test cluster. Two kinds of work: sleeping, so that the node's two cores are not what is
measured, and the real mini suite. The bound is what no scheduler can beat: the seconds of the bare Jobs' pods, packed
without a gap into as many slots as the run may use. Kueue's own controller admits the Jobs of one more run. JobSet and
Argo Workflows are not measured: one cannot be had, and the other's executor lacks a file in its module.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.cluster import manifests, namespace, prepared, started, until_ended
from benchmarks.kueue import QUEUE, kueue, local_queue
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster
from tests.cluster_promises.mini_suite_images import (
    CONFIG_MAP,
    HANGS,
    NEEDS_MEMORY,
    apply_tasks,
    load_images,
)
from tests.installed import (
    Images,
    rows_of,
    run_manifest,
    suite_config_map,
)
from tests.mini_suite import ensure_mini_suite
from tests.tiny_suite import task

BATCH_SIZE, BATCHES, PARALLELISM, WORK_SECONDS = 5, 8, 4, 12


@dataclass(frozen=True)
class Workload:
    """What is run: how its suite comes into a namespace, and the run's spec."""

    suite: Callable[[Kubectl], None]
    spec: dict[str, Any]

    @property
    def parallelism(self) -> int:
        """Pods at once."""
        return int(self.spec["execution"]["parallelism"])


def sleepers() -> Workload:
    """Instances whose graders sleep."""
    work = f"sleep {WORK_SECONDS}"
    tasks = [task(f"i{n:03d}", test_command=work) for n in range(BATCHES * BATCH_SIZE)]
    execution = {"batchSize": BATCH_SIZE, "parallelism": PARALLELISM}
    spec = {"agent": {"nop": {}}, "execution": execution}
    return Workload(lambda kubectl: kubectl.apply(suite_config_map(*tasks)), spec)


def mini_suite(cluster: Cluster, trials: int) -> Workload:
    """The real mini suite's reference fixes, so many times, on as many slots as the node has cores.

    The size of its batches is the one that a run has when nobody asks for another.
    """
    suite = ensure_mini_suite()
    load_images(cluster, suite)
    source = {"tasks": {"source": {"configMap": {"name": CONFIG_MAP}}}}
    spec = {
        "suite": {**source, "selection": {"exclude": [HANGS, NEEDS_MEMORY]}},
        "agent": {"oracle": {}},
        "execution": {"parallelism": 2, "trialsPerInstance": trials},
    }
    return Workload(lambda kubectl: apply_tasks(kubectl, suite), spec)


@dataclass
class Ours:
    """A run through the operator."""

    makespan_seconds: float
    packed_seconds: float  # its own pods' seconds, packed without a gap into the run's slots
    overheads: list[float]  # per instance, whole seconds of the kubelet's stamps minus the work
    twins: list[Any]


def through_the_operator(cluster: Cluster, images: Images, work: Workload, queue: str = "") -> Ours:
    """Apply a run and wait for its end; with a queue, Kueue admits its Jobs."""
    with namespace(cluster) as kubectl, tempfile.TemporaryDirectory() as scratch:
        operator = started(cluster, kubectl, images, Path(scratch))
        try:
            work.suite(kubectl)
            time.sleep(2)
            execution = work.spec["execution"]
            if queue:
                kubectl.apply(local_queue())
                execution = {**execution, "queueName": queue}
            run = run_manifest(
                "peer", **{**work.spec, "execution": execution}, cleanupPolicy="Never"
            )
            began = time.monotonic()
            kubectl.apply(run)
            found = until_ended(kubectl, "peer")
            makespan = time.monotonic() - began
            counts = found["status"]["counts"]
            assert counts["valid"] == counts["planned"], counts
            overheads = overheads_of(kubectl, rows_of(kubectl, found))
            packed = packed_seconds(kubectl, work.parallelism)
            return Ours(makespan, packed, overheads, manifests(kubectl))
        finally:
            operator.kill()


def overheads_of(kubectl: Kubectl, rows: list[Any]) -> list[float]:
    """Schedule to verdict of each instance, without what its agent and grader worked.

    The first instance of a pod begins with the pod's own creation, each other with the end of the one before.
    """
    by_pod = {pod["metadata"]["uid"]: pod for pod in kubectl.get("pods")["items"]}
    found = []
    for uid, pod in by_pod.items():
        ends = {
            each["name"]: moment(each["state"]["terminated"]["finishedAt"])
            for each in pod["status"]["initContainerStatuses"]
        }
        began = moment(pod["metadata"]["creationTimestamp"])
        own = sorted(
            (row for row in rows if row.pod_uid == uid), key=lambda row: moment(row.finished_at)
        )
        for position, row in enumerate(own):
            end = ends[f"grade-{position}"]
            found.append(end - began - row.agent_seconds - row.grade_seconds)
            began = end
    return found


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def bound_of(cluster: Cluster, twins: list[Any], slots: int) -> float:
    """Seconds of the same pods as bare Jobs, so many at once, packed without a gap."""
    waves = [each for each in twins if each["kind"] == "Job"]
    inputs = [each for each in twins if each["kind"] != "Job"]
    with namespace(cluster) as kubectl:
        kubectl.apply(*inputs)
        for at in range(0, len(waves), slots):
            kubectl.apply(*waves[at : at + slots])
            kubectl.wait_until(
                ["jobs"],
                lambda found: all(each["status"].get("succeeded") for each in found["items"]),
                300,
            )
        return packed_seconds(kubectl, slots)


def packed_seconds(kubectl: Kubectl, slots: int) -> float:
    """How long the ended pods of a namespace would take in so many slots, without a gap between them."""
    seconds = []
    for pod in kubectl.get("pods")["items"]:
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
        seconds.append(moment(ended) - moment(pod["metadata"]["creationTimestamp"]))
    return max(sum(seconds) / slots, *seconds)


def indexed_job(cluster: Cluster, twins: list[Any]) -> float:
    """Apply to completion of one Indexed Job whose pods all do the first batch's work."""
    with namespace(cluster) as kubectl:
        first = next(each for each in twins if each["kind"] == "Job")
        job = {
            **first,
            "spec": {
                **first["spec"],
                "completionMode": "Indexed",
                "completions": BATCHES,
                "parallelism": PARALLELISM,
            },
        }
        inputs = [each for each in twins if each["kind"] != "Job"]
        kubectl.apply(*inputs)
        began = time.monotonic()
        kubectl.apply(job)
        kubectl.wait_until(
            ["jobs", first["metadata"]["name"]],
            lambda found: found["status"].get("succeeded") == BATCHES,
            600,
        )
        return time.monotonic() - began


def figures(
    cluster: Cluster, images: Images, work: Workload, title: str
) -> tuple[dict[str, str], Ours, float]:
    """A run of this work beside its bound, and what an instance costs beside its work."""
    ours = through_the_operator(cluster, images, work)
    print(f"{title}: operator {ours.makespan_seconds:.1f} s", flush=True)
    bound = bound_of(cluster, ours.twins, work.parallelism)
    overheads = sorted(ours.overheads)
    found = {
        f"{title}: makespan through the operator, s": f"{ours.makespan_seconds:.1f}",
        f"{title}: bound, bare Jobs' pods packed without a gap, s": f"{bound:.1f}",
        f"{title}: operator / bound": f"{ours.makespan_seconds / bound:.3f}",
        f"{title}: the run's own pods packed without a gap, s": f"{ours.packed_seconds:.1f}",
        f"{title}: operator / its own pods": f"{ours.makespan_seconds / ours.packed_seconds:.3f}",
        f"{title}: overhead an instance p50, s": f"{statistics.median(overheads):.1f}",
        f"{title}: overhead an instance p99, s": f"{overheads[int(0.99 * len(overheads))]:.1f}",
    }
    return found, ours, bound


def asleep(cluster: Cluster, images: Images) -> dict[str, Any]:
    """Sleeping instances: the operator, with and without Kueue, and an Indexed Job, beside the bound."""
    title = f"{BATCHES} pods of {BATCH_SIZE} sleeps of {WORK_SECONDS} s, {PARALLELISM} at once"
    found, ours, bound = figures(cluster, images, sleepers(), title)
    indexed = indexed_job(cluster, ours.twins)
    print(f"Indexed Job {indexed:.1f} s", flush=True)
    with kueue(cluster.kubectl()):
        admitted = through_the_operator(cluster, images, sleepers(), QUEUE)
    print(f"operator with Kueue {admitted.makespan_seconds:.1f} s", flush=True)
    return {
        **found,
        "the same with Kueue in front, s": f"{admitted.makespan_seconds:.1f}",
        "one Indexed Job with the same pods, s": f"{indexed:.1f}",
        "operator with Kueue / bound": f"{admitted.makespan_seconds / bound:.3f}",
        "Indexed Job / bound": f"{indexed / bound:.3f}",
    }


def main() -> dict[str, Any]:
    """Measure one after the other, print, and return the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=("sleeps", "mini-suite"))
    parser.add_argument("--trials", type=int, default=9, help="of each instance of the mini suite")
    options = parser.parse_args()
    cluster, images = prepared()
    found = {} if options.only == "mini-suite" else asleep(cluster, images)
    if options.only != "sleeps":
        work = mini_suite(cluster, options.trials)
        title = f"mini suite, {options.trials} trials, 2 pods at once"
        found |= figures(cluster, images, work, title)[0]
    return found


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
