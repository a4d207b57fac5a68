"""The durable part of a schedule: its shards of cells, as ConfigMaps that the schedule owns.

The last shard is rewritten as a whole, guarded by its resourceVersion, until it is full; full ones are never
touched again. A write that went wrong in any way is followed by reading everything anew.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.controller.schedule_record import ScheduleRecord, Shard
from benchwarden.errors import InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.resources import CONFIG_MAPS, RUNS
from benchwarden.manifests.naming import shard_name
from benchwarden.results.cells import KEY_CELLS, Entry, RunCells, pack_cells, unpack_cells
from benchwarden.scheduling.launching import owner, schedule_labels
from benchwarden.scheduling.observed import owner_uid
from benchwarden.scheduling.world import ScheduleView


def entries_of(config_map: Mapping[str, Any]) -> list[Entry]:
    """Entries of one ConfigMap of cells.

    Raises:
        InvalidInputError: what it holds is not a shard; names the ConfigMap.
    """
    data = (config_map.get("binaryData") or {}).get(KEY_CELLS, "")
    try:
        return unpack_cells(base64.b64decode(str(data)))
    except InvalidInputError as error:
        name = str(config_map["metadata"]["name"])
        raise InvalidInputError(f"ConfigMap {name}: {error}", reason=error.reason) from error


async def load(client: KubeClient, record: ScheduleRecord) -> None:
    """Read the shards as the cluster has them.

    Raises:
        InvalidInputError: a shard is damaged; nothing is decided from half a history.
    """
    labels = f"{_mine(record)},{names.LABEL_ROLE}={names.ROLE_CELLS}"
    found = await client.list_all(CONFIG_MAPS, record.namespace, labels=labels)
    shards = [
        Shard(
            str(each["metadata"]["name"]),
            str(each["metadata"]["resourceVersion"]),
            entries_of(each),
        )
        for each in sorted(found, key=lambda each: str(each["metadata"]["name"]))
    ]
    record.shards = shards
    record.remember()
    record.loaded = True


async def load_runs(client: KubeClient, record: ScheduleRecord, now: datetime) -> None:
    """List its runs: a watch may miss a deletion, and a run that is gone must not block a slot."""
    before = set(record.runs)
    listed = set()
    for raw in await client.list_all(RUNS, record.namespace, labels=_mine(record)):
        if owner_uid(raw) == record.uid:
            record.take_run(raw, deleted=False)
            listed.add(str(raw["metadata"]["uid"]))
    for uid in before - listed:
        record.runs.pop(uid, None)
    record.listed_at = now


def _mine(record: ScheduleRecord) -> str:
    return f"{names.LABEL_SCHEDULE_UID}={record.uid}"


async def append(
    client: KubeClient, record: ScheduleRecord, view: ScheduleView, entries: Sequence[Entry]
) -> None:
    """Add entries to the history and make them durable."""
    record.loaded = False  # until the write is known to have succeeded
    last = record.shards[-1] if record.shards else None
    if last is not None:
        together = [*_without(last.entries, entries), *entries]
        data = pack_cells(together)
        if len(data) <= names.RESULT_SHARD_BYTES:
            manifest = _config_map(view, last.name, data)
            manifest["metadata"]["resourceVersion"] = last.version
            written = await client.replace(manifest)
            last.version = str(written["metadata"]["resourceVersion"])
            last.entries = together
            record.remember()
            record.loaded = True
            return
    number = len(record.shards)
    manifest = _config_map(view, shard_name(view.name, view.uid, number), pack_cells(entries))
    written = await client.create(manifest)
    version = str(written["metadata"]["resourceVersion"])
    record.shards.append(Shard(str(manifest["metadata"]["name"]), version, list(entries)))
    record.remember()
    record.loaded = True


def _without(old: Sequence[Entry], new: Sequence[Entry]) -> list[Entry]:
    """The old entries, but for runs that a new one is about."""
    replaced = {entry.run_uid for entry in new if isinstance(entry, RunCells)}
    return [each for each in old if not (isinstance(each, RunCells) and each.run_uid in replaced)]


def _config_map(view: ScheduleView, name: str, data: bytes) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": view.namespace,
            "labels": {**schedule_labels(view), names.LABEL_ROLE: names.ROLE_CELLS},
            "ownerReferences": [owner(view)],
        },
        "binaryData": {KEY_CELLS: base64.b64encode(data).decode()},
    }
