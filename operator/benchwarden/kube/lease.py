"""The fence: whoever holds the Lease may write, and knows by its own clock alone when it no longer may.

Nobody's wall clock is compared with anybody else's. A rival counts as dead when its record has not changed
for the lease's duration on *our* monotonic clock; we count as dead a safety margin before that on ours.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchwarden.errors import BenchwardenError, FencedError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ApiConflictError, NotFoundError
from benchwarden.kube.resources import LEASES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Times of a lease, in seconds; a write must end within `margin_seconds` after it was allowed.

    The duration must outlast an API server's restart, or each restart would end the holder's work.
    """

    duration_seconds: int = 40
    renew_seconds: float = 8.0
    retry_seconds: float = 2.0
    margin_seconds: float = 10.0


class Lease:
    """One Lease object as a fence around writes.

    Attributes:
        acquired: set while the lease is believed to be held.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        identity: str,
        settings: LeaseSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._settings = settings or LeaseSettings()
        self._clock = clock
        self._sleep = sleep
        self._found: dict[str, Any] = {}
        self._rival: tuple[Any, ...] = ()
        self._rival_seen_at = 0.0
        self._good_until = float("-inf")
        self.acquired = asyncio.Event()

    def held(self) -> bool:
        """Whether a write may begin now, by the local clock and without asking anybody."""
        return self._clock() < self._good_until

    def check(self) -> None:
        """Raise FencedError unless a write may begin now."""
        if not self.held():
            raise FencedError(f"lease {self._namespace}/{self._name} is not held")

    async def run(self, on_lost: Callable[[], None] | None = None) -> None:
        """Acquire, renew, and acquire again after a loss, until cancelled; then release.

        Args:
            on_lost: called each time a lease that was held is held no longer.
        """
        try:
            while True:
                await self.acquire()
                await self._renew_until_lost()
                if on_lost is not None:
                    on_lost()
        finally:
            # A second cancellation must not leave the successor waiting for the whole duration.
            await asyncio.shield(self.release())

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        while not await self._try():
            await self._sleep(self._settings.retry_seconds)
        _LOG.info("lease %s/%s acquired by %s", self._namespace, self._name, self._identity)

    async def release(self) -> None:
        """Give the lease up at once, if it is ours, so that a successor need not wait."""
        held, self._good_until = self._good_until != float("-inf"), float("-inf")
        self.acquired.clear()
        found, self._found = self._found, {}
        if not held:
            return
        with contextlib.suppress(BenchwardenError):  # a courtesy: it runs out by itself
            try:
                await self._give_up(found or await self._read())
            except ApiConflictError:
                # A renewal that was cancelled on its way may have been written all the same.
                await self._give_up(await self._read())

    async def _give_up(self, found: dict[str, Any]) -> None:
        spec = _spec_of(found)
        if spec.get("holderIdentity") == self._identity:
            free = {**spec, "holderIdentity": "", "leaseDurationSeconds": 1}
            await self._ask("PUT", {**found, "spec": free})

    async def _renew_until_lost(self) -> None:
        delay = self._settings.renew_seconds
        while True:
            await self._sleep(delay)
            renewed = await self._try()
            delay = self._settings.renew_seconds if renewed else self._settings.retry_seconds
            if not renewed and (not self.held() or self._rival):
                self._good_until = float("-inf")
                self.acquired.clear()
                _LOG.error("lease %s/%s was lost", self._namespace, self._name)
                return

    async def _try(self) -> bool:
        """Take or renew the lease once; False if somebody else has it or nobody can be asked."""
        for _ in range(
            2
        ):  # a conflict says that the record is not what we remember: look once more
            asked_at = self._clock()
            try:
                self._found = self._found or await self._read()
                if not self._may_take(self._found, asked_at):
                    self._found = {}
                    return False
                self._found = await self._ask("PUT", self._mine(self._found))
            except (ApiConflictError, NotFoundError):
                self._found = {}
                continue
            except BenchwardenError as error:
                _LOG.warning("lease %s/%s: %s", self._namespace, self._name, error)
                self._found = {}
                return False
            self._rival = ()
            # Counted from before the request: the server's time of writing is later, never earlier.
            lasts = self._settings.duration_seconds - self._settings.margin_seconds
            self._good_until = asked_at + lasts
            self.acquired.set()
            return True
        return False

    async def _read(self) -> dict[str, Any]:
        with contextlib.suppress(NotFoundError):  # made below
            return await self._ask("GET")
        manifest = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {},
        }
        return await self._ask("POST", manifest)

    async def _ask(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        collection = LEASES.collection(self._namespace)
        path = collection if method == "POST" else LEASES.item(self._namespace, self._name)
        deadline = self._settings.margin_seconds / 2
        return await self._client.request(
            method, path, body=body, urgent=True, deadline_seconds=deadline
        )

    def _may_take(self, found: dict[str, Any], now: float) -> bool:
        spec = _spec_of(found)
        holder = spec.get("holderIdentity") or ""
        if holder in {"", self._identity}:
            return True
        record = (holder, spec.get("renewTime"), spec.get("leaseTransitions"))
        if record != self._rival:
            self._rival, self._rival_seen_at = record, now
            return False
        duration = spec.get("leaseDurationSeconds")
        patience = duration if isinstance(duration, int) else self._settings.duration_seconds
        return now - self._rival_seen_at > patience

    def _mine(self, found: dict[str, Any]) -> dict[str, Any]:
        """The record as it reads with us as its holder from now on."""
        spec = _spec_of(found)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = spec.get("holderIdentity") == self._identity
        transitions = spec.get("leaseTransitions")
        before = transitions if isinstance(transitions, int) else 0
        wanted = {
            **spec,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._settings.duration_seconds,
            "renewTime": now,
            "acquireTime": spec.get("acquireTime") if mine else now,
            "leaseTransitions": before if mine else before + 1,
        }
        return {**found, "spec": wanted}


def _spec_of(found: dict[str, Any]) -> dict[str, Any]:
    spec = found.get("spec")
    return spec if isinstance(spec, dict) else {}
