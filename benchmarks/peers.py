"""Real pods beside the ways without an operator: the same pods as bare Jobs, and as one Indexed Job.

    python -m benchmarks.peers

Needs the project's own test cluster. Work is a sleep, so that the node's two cores are not what is measured. The
bound is what no scheduler can beat: the seconds of the bare Jobs' pods, packed without a gap into as many slots as
the run may use. Kueue's own controller admits the Jobs of one more run. JobSet and Argo Workflows are not measured.
"""

import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.cluster import manifests, namespace, started, until_ended
from benchmarks.kueue import QUEUE, kueue, local_queue
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster, find_or_start
from tests.installed import (
    Images,
    ensure_crds,
    ensure_images,
    rows_of,
    run_manifest,
    suite_config_map,
)
from tests.tiny_suite import ensure_tiny_image, task

BATCH_SIZE, BATCHES, PARALLELISM, WORK_SECONDS = 5, 8, 4, 12


@dataclass
class Ours:
    """A run through the operator."""

    makespan_seconds: float
    overheads: list[float]  # per instance, whole seconds of the kubelet's stamps minus the work
    twins: list[Any]


def through_the_operator(cluster: Cluster, images: Images, queue: str = "") -> Ours:
    """Apply a run and wait for its end; with a queue, Kueue admits its Jobs."""
    with namespace(cluster) as kubectl, tempfile.TemporaryDirectory() as scratch:
        operator = started(cluster, kubectl, images, Path(scratch))
        try:
            work = f"sleep {WORK_SECONDS}"
            tasks = (task(f"i{n:03d}", test_command=work) for n in range(BATCHES * BATCH_SIZE))
            kubectl.apply(suite_config_map(*tasks))
            time.sleep(2)
            execution = {"batchSize": BATCH_SIZE, "parallelism": PARALLELISM}
            if queue:
                kubectl.apply(local_queue())
                execution["queueName"] = queue
            run = run_manifest(
                "peer", agent={"nop": {}}, execution=execution, cleanupPolicy="Never"
            )
            began = time.monotonic()
            kubectl.apply(run)
            found = until_ended(kubectl, "peer")
            makespan = time.monotonic() - began
            overheads = overheads_of(kubectl, rows_of(kubectl, found))
            return Ours(makespan, overheads, manifests(kubectl))
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


def bare_jobs(cluster: Cluster, twins: list[Any]) -> list[float]:
    """Seconds of each pod, creation to end, with as many at once as the run had."""
    waves = [each for each in twins if each["kind"] == "Job"]
    inputs = [each for each in twins if each["kind"] != "Job"]
    seconds = []
    with namespace(cluster) as kubectl:
        kubectl.apply(*inputs)
        for at in range(0, len(waves), PARALLELISM):
            kubectl.apply(*waves[at : at + PARALLELISM])
            kubectl.wait_until(
                ["jobs"],
                lambda found: all(each["status"].get("succeeded") for each in found["items"]),
                300,
            )
        for pod in kubectl.get("pods")["items"]:
            ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
            seconds.append(moment(ended) - moment(pod["metadata"]["creationTimestamp"]))
    return seconds


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


def main() -> dict[str, Any]:
    """Measure one after the other, print, and return the figures."""
    cluster = find_or_start()
    if not cluster.own:
        sys.exit("this benchmark needs the project's own test cluster (unset KUBECONFIG)")
    ensure_crds(cluster.kubectl())
    images = ensure_images(cluster)
    ensure_tiny_image(cluster)
    ours = through_the_operator(cluster, images)
    print(f"operator {ours.makespan_seconds:.1f} s", flush=True)
    indexed = indexed_job(cluster, ours.twins)
    print(f"Indexed Job {indexed:.1f} s", flush=True)
    with kueue(cluster.kubectl()):
        admitted = through_the_operator(cluster, images, QUEUE)
    print(f"operator with Kueue {admitted.makespan_seconds:.1f} s", flush=True)
    pods = bare_jobs(cluster, ours.twins)
    bound = max(sum(pods) / PARALLELISM, *pods)
    overheads = sorted(ours.overheads)
    work = f"{BATCHES} pods of {BATCH_SIZE} instances of {WORK_SECONDS} s, {PARALLELISM} at once"
    return {
        f"makespan through the operator, s ({work})": f"{ours.makespan_seconds:.1f}",
        "makespan through the operator with Kueue in front, s": f"{admitted.makespan_seconds:.1f}",
        "makespan of one Indexed Job with the same pods, s": f"{indexed:.1f}",
        "bound: bare Jobs' pods packed without a gap, s": f"{bound:.1f}",
        "operator / bound": f"{ours.makespan_seconds / bound:.3f}",
        "operator with Kueue / bound": f"{admitted.makespan_seconds / bound:.3f}",
        "Indexed Job / bound": f"{indexed / bound:.3f}",
        "overhead an instance p50, s": f"{statistics.median(overheads):.1f}",
        "overhead an instance p99, s": f"{overheads[int(0.99 * len(overheads))]:.1f}",
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
