"""What it costs to bring Python and the runner into every pod, and what cheaper ways would cost.

    python -m benchmarks.inject

Pods whose only work is to start the Python that was brought. Beside the copy that the product makes: the same
files from a folder of the node (a node-local cache, as a trusted administrator could lay it out), and as an image
volume, which needs a newer container runtime than the test cluster's; what it says is in the table.
"""

import json
import statistics
import time
from typing import Any

from benchmarks.cluster import namespace, prepared
from tests.cluster.kubectl import Kubectl
from tests.tiny_suite import ensure_tiny_image

from benchwarden import names

ROUNDS = 5
CACHE = "/var/lib/benchwarden-cluster/bench-cache"
COPY = ["python3", "-I", names.RUNNER_APP, "inject", "--tools", names.MOUNT_TOOLS, "--agent", "nop"]
PYTHON = f"{names.MOUNT_TOOLS}/python"
USE = [
    f"{PYTHON}/ld-linux", "--library-path", f"{PYTHON}/lib", f"{PYTHON}/bin/python3", "-I", "-c", "pass",
]  # fmt: skip
FIVE_COPIES = f"""
import os, shutil, subprocess, sys, time
began = time.monotonic()
for _ in range(5):
    for each in os.listdir("{names.MOUNT_TOOLS}"):
        path = os.path.join("{names.MOUNT_TOOLS}", each)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    subprocess.run({COPY!r}, check=True)
took = (time.monotonic() - began) / 5
size = sum(
    os.lstat(os.path.join(folder, name)).st_size
    for folder, _, files in os.walk("{names.MOUNT_TOOLS}") for name in files
)
open("/dev/termination-log", "w").write(f"{{size}} {{took:.3f}}")
"""


def pod(
    name: str, volume: dict[str, Any], runner: str, instance: str, *, copies: bool, read_only: bool
) -> dict[str, Any]:
    """A pod that uses the tools once."""
    mount = {"name": "tools", "mountPath": names.MOUNT_TOOLS}
    inject = {"name": "inject", "image": runner, "command": COPY, "volumeMounts": [mount]}
    use = {
        "name": "use",
        "image": instance,
        "command": USE,
        "volumeMounts": [{**mount, "readOnly": read_only}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "initContainers": [inject] if copies else [],
            "containers": [use],
            "volumes": [{"name": "tools", **volume}],
        },
    }


def seconds_of(kubectl: Kubectl, manifest: dict[str, Any]) -> float:
    """From apply to the pod's end as seen from outside."""
    name = manifest["metadata"]["name"]
    began = time.monotonic()
    kubectl.apply(manifest)
    kubectl.wait_until(
        ["pod", name], lambda found: found["status"].get("phase") == "Succeeded", 240
    )
    return time.monotonic() - began


def copies(kubectl: Kubectl, runner: str) -> tuple[int, float]:
    """Bytes of one copy and seconds it takes, by five in a row in one pod."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "copies"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "copies",
                    "image": runner,
                    "command": ["python3", "-c", FIVE_COPIES],
                    "volumeMounts": [{"name": "tools", "mountPath": names.MOUNT_TOOLS}],
                }
            ],
            "volumes": [{"name": "tools", "emptyDir": {}}],
        },
    }
    seconds_of(kubectl, manifest)
    found = kubectl.get("pod", "copies")
    said = found["status"]["containerStatuses"][0]["state"]["terminated"]["message"].split()
    return int(said[0]), float(said[1])


def image_volume(kubectl: Kubectl, runner: str, instance: str) -> str:
    """Seconds with an image volume, or why there are none."""
    volume = {"image": {"reference": runner, "pullPolicy": "Never"}}
    manifest = pod("by-image", volume, runner, instance, copies=False, read_only=True)
    use = manifest["spec"]["containers"][0]
    inside = f"{names.MOUNT_TOOLS}/opt/benchwarden"  # where the image has them
    use["command"] = [part.replace(names.MOUNT_TOOLS, inside) for part in USE]
    began = time.monotonic()
    kubectl.apply(manifest)
    kept = kubectl.get("pod", "by-image")["spec"].get("volumes", [])
    if not any("image" in each for each in kept):
        return "not possible here: the API server dropped the volume (feature gate ImageVolume)"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = kubectl.get("pod", "by-image")
        states = [each["state"] for each in found["status"].get("containerStatuses", [])]
        waits = [state["waiting"] for state in states if "waiting" in state]
        told = [each for each in waits if each.get("message")]
        if told:
            return f"not possible here: {told[0]['reason']}: {told[0]['message'][:160]}"
        if found["status"].get("phase") == "Succeeded":
            return f"{time.monotonic() - began:.2f} s"
        time.sleep(0.2)
    return "not possible here: the pod does not start within 30 s, without a message"


def main() -> dict[str, Any]:
    """Measure, print, and return the figures."""
    cluster, images = prepared()
    runner, instance = images.runner, ensure_tiny_image(cluster)
    cached = {"hostPath": {"path": CACHE, "type": "DirectoryOrCreate"}}
    copied, local = [], []
    with namespace(cluster) as kubectl:
        size, took = copies(kubectl, runner)
        filler = pod("filler", cached, runner, instance, copies=True, read_only=False)
        filler["spec"]["initContainers"][0]["securityContext"] = {"runAsUser": 0}
        seconds_of(kubectl, filler)
        for number in range(ROUNDS):
            fresh = pod(
                f"copied-{number}", {"emptyDir": {}}, runner, instance, copies=True, read_only=True
            )
            near = pod(f"local-{number}", cached, runner, instance, copies=False, read_only=True)
            copied.append(seconds_of(kubectl, fresh))
            local.append(seconds_of(kubectl, near))
        by_image = image_volume(kubectl, runner, instance)
    return {
        "bytes that inject copies into a pod": size,
        "seconds of one copy, five in a row": took,
        "pod that copies and starts Python, median s": f"{statistics.median(copied):.2f}",
        "pod with the same files from the node, median s": f"{statistics.median(local):.2f}",
        "pod with an image volume": by_image,
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
