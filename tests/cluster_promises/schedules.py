"""What the tests of schedules share: looking at one and its stored cells, changing it, giving it a past."""

import base64
import json
import urllib.request
from typing import Any

from benchwarden import names
from benchwarden.controller.schedule_store import entries_of
from benchwarden.manifests.naming import shard_name
from benchwarden.results.cells import KEY_CELLS, RunCells, pack_cells


def schedule(kubectl, name: str) -> Any:
    return kubectl.get(names.SCHEDULE_PLURAL, name)


def change(kubectl, name: str, **spec: Any) -> None:
    patch = json.dumps({"spec": spec})
    kubectl.run("patch", names.SCHEDULE_PLURAL, name, "--type=merge", "-p", patch)


def shards(kubectl, uid: str) -> list[Any]:
    selector = f"{names.LABEL_SCHEDULE_UID}={uid},{names.LABEL_ROLE}={names.ROLE_CELLS}"
    found = kubectl.get("configmaps", "-l", selector)["items"]
    return sorted(found, key=lambda each: each["metadata"]["name"])


def stored_runs(kubectl, uid: str) -> list[RunCells]:
    entries = [entry for shard in shards(kubectl, uid) for entry in entries_of(shard)]
    return [entry for entry in entries if isinstance(entry, RunCells)]


def runs_of(kubectl, uid: str) -> list[Any]:
    return kubectl.get(names.RUN_PLURAL, "-l", f"{names.LABEL_SCHEDULE_UID}={uid}")["items"]


def metrics(port: int) -> str:
    """What the operator beside the cluster shows on this port."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def seed(kubectl, name: str, days: list[RunCells], shard: int = 0) -> None:
    """Give a schedule a past, as if it had run for weeks; `shard` is one it does not have yet."""
    found = schedule(kubectl, name)
    uid = found["metadata"]["uid"]
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": shard_name(name, uid, shard),
                "labels": {
                    names.LABEL_SCHEDULE_UID: uid,
                    names.LABEL_ROLE: names.ROLE_CELLS,
                    names.LABEL_MANAGED_BY: names.MANAGED_BY,
                },
                "ownerReferences": [
                    {
                        "apiVersion": names.API_VERSION,
                        "kind": names.SCHEDULE_KIND,
                        "name": name,
                        "uid": uid,
                        "controller": True,
                    }
                ],
            },
            "binaryData": {KEY_CELLS: base64.b64encode(pack_cells(days)).decode()},
        }
    )
