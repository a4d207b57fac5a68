"""The durable part of a run: its plan and its result shards, as ConfigMaps that the run owns."""

import asyncio
import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchwarden import names
from benchwarden.controller.record import Record
from benchwarden.errors import InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import AlreadyExistsError, NotFoundError
from benchwarden.kube.resources import CONFIG_MAPS, RUNS
from benchwarden.manifests import naming
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.plan_object import plan_config_map, plan_from_config_map
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.conditions import has_ended
from benchwarden.reconcile.world import BaseResults
from benchwarden.results import shards
from benchwarden.results.base import parse_base
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found in the cluster of a run."""

    plan: Plan | None
    rows: tuple[Row, ...]
    shards: dict[str, int]


def _selector(run_uid: str, role: str) -> str:
    return f"{names.LABEL_RUN_UID}={run_uid},{names.LABEL_ROLE}={role}"


def rows_of(config_map: Mapping[str, Any]) -> list[Row]:
    """Rows of one result ConfigMap.

    Raises:
        InvalidInputError: what it holds is not a shard.
    """
    data = config_map.get("binaryData") or {}
    return shards.unpack(base64.b64decode(str(data.get(shards.KEY_ROWS, ""))))


def results_config_map(run: RunIdentity, number: int, data: bytes) -> dict[str, Any]:
    """The ConfigMap of one shard; immutable, as results are."""
    metadata = run_metadata(run, names.ROLE_RESULTS, naming.results_name(run.name, run.uid, number))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "binaryData": {shards.KEY_ROWS: base64.b64encode(data).decode()},
    }


async def read(client: KubeClient, run: RunIdentity) -> Stored:
    """Plan and rows as the cluster has them."""
    plan: Plan | None = None
    try:
        found = await client.get(CONFIG_MAPS, run.namespace, naming.plan_name(run.name, run.uid))
        plan = plan_from_config_map(found)
    except NotFoundError:
        pass
    rows, counts = await read_rows(client, run.namespace, run.uid)
    return Stored(plan, tuple(rows), counts)


async def read_rows(
    client: KubeClient, namespace: str, run_uid: str
) -> tuple[list[Row], dict[str, int]]:
    """Rows of all shards of a run in shard order, and the number of rows of each."""
    found = await client.list_all(
        CONFIG_MAPS, namespace, labels=_selector(run_uid, names.ROLE_RESULTS)
    )
    rows: list[Row] = []
    counts: dict[str, int] = {}
    for each in sorted(found, key=lambda item: str(item["metadata"]["name"])):
        own = rows_of(each)
        counts[str(each["metadata"]["name"])] = len(own)
        rows += own
    return rows, counts


async def store_plan(client: KubeClient, run: RunIdentity, plan: Plan) -> None:
    """Freeze the plan; one that is there already stands and is read at the next pass."""
    await client.create_or_adopt(plan_config_map(run, plan))


async def store_rows(client: KubeClient, record: Record, rows: Iterable[Row]) -> None:
    """Append rows as new shards; a create that was done and not answered is found, not repeated."""
    await _store_packed(client, record, await _packed(rows))


async def _packed(rows: Iterable[Row]) -> list[bytes]:
    """Shards of the rows, made beside the event loop: of a whole run that takes seconds."""
    return await asyncio.to_thread(shards.pack, tuple(rows))


async def _store_packed(client: KubeClient, record: Record, packed: Iterable[bytes]) -> None:
    for data in packed:
        while not await _store_shard(client, record, data):
            record.next_shard += 1
        record.next_shard += 1


async def _store_shard(client: KubeClient, record: Record, data: bytes) -> bool:
    """Store one shard under the next name; False if that name holds something else."""
    manifest = results_config_map(record.identity, record.next_shard, data)
    name = str(manifest["metadata"]["name"])
    try:
        await client.create(manifest)
    except AlreadyExistsError:
        try:
            found = await client.get(CONFIG_MAPS, record.identity.namespace, name)
        except NotFoundError:
            return False
        record.shards[name] = len(rows_of(found))
        return bool(found.get("binaryData") == manifest["binaryData"])
    record.shards[name] = shards.count(data)
    return True


async def compact(client: KubeClient, record: Record) -> None:
    """Merge all shards into the fewest: new ones first, old ones deleted after; a crash only repeats rows."""
    old = tuple(record.shards)
    if len(old) <= 1:
        return
    packed = await _packed(record.cycle.tally.rows)
    if not record.repeats_rows() and len(old) <= len(packed):
        return
    await _store_packed(client, record, packed)
    for name in old:
        await client.delete(CONFIG_MAPS, record.identity.namespace, name)
        del record.shards[name]


async def read_base(client: KubeClient, namespace: str, compare_to: Any) -> BaseResults:
    """Results of the run or ConfigMap that `compareTo` names."""
    try:
        if compare_to.run is not None:
            other = await client.get(RUNS, namespace, compare_to.run)
            if not has_ended(other.get("status") or {}):
                return BaseResults(problem=f"run {compare_to.run} has not ended yet", retry=True)
            rows, _ = await read_rows(client, namespace, str(other["metadata"]["uid"]))
            cells = Tally(rows).cells()
            if not cells:
                return BaseResults(problem=f"run {compare_to.run} has no verdicts")
            return BaseResults(cells)
        reference = compare_to.config_map
        found = await client.get(CONFIG_MAPS, namespace, reference.name)
        text = (found.get("data") or {}).get(reference.key)
        packed = (found.get("binaryData") or {}).get(reference.key)
        if text is None and packed is None:
            problem = f"ConfigMap {reference.name} has no key {reference.key}"
            return BaseResults(problem=problem)
        data = text.encode() if text is not None else base64.b64decode(str(packed))
        return BaseResults(parse_base(data))
    except NotFoundError as error:
        return BaseResults(problem=str(error), retry=True)
    except (InvalidInputError, ValueError) as error:
        return BaseResults(problem=f"the base cannot be read: {error}")
