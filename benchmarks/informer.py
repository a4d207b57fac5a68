"""Memory and speed of the informers at many live pods, against a fake API server in a process of its own.

    python benchmarks/informer.py --pods 20000 --batch-size 1

Prints one JSON object: resident memory before and after, seconds until synced, changes taken in a second.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

from benchwarden import names
from benchwarden.kube import pruning
from benchwarden.kube.client import KubeClient
from benchwarden.kube.informer import Informer
from benchwarden.kube.observation import Observation
from benchwarden.kube.projection import PodFact, pod_fact
from benchwarden.kube.resources import PODS
from benchwarden.kube.session import ClientSettings

PATH = PODS.collection("bench")
POD_BYTES = 4500
MESSAGE_BYTES = 600


def a_message(container: str, number: int, batch_size: int) -> str:
    """What a container said: the larger the batch, the less room each has."""
    if container == "inject":
        return ""
    limit = min(MESSAGE_BYTES, 12288 // (2 * batch_size + 3))
    return f"{container} {number} ".ljust(limit, "x")


def a_pod(number: int, batch_size: int, pod_bytes: int, phase: str = "Running") -> dict[str, Any]:
    """A pod half-way through its batch, about as large as real ones are."""
    steps = [f"{kind}-{index}" for index in range(batch_size) for kind in ("agent", "grade")]
    init = ["inject", *steps]
    half = len(init) // 2 + 1
    image = "registry.example/suite/instance@sha256:" + "ab" * 32
    ended = [
        {
            "name": name,
            "imageID": image,
            "containerID": f"containerd://{number:064x}",
            "state": {
                "terminated": {
                    "exitCode": 0,
                    "reason": "Completed",
                    "message": a_message(name, number, batch_size),
                    "startedAt": f"2026-03-01T12:{number % 60:02}:{index:02}Z",
                    "finishedAt": f"2026-03-01T12:{number % 60:02}:{index + 30:02}Z",
                }
            },
        }
        for index, name in enumerate(init[:half])
    ]
    waiting = [
        {"name": name, "imageID": "", "state": {"waiting": {"reason": "PodInitializing"}}}
        for name in init[half:]
    ]
    pod = {
        "metadata": {
            "uid": f"00000000-0000-0000-0000-{number:012}",
            "name": f"nightly-{number:08x}-abcde",
            "namespace": "bench",
            "resourceVersion": str(number + 1),
            "creationTimestamp": f"2026-03-01T11:{number % 60:02}:{number % 59:02}Z",
            "labels": {
                names.LABEL_MANAGED_BY: names.MANAGED_BY,
                names.LABEL_RUN_UID: f"run-{number % 7}",
                names.LABEL_ROLE: names.ROLE_BATCH,
            },
            "ownerReferences": [
                {"kind": "Job", "uid": f"job-{number}", "name": f"nightly-{number:08x}"}
            ],
        },
        "spec": {
            "nodeName": f"node-{number % 100}",
            "initContainers": [{"name": name, "image": image} for name in init],
            "containers": [{"name": "finish", "image": image}],
        },
        "status": {"phase": phase, "initContainerStatuses": ended + waiting},
    }
    missing = pod_bytes - len(json.dumps(pod))
    pod["spec"]["padding"] = "x" * max(missing, 0)
    return pod


def serve(pods: int, batch_size: int, pod_bytes: int, changes: int, ready: Connection) -> None:
    """Serve lists and one watch that sends `changes` changes as fast as it can."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") == "1":
            response = web.StreamResponse()
            await response.prepare(request)
            for number in range(changes):
                phase = "Pending" if number % 2 else "Succeeded"
                changed = a_pod(number % pods, batch_size, pod_bytes, phase)
                line = json.dumps({"type": "MODIFIED", "object": changed})
                await response.write(line.encode() + b"\n")
            await asyncio.sleep(600)
            return response
        start = int(request.query.get("continue") or 0)
        end = min(pods, start + int(request.query["limit"]))
        following = str(end) if end < pods else ""
        items = [a_pod(number, batch_size, pod_bytes) for number in range(start, end)]
        metadata = {"resourceVersion": "1", "continue": following}
        return web.json_response({"metadata": metadata, "items": items})

    async def run() -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


class Counting:
    """The operator's own join of Jobs and pods, with a count of changes."""

    def __init__(self) -> None:
        self.observation = Observation()
        self.changes = 0

    def changed(self, uid: str, old: PodFact | None, new: PodFact | None) -> None:  # noqa: ARG002  # the informer tells both
        """Take in one change."""
        self.observation.pod_changed(old, new)
        self.changes += 1

    def list_began(self) -> None:
        """Nothing to do."""

    def list_ended(self) -> None:
        """Nothing to do."""


class At:
    """Credentials for a server without any."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def load(self) -> Configuration:
        """Where the server is."""
        return Configuration(host=self.url)


def resident_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


async def measure(port: int, pods: int, changes: int) -> dict[str, Any]:
    heard = Counting()
    settings = ClientSettings(per_second=1000, burst=100)
    async with KubeClient(At(f"http://127.0.0.1:{port}"), settings) as client:
        before = resident_mebibytes()
        informer = Informer(client, PATH, names.LABEL_RUN_UID, pruning.PODS, pod_fact, heard)
        began, used = time.monotonic(), time.process_time()
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        synced, used = time.monotonic(), time.process_time() - used
        listed = resident_mebibytes()
        while heard.changes < pods + changes - 1:  # noqa: ASYNC110  # no event to await
            await asyncio.sleep(0.01)
        done = time.monotonic()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task
    return {
        "pods": len(informer.cache),
        "resident_before_mebibytes": before,
        "resident_synced_mebibytes": listed,
        "resident_after_changes_mebibytes": resident_mebibytes(),
        "peak_mebibytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "synced_seconds": round(synced - began, 2),
        "synced_processor_seconds": round(used, 2),
        "changes_per_second": round(changes / (done - synced)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--pod-bytes", type=int, default=POD_BYTES)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--changes", type=int, default=20_000)
    options = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve,
        args=(options.pods, options.batch_size, options.pod_bytes, options.changes, theirs),
        daemon=True,
    )
    server.start()
    try:
        measured = asyncio.run(measure(ours.recv(), options.pods, options.changes))
    finally:
        server.terminate()
        server.join()
    print(json.dumps({"batch_size": options.batch_size, **measured}, indent=2))


if __name__ == "__main__":
    main()
