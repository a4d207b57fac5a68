"""The fence between two operators that share nothing but an API server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.contract.fake_api import At, FakeApi, Fault
from tests.contract.waiting import SteppedTime, until

from benchwarden.errors import FencedError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.lease import Lease, LeaseSettings
from benchwarden.kube.resources import LEASES

PATH = LEASES.collection("bench")
SETTINGS = LeaseSettings(duration_seconds=40, renew_seconds=8, retry_seconds=2, margin_seconds=10)


@asynccontextmanager
async def door(api: FakeApi) -> AsyncIterator[KubeClient]:
    async with KubeClient(At(api.url)) as opened:
        yield opened


def lease(client: KubeClient, identity: str, time: SteppedTime) -> Lease:
    return Lease(
        client, "bench", "operator", identity, SETTINGS, clock=time.clock, sleep=time.sleep
    )


def holder(api: FakeApi) -> object:
    return api.objects[PATH, "operator"]["spec"].get("holderIdentity")


async def test_a_free_lease_is_taken_at_once_and_held_short_of_its_duration(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        mine = lease(client, "a", time)
        assert not mine.held()
        with pytest.raises(FencedError):
            mine.check()
        await mine.acquire()
        mine.check()
        assert time.now == 1000
        time.now = 1029.9
        assert mine.held()
        time.now = 1030
        assert not mine.held()
    assert holder(api) == "a"
    assert api.objects[PATH, "operator"]["spec"]["leaseDurationSeconds"] == 40


async def test_a_rival_waits_until_the_record_did_not_change_for_its_duration(
    api: FakeApi,
) -> None:
    time = SteppedTime()
    async with door(api) as client:
        first, second = lease(client, "a", time), lease(client, "b", time)
        await first.acquire()
        await second.acquire()
        assert 1040 < time.now <= 1044
        assert not first.held()
        assert second.held()
    assert holder(api) == "b"
    assert api.objects[PATH, "operator"]["spec"]["leaseTransitions"] == 2


async def test_two_never_hold_it_at_the_same_moment(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        first, second = lease(client, "a", time), lease(client, "b", time)
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        while not waiting.done():
            assert not (first.held() and second.held())
            if time.now < 1100:  # as long as it lives, the first one renews
                await first._try()
            await asyncio.sleep(0.001)
        await waiting
        assert second.held()
        assert not first.held()
        assert time.now >= 1138


async def test_a_lease_that_was_released_is_free_at_once(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        first, second = lease(client, "a", time), lease(client, "b", time)
        await first.acquire()
        await first.release()
        assert not first.held()
        await second.acquire()
    assert time.now == 1000
    assert holder(api) == "b"


async def test_the_same_identity_comes_back_at_once(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        await lease(client, "a", time).acquire()
        await lease(client, "a", time).acquire()
    assert time.now == 1000


async def test_running_renews_and_stopping_releases(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        mine = lease(client, "a", time)
        task = asyncio.create_task(mine.run())
        await until(lambda: time.now > 1200)
        assert mine.held()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task
        assert not mine.held()
    assert holder(api) == ""


async def test_a_lease_taken_by_somebody_else_is_lost_at_once(api: FakeApi) -> None:
    time = SteppedTime()
    lost: list[float] = []
    async with door(api) as client:
        mine = lease(client, "a", time)
        task = asyncio.create_task(mine.run(lambda: lost.append(time.now)))
        await mine.acquired.wait()
        stored = api.objects[PATH, "operator"]
        api.put(PATH, "operator", **{**stored, "spec": {**stored["spec"], "holderIdentity": "b"}})
        await until(lambda: bool(lost))
        assert not mine.held()
        assert lost[0] <= 1010
        # Whoever took it does not renew: it is ours again in the end.
        await until(mine.held)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task


async def test_a_short_outage_of_the_server_costs_nothing(api: FakeApi) -> None:
    time = SteppedTime()
    lost: list[float] = []
    async with door(api) as client:
        mine = lease(client, "a", time)
        task = asyncio.create_task(mine.run(lambda: lost.append(time.now)))
        await mine.acquired.wait()
        api.faults.extend(Fault(403) for _ in range(6))
        await until(lambda: not api.faults)
        await until(lambda: time.now > 1060)
        assert lost == []
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task


async def test_a_long_outage_ends_the_right_to_write_and_is_told(api: FakeApi) -> None:
    time = SteppedTime()
    lost: list[float] = []
    async with door(api) as client:
        mine = lease(client, "a", time)
        task = asyncio.create_task(mine.run(lambda: lost.append(time.now)))
        await mine.acquired.wait()
        api.faults.extend(Fault(403) for _ in range(40))
        await until(lambda: bool(lost))
        assert 1030 <= lost[0] <= 1034
        await until(mine.held)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task
    assert len(lost) == 1


async def test_a_deleted_lease_is_made_anew(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        mine = lease(client, "a", time)
        await mine.acquire()
        api.remove(PATH, "operator")
        assert await mine._try()
    assert holder(api) == "a"


async def test_the_fence_does_not_fence_its_own_lease(api: FakeApi) -> None:
    time = SteppedTime()
    async with door(api) as client:
        mine = lease(client, "a", time)
        client.fence = mine.check
        await mine.acquire()
        assert mine.held()
