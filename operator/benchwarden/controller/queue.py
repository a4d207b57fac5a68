"""A queue of keys: each at most once, never the same key in two hands, and later additions by time."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable


class WorkQueue:
    """Deduplicating queue with delays, as in client-go: what is added while in work comes again after.

    It is no store: whoever is lost here is found again by the next event or resync.

    Attributes:
        waited: told how many seconds a key waited, from the first addition until it was taken; time in
            which an earlier pass over the same key went on counts, for the news had to wait for it.
    """

    def __init__(
        self,
        waited: Callable[[float], None] = lambda _seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.waited = waited
        self._clock = clock
        self._since: dict[str, float] = {}
        self._ready: deque[str] = deque()
        self._queued: set[str] = set()
        self._working: set[str] = set()
        self._again: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: str) -> None:
        """Queue a key now; its timer, if any, is dropped."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._since.setdefault(key, self._clock())
        if key in self._working:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._filled.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Queue a key later; an earlier timer stands."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self.add, key)

    async def take(self) -> str:
        """Wait for a key; hand it back with `done`."""
        while not self._ready:
            self._filled.clear()
            await self._filled.wait()
        key = self._ready.popleft()
        self._queued.discard(key)
        self._working.add(key)
        self.waited(self._clock() - self._since.pop(key, self._clock()))
        return key

    def done(self, key: str) -> None:
        """The key's work is over; it is queued again if something was added meanwhile."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def forget(self, key: str) -> None:
        """Drop a key's timer: its object is gone."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._again.discard(key)
        with contextlib.suppress(ValueError):  # it may not wait
            self._ready.remove(key)
        self._queued.discard(key)
        self._since.pop(key, None)
