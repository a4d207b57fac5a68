"""The work queue: each key once, never in two hands, nothing lost."""

import asyncio

from benchwarden.controller.queue import WorkQueue


async def test_a_key_added_twice_is_taken_once():
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")
    assert await queue.take() == "a"
    assert len(queue) == 0


async def test_a_key_added_while_in_work_comes_again_when_done():
    queue = WorkQueue()
    queue.add("a")
    key = await queue.take()
    queue.add("a")
    assert len(queue) == 0
    queue.done(key)
    assert await queue.take() == "a"


async def test_the_earlier_of_two_timers_stands():
    queue = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add_after("a", 60)
    assert await asyncio.wait_for(queue.take(), 5) == "a"


async def test_adding_now_drops_the_timer():
    queue = WorkQueue()
    queue.add_after("a", 0.01)
    queue.add("a")
    assert await queue.take() == "a"
    queue.done("a")
    await asyncio.sleep(0.02)
    assert len(queue) == 0


async def test_a_forgotten_key_does_not_come_back():
    queue = WorkQueue()
    queue.add("a")
    queue.add_after("b", 0.01)
    queue.forget("a")
    queue.forget("b")
    await asyncio.sleep(0.02)
    assert len(queue) == 0
