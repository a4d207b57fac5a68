"""The worker loop of one kind: takes an object from the queue, makes one pass, and comes back when due.

What a pass does is the caller's; here is only what is the same for every kind: one object's fault does not
stop the others, a failure is tried again ever later, and an object that is gone is forgotten.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchwarden.controller.queue import WorkQueue
from benchwarden.errors import BenchwardenError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ForbiddenError, NotFoundError
from benchwarden.kube.lease import Lease
from benchwarden.kube.resources import Resource
from benchwarden.telemetry.instruments import ERROR, REQUEUE, REQUEUE_AFTER, SUCCESS, Instruments

_LOG = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 1.0
MOST_BACKOFF_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lives."""

    namespace: str
    name: str


@dataclass(slots=True)
class Passes:
    """Makes passes over the objects of one kind.

    Attributes:
        title: the kind as metrics and logs call it.
        place: where the object of a UID lives; None once it is forgotten.
        reconcile: one pass; returns the seconds until the next one is due, None to wait for news.
        forget: drops what is known of an object that is gone.
        failed: told of every failure of a pass before it is tried again.
    """

    title: str
    resource: Resource
    client: KubeClient
    lease: Lease
    instruments: Instruments
    place: Callable[[str], Place | None]
    reconcile: Callable[[str], Awaitable[float | None]]
    forget: Callable[[str], None]
    failed: Callable[[str, BenchwardenError], None] = lambda _uid, _error: None
    queue: WorkQueue = field(default_factory=WorkQueue)
    failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the queue say how long objects wait."""
        self.queue.waited = lambda seconds: self.instruments.waited(self.title, seconds)

    async def work(self) -> None:
        """One worker: forever takes an object and makes one pass."""
        while True:
            uid = await self.queue.take()
            began = time.monotonic()
            result = ERROR
            try:
                result = await self.make(uid)
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001  # one object's bug must not stop the others
                _LOG.exception("%s %s: the pass failed", self.title, uid)
                self._again(uid)
            finally:
                self.instruments.reconciled(self.title, result, time.monotonic() - began)
                self.queue.done(uid)

    async def make(self, uid: str) -> str:
        """One pass over one object; returns how it went, in the words of the metric."""
        place = self.place(uid)
        if place is None:
            return self._drop(uid)
        await self.lease.acquired.wait()
        try:
            due_seconds = await self.reconcile(uid)
        except BenchwardenError as error:
            self.failed(uid, error)
            if await self._is_gone(uid, place, error):
                return self._drop(uid)
            _LOG.warning("%s %s/%s: %s", self.title, place.namespace, place.name, error)
            self._again(uid)
            return ERROR
        self.failures.pop(uid, None)
        if due_seconds is None:
            return SUCCESS
        if due_seconds <= 0:
            self.queue.add(uid)
            return REQUEUE
        self.queue.add_after(uid, due_seconds)
        return REQUEUE_AFTER

    async def _is_gone(self, uid: str, place: Place, error: BenchwardenError) -> bool:
        """Whether the error only says that the object, or its namespace, is going."""
        if isinstance(error, ForbiddenError):
            return error.namespace_terminating
        if not isinstance(error, NotFoundError):
            return False
        # A missing object is an error, unless it is the one reconciled that is missing.
        try:
            found = await self.client.get(self.resource, place.namespace, place.name)
        except NotFoundError:
            return True
        except BenchwardenError:
            return False  # not known now; the next pass asks again
        metadata = found["metadata"]
        return str(metadata["uid"]) != uid or bool(metadata.get("deletionTimestamp"))

    def _drop(self, uid: str) -> str:
        self.failures.pop(uid, None)
        self.forget(uid)
        self.queue.forget(uid)
        return SUCCESS

    def _again(self, uid: str) -> None:
        if self.place(uid) is None:
            return
        failures = self.failures[uid] = self.failures.get(uid, 0) + 1
        delay = min(FIRST_BACKOFF_SECONDS * 2 ** min(failures, 10), MOST_BACKOFF_SECONDS)
        self.queue.add_after(uid, delay)
