"""A pod of a user's own that reads a volume: made for one command, gone after it, and its files come by exec."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from benchwarden import names
from benchwarden.errors import BenchwardenError, UnavailableError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import NotFoundError
from benchwarden.kube.resources import PODS

_MOUNT = "/volume"
_CONTAINER = "reader"
_LIFE_SECONDS = 1800  # should the command line die, the pod ends by itself
_POLL_SECONDS = 0.3
_OUTPUT, _ERRORS, _STATUS = 1, 2, 3  # channels of the stream
_LIST = f'cd "{_MOUNT}/$1" 2>/dev/null && find . -type f || true'


class VolumeReader:
    """Reads files below a folder of a claim; see `benchwarden.artifacts.storage.Storage` for the methods."""

    def __init__(self, client: KubeClient, namespace: str, claim: str, image: str) -> None:
        self._client = client
        self._namespace = namespace
        self._claim = claim
        self._image = image
        self._name = ""

    async def start(self, patience_seconds: float) -> None:
        """Make the pod and wait until it can read.

        Raises:
            UnavailableError: it does not start in time; says what it waits for.
        """
        made = await self._client.create(reader_pod(self._namespace, self._claim, self._image))
        self._name = str(made["metadata"]["name"])
        ends_at = asyncio.get_running_loop().time() + patience_seconds
        while True:
            pod = await self._client.get(PODS, self._namespace, self._name)
            if (pod.get("status") or {}).get("phase") == "Running":
                return
            if asyncio.get_running_loop().time() >= ends_at:
                raise UnavailableError(
                    f"the pod that reads claim {self._claim} does not start: {_hindrance(pod)}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def stop(self) -> None:
        """Remove the pod."""
        if self._name:
            await self._client.delete(PODS, self._namespace, self._name)
            self._name = ""

    async def list(self, folder: str) -> list[str]:
        """Paths of all files below a folder of the volume, relative to it."""
        found = await self._run("sh", "-c", _LIST, "sh", folder)
        return sorted(line.removeprefix("./") for line in found.decode().splitlines())

    async def read(self, path: str) -> bytes:
        """Content of a file of the volume."""
        return await self._run("cat", f"{_MOUNT}/{path}")

    async def _run(self, *command: str) -> bytes:
        words = [("container", _CONTAINER), ("stdout", "1"), ("stderr", "1")]
        query = urlencode([*words, *(("command", word) for word in command)])
        output, errors, status = bytearray(), bytearray(), b""
        path = PODS.item(self._namespace, self._name, "exec")
        async for frame in self._client.frames(path, query):
            if frame[:1] == bytes([_OUTPUT]):
                output += frame[1:]
            elif frame[:1] == bytes([_ERRORS]):
                errors += frame[1:]
            elif frame[:1] == bytes([_STATUS]):
                status = frame[1:]
        if not status or json.loads(status).get("status") != "Success":
            said = errors.decode("utf-8", "replace").strip() or status.decode("utf-8", "replace")
            if "No such file" in said:
                raise FileNotFoundError(said)
            raise BenchwardenError(f"{command[0]} in the reader pod failed: {said[:500]}")
        return bytes(output)


def reader_pod(namespace: str, claim: str, image: str) -> dict[str, Any]:
    """A pod that mounts the claim read-only and sleeps; admitted under Pod Security `restricted`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "benchwarden-reader-",
            "namespace": namespace,
            "labels": {
                names.LABEL_PART_OF: names.MANAGED_BY,
                names.LABEL_COMPONENT: "reader",
            },
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIFE_SECONDS,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": _CONTAINER,
                    "image": image,
                    "command": ["sleep", str(_LIFE_SECONDS)],
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "16Mi"},
                        "limits": {"cpu": "1", "memory": "64Mi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "volume", "mountPath": _MOUNT, "readOnly": True}],
                }
            ],
            "volumes": [
                {
                    "name": "volume",
                    "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
                }
            ],
        },
    }


def _hindrance(pod: Mapping[str, Any]) -> str:
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in {None, "ContainerCreating"}:
            return f"{waiting['reason']} {waiting.get('message', '')}".strip()
    for condition in status.get("conditions") or ():
        if condition.get("status") == "False" and condition.get("message"):
            return str(condition["message"])
    return f"it is {status.get('phase', 'unknown')}"


async def log_of(client: KubeClient, namespace: str, pod: str, container: str) -> list[str]:
    """Lines of a container's log so far; empty if it has not begun."""
    path = PODS.item(namespace, pod, "log")
    try:
        lines = client.lines(path, {"container": container}, silence_seconds=30)
        return [line.decode("utf-8", "replace") async for line in lines]
    except NotFoundError:
        return []
