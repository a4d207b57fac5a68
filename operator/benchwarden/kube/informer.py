"""A cache that follows one collection of the API server and never gives up on it.

List in pages, then watch from where the list stood. Each object is projected to a small frozen value at
once and the raw JSON dropped. Whatever was missed shows at the next list: changes as changes, and what is
gone as a delete of its own making. Objects are keyed by UID, so an object that was deleted and created anew
under its old name is two objects, never one that changed.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from benchwarden.errors import BenchwardenError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import GoneError, error_of, refusal_of_status
from benchwarden.kube.pace import Backoff
from benchwarden.kube.pruning import Shape

_LOG = logging.getLogger(__name__)

AT_A_TIME = 20  # objects of a list, between looks at what else came in

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class InformerSettings:
    """Times of an informer, in seconds.

    Attributes:
        watch_seconds: how long one watch lasts at most; drawn anew for each between 0.8 of it and it.
        silence_seconds: a watch without a byte for so long is dead; bookmarks come about every minute.
        relist_seconds: everything is listed anew about so often, whatever the watch said.
        first_backoff_seconds, most_backoff_seconds: bounds of the delay after an error.
        patience: failed watches in a row after which the resource version itself is doubted.
    """

    watch_seconds: float = 300.0
    silence_seconds: float = 130.0
    relist_seconds: float = 600.0
    first_backoff_seconds: float = 1.0
    most_backoff_seconds: float = 30.0
    patience: int = 3
    page_size: int = 200  # of pods with all their fields, so that a page stays below ten megabytes


class Listener(Protocol[T_contra]):
    """Who wants to know; called in the event loop, must be quick and must not block."""

    def changed(self, uid: str, old: T_contra | None, new: T_contra | None) -> None:
        """One object appeared (no old), changed, or went (no new)."""
        ...

    def list_began(self) -> None:
        """What is seen from now on may come from a new list."""
        ...

    def list_ended(self) -> None:
        """All that the new list shows, or no longer shows, was reported."""
        ...


class Informer(Generic[T]):
    """Follows one collection; `run` it in a task of its own.

    Attributes:
        cache: what exists, by UID.
        synced: set once the first list is complete.
        relists: complete lists so far.
        errors: failures survived so far.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        labels: str,
        shape: Shape,
        project: Callable[[Mapping[str, Any]], T | None],
        listener: Listener[T],
        settings: InformerSettings | None = None,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._client = client
        self._path = path
        self._labels = labels
        self._shape = shape
        self._project = project
        self._listener = listener
        self._settings = settings or InformerSettings()
        self._rng = rng or random.SystemRandom()
        self._clock: Callable[[], float] = time.monotonic
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._version = ""
        self._heard_at = self._clock()
        self._relist_at = 0.0
        self.cache: dict[str, T] = {}
        self.synced = asyncio.Event()
        self.relists = 0
        self.errors = 0

    @property
    def path(self) -> str:
        """Path of the collection that is followed."""
        return self._path

    def age_seconds(self) -> float:
        """Seconds since the server was last heard of: what a staleness probe asks."""
        return self._clock() - self._heard_at

    async def run(self) -> None:
        """Follow until cancelled; every error is logged, waited out and forgotten."""
        backoff = Backoff(
            self._settings.first_backoff_seconds, self._settings.most_backoff_seconds, self._rng
        )
        while True:
            try:
                if self._relist_is_due(backoff.failures):
                    await self._list()
                if await self._watch():
                    backoff.reset()
                continue
            except GoneError:
                _LOG.info("%s: resource version too old, listing anew", self._path)
                self._version = ""
            except BenchwardenError as error:
                _LOG.warning("%s: %s", self._path, error)
            except Exception:  # noqa: BLE001  # the cache must outlive any surprise
                _LOG.exception("%s: unexpected failure, listing anew", self._path)
                self._version = ""
            self.errors += 1
            if self.age_seconds() < self._settings.first_backoff_seconds:
                backoff.reset()  # it worked until just now
            await self._sleep(backoff.next())

    def _relist_is_due(self, failures: int) -> bool:
        doubted = failures > 0 and failures % self._settings.patience == 0
        return not self._version or doubted or self._clock() >= self._relist_at

    async def _list(self) -> None:
        """Replace the cache by what a complete list shows, reporting the differences."""
        self._version = ""  # a list that stops half-way must be followed by a whole one
        self._listener.list_began()
        fresh: set[str] = set()
        version = ""
        pages = self._client.pages(
            self._path,
            labels=self._labels,
            limit=self._settings.page_size,
            read=self._shape.page,
        )
        async with contextlib.aclosing(pages):
            async for page in pages:
                self._heard_at = self._clock()
                version = _metadata(page).get("resourceVersion") or ""
                fresh |= await self._put_all(page)
                del page  # it is large: let go of it before the next one is read
        for uid in [uid for uid in self.cache if uid not in fresh]:
            self._drop(uid)
        self._version = version
        jitter = self._rng.uniform(0.9, 1.1)
        self._relist_at = self._clock() + self._settings.relist_seconds * jitter
        self.relists += 1
        self._listener.list_ended()
        self.synced.set()

    async def _watch(self) -> bool:
        """Follow one watch to its end; says whether it told anything."""
        lasts = self._settings.watch_seconds * self._rng.uniform(0.8, 1.0)
        lasts = max(1.0, min(lasts, self._relist_at - self._clock()))
        query = {
            "watch": "1",
            "labelSelector": self._labels,
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(round(lasts)),
        }
        heard = False
        began_at = self._clock()
        lines = self._client.lines(
            self._path, query, silence_seconds=self._settings.silence_seconds
        )
        async with contextlib.aclosing(lines):
            async for line in lines:
                self._heard_at = self._clock()
                heard = True
                self._take(line)
        if heard or self._clock() - began_at >= lasts / 2:
            self._heard_at = self._clock()
        else:
            # A proxy that hangs up at once is no sign of life, and must not be asked in a tight loop.
            await self._sleep(self._settings.first_backoff_seconds)
        return heard

    def _take(self, line: bytes) -> None:
        """Take in one line of a watch.

        Raises:
            ApiError: the server ended the watch with an error.
            ValueError: the line makes no sense, so the cache can be trusted no longer.
        """
        event = self._shape.event(line)
        if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
            raise ValueError("a watch line is not an event")  # noqa: TRY004  # data, not code
        kind, found = event.get("type"), event["object"]
        if kind == "ERROR":
            self._version = ""
            raise error_of(refusal_of_status(found), f"WATCH {self._path}")
        if kind in {"ADDED", "MODIFIED"}:
            self._put(found)
        elif kind == "DELETED":
            self._put(found)  # its last words may be new
            self._drop(str(_metadata(found).get("uid") or ""))
        elif kind != "BOOKMARK":
            raise ValueError(f"a watch event of unknown type {kind!r}")
        self._version = _metadata(found).get("resourceVersion") or self._version

    async def _put_all(self, page: Mapping[str, Any]) -> set[str]:
        """Take in the objects of one page, a few at a time: the next page is on its way; returns their UIDs."""
        items = page.get("items")
        fresh: set[str] = set()
        for position, item in enumerate(items if isinstance(items, list) else ()):
            fresh.add(self._put(item))
            if position % AT_A_TIME == 0:
                await asyncio.sleep(0)
        return fresh - {""}

    def _put(self, raw: Mapping[str, Any]) -> str:
        """Project and store one object; returns its UID, or nothing if there is nothing to store."""
        uid = _metadata(raw).get("uid")
        if not isinstance(uid, str) or not uid:
            return ""
        new = self._project(raw)
        if new is None:
            self._drop(uid)
            return ""
        old = self.cache.get(uid)
        if old != new:
            self.cache[uid] = new
            self._report(uid, old, new)
        return uid

    def _drop(self, uid: str) -> None:
        old = self.cache.pop(uid, None)
        if old is not None:
            self._report(uid, old, None)

    def _report(self, uid: str, old: T | None, new: T | None) -> None:
        try:
            self._listener.changed(uid, old, new)
        except Exception:  # noqa: BLE001  # one bad fact must not stop the others
            _LOG.exception("%s: a listener failed", self._path)


def _metadata(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = raw.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
