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


async def test_the_wait_of_a_key_counts_from_its_first_addition():
    waits, now = [], [100.0]
    queue = WorkQueue(waits.append, lambda: now[0])
    queue.add("a")
    now[0] += 2
    queue.add("a")
    now[0] += 1
    await queue.take()
    assert waits == [3.0]


async def test_news_that_come_during_a_pass_wait_for_its_end():
    waits, now = [], [100.0]
    queue = WorkQueue(waits.append, lambda: now[0])
    queue.add("a")
    key = await queue.take()
    queue.add("a")
    now[0] += 5
    queue.done(key)
    await queue.take()
    assert waits == [0.0, 5.0]


async def test_a_key_that_was_forgotten_waited_for_nothing():
    waits, now = [], [100.0]
    queue = WorkQueue(waits.append, lambda: now[0])
    queue.add("a")
    queue.forget("a")
    now[0] += 60
    queue.add("a")
    await queue.take()
    assert waits == [0.0]
