"""What the informer's tests share: a listener that remembers, and an informer on the fake API server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import TypeAdapter
from tests.contract.fake_api import At, FakeApi
from tests.contract.waiting import until

from benchwarden.kube.client import KubeClient
from benchwarden.kube.informer import Informer, InformerSettings
from benchwarden.kube.pruning import Shape
from benchwarden.kube.resources import PODS
from benchwarden.kube.session import ClientSettings

PATH = PODS.collection("bench")
LABELS = "mine=yes"
WHOLE = Shape(TypeAdapter(Any), TypeAdapter(Any))
QUICK = InformerSettings(
    watch_seconds=30,
    silence_seconds=30,
    first_backoff_seconds=0.005,
    most_backoff_seconds=0.02,
    page_size=3,
)
MINE = {"labels": {"mine": "yes"}}


class Heard:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str | None, str | None]] = []
        self.known: dict[str, str] = {}
        self.lists = 0
        self.fails = False

    def changed(self, uid: str, old: str | None, new: str | None) -> None:
        assert self.known.get(uid) == old
        self.changes.append((uid, old, new))
        if new is None:
            del self.known[uid]
        else:
            self.known[uid] = new
        if self.fails:
            raise RuntimeError("a bug in the listener")

    def list_began(self) -> None: ...

    def list_ended(self) -> None:
        self.lists += 1


def phase(raw: Mapping[str, Any]) -> str | None:
    found = raw.get("phase")
    return str(found) if found else None


@asynccontextmanager
async def informing(
    api: FakeApi, options: InformerSettings = QUICK, project: Callable[..., str | None] = phase
) -> AsyncIterator[tuple[Informer[str], Heard]]:
    heard = Heard()
    # Tests run many requests a second; pacing has tests of its own.
    pace = ClientSettings(per_second=10_000, burst=1000, first_backoff_seconds=0.005)
    async with KubeClient(At(api.url), pace) as door:
        informer = Informer(door, PATH, LABELS, WHOLE, project, heard, options)
        task = asyncio.create_task(informer.run())
        try:
            yield informer, heard
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # by the line above
                await task


def truth(api: FakeApi) -> dict[str, str]:
    return {
        uid: found["phase"]
        for uid, found in api.state(PATH).items()
        if (found["metadata"].get("labels") or {}).get("mine") == "yes" and found.get("phase")
    }


async def agrees(api: FakeApi, informer: Informer[str]) -> None:
    await until(lambda: informer.cache == truth(api))


async def watching(api: FakeApi) -> None:
    await until(lambda: len(api.watches) == 1)


def pod(api: FakeApi, name: str, found: str = "Pending") -> None:
    api.put(PATH, name, phase=found, metadata=MINE)
