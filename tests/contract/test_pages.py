"""Lists in pages: in turn, the next one on its way, and nothing left behind by who reads no further."""

import asyncio
import contextlib
import gc

import pytest
from tests.contract.door import PATH, client, config_map
from tests.contract.fake_api import FakeApi, Fault
from tests.contract.waiting import SteppedTime, until


async def test_only_the_first_page_of_a_list_takes_a_turn(api: FakeApi) -> None:
    time = SteppedTime()
    for number in range(50):
        api.put(PATH, f"a{number}", **config_map(f"a{number}"))
    async with client(api, time, per_second=10, burst=5) as door:
        found = [page async for page in door.pages(PATH, limit=2)]
        assert sum(len(page["items"]) for page in found) == 50
        assert time.now == pytest.approx(1000.0)
        assert door.stats().paced_seconds == 0


async def test_the_next_page_is_on_its_way_while_one_is_read(api: FakeApi) -> None:
    for number in range(6):
        api.put(PATH, f"a{number}", **config_map(f"a{number}"))
    async with client(api) as door, contextlib.aclosing(door.pages(PATH, limit=2)) as pages:
        await anext(pages)
        await until(lambda: len(api.asked_of("GET")) == 2)
        await anext(pages)
        await until(lambda: len(api.asked_of("GET")) == 3)
        assert len((await anext(pages))["items"]) == 2
        assert [page async for page in pages] == []
        assert len(api.asked_of("GET")) == 3


async def test_a_list_that_is_given_up_leaves_no_request_behind(api: FakeApi) -> None:
    for number in range(6):
        api.put(PATH, f"a{number}", **config_map(f"a{number}"))
    async with client(api) as door:
        async with contextlib.aclosing(door.pages(PATH, limit=2)) as pages:
            await anext(pages)
        left = [repr(task.get_coro()) for task in asyncio.all_tasks()]
    assert [each for each in left if "Session.request" in each] == []


async def test_a_refused_page_that_nobody_reads_is_no_noise(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(6):
        api.put(PATH, f"a{number}", **config_map(f"a{number}"))
    api.faults.append(Fault(410, matches=lambda asked: bool(asked.query.get("continue"))))
    async with client(api) as door:
        async with contextlib.aclosing(door.pages(PATH, limit=2)) as pages:
            await anext(pages)
            await until(lambda: ("410", "GET") in door.stats().requests)
            await asyncio.sleep(0.01)  # until the request has made an error of it
        gc.collect()
    assert caplog.text == ""
