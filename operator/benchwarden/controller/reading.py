"""Whose suite is read now: a few at a time, and of one namespace fewer than there are threads.

A suite takes many times its size while it is read, and after a start all runs want theirs at the same time. A
source may also take minutes to fail; then the runs of its own namespace wait for it. Those of others wait only
while two namespaces hang at once.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

IN_ALL = 4
OF_A_NAMESPACE = 2


class Readers(Generic[T]):
    """Reads in threads of its own: a source that does not answer must not keep results from being packed."""

    def __init__(self, in_all: int = IN_ALL, of_a_namespace: int = OF_A_NAMESPACE) -> None:
        self._threads = ThreadPoolExecutor(in_all, thread_name_prefix="suite")
        self._of_a_namespace = of_a_namespace
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._reading: set[asyncio.Task[T]] = set()

    async def read(self, namespace: str, load: Callable[[], T]) -> T:
        """What the blocking `load` returns, when it is the namespace's turn.

        Whoever is cancelled waits no longer, but a thread that has begun keeps its turn until it is done:
        runs that are created and deleted in a row take no more threads than those that stay.
        """
        turn = self._turns.get(namespace)
        if turn is None:
            turn = self._turns[namespace] = asyncio.Semaphore(self._of_a_namespace)
        await turn.acquire()
        task = asyncio.create_task(self._in_thread(turn, load), name=f"suite of {namespace}")
        self._reading.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def _in_thread(self, turn: asyncio.Semaphore, load: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, load)
        finally:
            turn.release()

    def _done(self, task: asyncio.Task[T]) -> None:
        self._reading.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may be gone: then nobody else looks
