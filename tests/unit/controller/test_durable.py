"""Result shards keep every row exactly once in the end, whatever call or answer is lost on the way."""

import asyncio
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW
from tests.unit.controller.memory_cluster import MemoryCluster

from benchwarden.controller import durable
from benchwarden.controller.record import Record
from benchwarden.errors import UnavailableError
from benchwarden.kube.resources import CONFIG_MAPS
from benchwarden.manifests.settings import RunIdentity
from benchwarden.reconcile.capture import stamp
from benchwarden.results.row import KIND_VERDICT, Row

RUN = RunIdentity("daily", "bench", "0b0c8f0e-0000-4000-8000-000000000001")


def row(number: int) -> Row:
    return Row(f"i{number}", 0, 1, KIND_VERDICT, "resolved", "batch", stamp(NOW))


def fresh() -> Record:
    return Record(RUN, {}, {})


async def load(cluster: MemoryCluster) -> Record:
    """A record as an operator has it that was just started."""
    record = fresh()
    stored = await durable.read(cluster, RUN)
    record.cycle.load(stored.rows, NOW)
    record.shards = dict(stored.shards)
    numbers = [int(name.rsplit("-", 1)[1]) for name in stored.shards]
    record.next_shard = max(numbers, default=-1) + 1
    return record


def learn(record: Record, known: range) -> None:
    """What the pods still say is captured again by whoever does not know it."""
    for each in map(row, known):
        if record.cycle.tally.add(each):
            record.cycle.unstored.append(each)


async def flush(cluster: MemoryCluster, record: Record) -> None:
    rows = tuple(record.cycle.unstored)
    await durable.store_rows(cluster, record, rows)
    record.cycle.stored(rows, NOW)


async def end(cluster: MemoryCluster, record: Record) -> None:
    await flush(cluster, record)
    await durable.compact(cluster, record)


async def a_life(chaos: Random, cluster: MemoryCluster) -> Record:
    """Flushes as rows come in, crashes now and then, and tries to end the run until that is done."""
    record = fresh()
    for known in range(1, 12):
        if chaos.random() < 0.3:
            record = await reliably(load, cluster)
        learn(record, range(known))
        if chaos.random() < 0.5:
            await try_once(flush, cluster, record)
    while not await try_once(end, cluster, record):
        if chaos.random() < 0.3:
            record = await reliably(load, cluster)
        learn(record, range(11))
    return record


async def try_once(action, *arguments) -> bool:
    try:
        await action(*arguments)
    except UnavailableError:
        return False
    return True


async def reliably(action, cluster: MemoryCluster) -> Record:
    while True:
        try:
            return await action(cluster)
        except UnavailableError:
            continue


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32 - 1), fail=st.sampled_from((0.0, 0.05, 0.2)))
def test_every_row_is_stored_exactly_once_whatever_is_lost(seed, fail):
    cluster = MemoryCluster(seed, fail)
    record = asyncio.run(a_life(Random(seed), cluster))
    stored = {each["metadata"]["name"]: durable.rows_of(each) for each in cluster.of(CONFIG_MAPS)}
    assert {name: len(rows) for name, rows in stored.items()} == record.shards
    kept = sorted(each.instance for rows in stored.values() for each in rows)
    assert kept == sorted(f"i{number}" for number in range(11))
    assert len(stored) == 1


def test_a_shard_that_was_stored_without_an_answer_is_not_stored_twice():
    async def story() -> Record:
        cluster, record = MemoryCluster(), fresh()
        learn(record, range(2))
        (data,) = durable.shards.pack(record.cycle.unstored)
        await cluster.create(durable.results_config_map(RUN, 0, data))  # nobody heard of it
        await flush(cluster, record)
        assert len(cluster.of(CONFIG_MAPS)) == 1
        return record

    record = asyncio.run(story())
    assert list(record.shards.values()) == [2]
    assert record.next_shard == 1
