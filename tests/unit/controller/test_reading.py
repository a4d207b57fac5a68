"""Suites are read a few at a time, and a namespace whose sources hang keeps no other waiting."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from benchwarden.controller.reading import Readers


class Sources:
    """Suites whose source hangs until it is let go, with the number of those that are being read."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let_go = threading.Event()
        self._one_more = threading.Semaphore(0)

    def hangs(self, name: str) -> Callable[[], str]:
        def load() -> str:
            self.begun.append(name)
            self._one_more.release()
            assert self.let_go.wait(30)
            return name

        return load

    async def have_begun(self, more: int) -> None:
        """Wait until so many more are being read."""
        for _ in range(more):
            assert await asyncio.to_thread(self._one_more.acquire, timeout=30)


@pytest.fixture
async def sources() -> AsyncIterator[Sources]:
    found = Sources()
    yield found
    found.let_go.set()


async def test_another_namespace_reads_while_all_sources_of_one_hang(sources: Sources):
    readers = Readers[str](in_all=4, of_a_namespace=2)
    hanging = [asyncio.create_task(readers.read("theirs", sources.hangs(str(n)))) for n in range(9)]
    await sources.have_begun(2)
    assert await asyncio.wait_for(readers.read("ours", lambda: "ours"), 30) == "ours"
    assert len(sources.begun) == 2
    sources.let_go.set()
    assert await asyncio.gather(*hanging) == [str(n) for n in range(9)]


async def test_runs_that_come_and_go_hold_no_more_threads_than_those_that_stay(sources: Sources):
    readers = Readers[str](in_all=4, of_a_namespace=2)
    for number in range(6):
        task = asyncio.create_task(readers.read("theirs", sources.hangs(str(number))))
        await (sources.have_begun(1) if number < 2 else asyncio.sleep(0))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.wait_for(readers.read("ours", lambda: "ours"), 30) == "ours"
    assert sources.begun == ["0", "1"]
    sources.let_go.set()
    assert await asyncio.wait_for(readers.read("theirs", lambda: "last"), 30) == "last"


async def test_what_goes_wrong_in_the_thread_is_told_and_the_turn_given_back():
    readers = Readers[str](in_all=1, of_a_namespace=1)

    def fails() -> str:
        raise ValueError("no suite")

    for _ in range(3):
        with pytest.raises(ValueError, match="no suite"):
            await readers.read("ours", fails)
    assert await readers.read("ours", lambda: "read") == "read"
