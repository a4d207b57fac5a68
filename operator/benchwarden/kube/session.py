"""Requests that are paced, patient within a deadline, and typed in their refusals; `client` adds the verbs.

Every verb is retried on 429, 5xx and lost connections, creates included: names are derived from what an
object is for, so a create that did happen answers 409 the second time, and callers adopt what is theirs.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pydantic_core import from_json

from benchwarden import __version__
from benchwarden.kube.access import Access
from benchwarden.kube.clock import ServerClock
from benchwarden.kube.errors import ApiUnavailableError, Refusal, UnauthorizedError, error_of
from benchwarden.kube.pace import Backoff, TokenBucket
from benchwarden.kube.transport import (
    CONNECTION_ERRORS,
    JSON,
    Answer,
    Credentials,
    Exchange,
    Transport,
)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How hard the client may push, and how long it tries.

    Attributes:
        per_second: requests a second on average.
        burst: requests at once.
        deadline_seconds: a request that found no good answer by then raises ApiUnavailableError.
        attempt_seconds: an exchange that takes longer counts as lost.
        write_seconds: the same for exchanges that write; no more than the margin of the lease.
    """

    per_second: float = 20.0
    burst: int = 40
    deadline_seconds: float = 60.0
    attempt_seconds: float = 20.0
    write_seconds: float = 10.0
    first_backoff_seconds: float = 0.25


@dataclass(frozen=True, slots=True)
class ClientStats:
    """What the client did so far, for telemetry.

    Attributes:
        requests: exchanges by (code, method); code `error` means no HTTP answer.
        retries: exchanges that were repeats.
        paced_seconds: time requests waited for their turn.
    """

    requests: Mapping[tuple[str, str], int]
    retries: int
    paced_seconds: float


class Session:
    """Paced and patient exchanges with one API server; an async context manager."""

    def __init__(
        self,
        credentials: Credentials | None = None,
        settings: ClientSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings or ClientSettings()
        self._transport = Transport(credentials or Access(), f"benchwarden/{__version__}")
        self._clock = clock
        self._sleep = sleep
        self._bucket = TokenBucket(
            self._settings.per_second, self._settings.burst, clock=clock, sleep=sleep
        )
        self._retries = 0
        # Called before each exchange that writes, repeats included; raises if we may not (see `lease`).
        self.fence: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        """Open nothing yet: the first request does."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        await self._transport.close()

    @property
    def server_clock(self) -> ServerClock:
        """The time at the API server, learnt from its answers."""
        return self._transport.server_clock

    def stats(self) -> ClientStats:
        """Counters as they are now."""
        return ClientStats(dict(self._transport.codes), self._retries, self._bucket.waited_seconds)

    async def request(  # noqa: PLR0913  # each is a property of one request, and has a default
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        deadline_seconds: float | None = None,
        urgent: bool = False,
        paced: bool = True,
        read: Callable[[bytes], Any] = from_json,
    ) -> dict[str, Any]:
        """Ask, and ask again while the server is busy or away, until the deadline.

        Args:
            method: HTTP verb.
            path: path below the server's address.
            query: parameters; empty ones are left out.
            body: anything that `json` can write.
            content_type: media type of the body.
            deadline_seconds: from the first exchange on; the wait for a turn is not counted.
            urgent: wait for no turn and ask no fence: for what the fence itself has to write.
            paced: wait for a turn; repeats always do.
            read: makes an object of the answer's JSON, or raises ValueError.

        Raises:
            FencedError: the fence forbids the write.
            ApiUnavailableError: no good answer by the deadline.
            ApiError: a refusal that asking again would not change.
        """
        exchange = Exchange(method, path, query or {}, body, content_type)
        patience = self._settings.deadline_seconds if deadline_seconds is None else deadline_seconds
        backoff = Backoff(first_seconds=self._settings.first_backoff_seconds)
        if paced and not urgent:
            await self._bucket.take()
        give_up_at = self._clock() + patience
        renewed = False
        while True:
            if self.fence is not None and method != "GET" and not urgent:
                self.fence()
            generation = self._transport.generation
            answer = await self._exchange(exchange, give_up_at, read)
            if isinstance(answer, dict):
                return answer
            if answer.code == 401 and not renewed:
                renewed = True
                await self._transport.renew(generation)
                continue
            if not _worth_repeating(method, answer):
                raise error_of(answer, str(exchange))
            wait = (answer.retry_after_seconds or 0.0) + backoff.next()
            if self._clock() + wait >= give_up_at:
                raise ApiUnavailableError(answer, str(exchange))
            if answer.code == 429 and answer.retry_after_seconds:
                self._bucket.pause(answer.retry_after_seconds)
            _LOG.debug("%s: %s %s, again in %.1f s", exchange, answer.code, answer.reason, wait)
            self._retries += 1
            await self._sleep(wait)
            if not urgent:
                await self._bucket.take()

    async def _exchange(
        self, exchange: Exchange, give_up_at: float, read: Callable[[bytes], Any]
    ) -> dict[str, Any] | Refusal:
        """One exchange: the object that the server sent, or why there is none."""
        settings = self._settings
        limit = settings.attempt_seconds if exchange.method == "GET" else settings.write_seconds
        patience = min(limit, max(give_up_at - self._clock(), 0.05))
        try:
            answer = await self._transport.send(exchange, patience)
        except CONNECTION_ERRORS as error:
            return Refusal(0, reason=type(error).__name__, message=str(error))
        return _object_of(answer, read) if 200 <= answer.code < 300 else answer.refusal

    async def lines(
        self, path: str, query: Mapping[str, str], *, silence_seconds: float
    ) -> AsyncGenerator[bytes, None]:
        """Stream the lines of one watch; ends when the server ends it. The caller tries again.

        Raises:
            GoneError: the resource version is too old.
            ApiUnavailableError: the connection was lost, or silent for `silence_seconds`.
            ApiError: any other refusal.
        """
        exchange = Exchange("GET", path, query)
        await self._bucket.take()
        generation = self._transport.generation
        try:
            async with contextlib.aclosing(
                self._transport.lines(exchange, silence_seconds)
            ) as lines:
                async for line in lines:
                    yield line
        except UnauthorizedError:
            await self._transport.renew(generation)
            raise
        except CONNECTION_ERRORS as error:
            lost = Refusal(0, reason=type(error).__name__, message=str(error))
            raise ApiUnavailableError(lost, str(exchange)) from error

    async def frames(self, path: str, query: str) -> AsyncGenerator[bytes, None]:
        """Stream the messages of one exec; ends when the command does. Tried once.

        Raises:
            ApiUnavailableError: the connection was lost or silent.
            ApiError: any other refusal.
        """
        await self._bucket.take()
        target = f"{path}?{query}"
        try:
            async with contextlib.aclosing(
                self._transport.frames(target, self._settings.deadline_seconds)
            ) as frames:
                async for frame in frames:
                    yield frame
        except CONNECTION_ERRORS as error:
            lost = Refusal(0, reason=type(error).__name__, message=str(error))
            raise ApiUnavailableError(lost, path) from error


def _worth_repeating(method: str, refused: Refusal) -> bool:
    """Whether the same request may find a better answer a moment later."""
    if refused.code in {0, 429} or refused.code >= 500:
        return True
    # A create that lost a race for the namespace's quota object: nothing was created.
    return method == "POST" and refused.code == 409 and refused.reason == "Conflict"


def _object_of(answer: Answer, read: Callable[[bytes], Any]) -> dict[str, Any] | Refusal:
    try:
        found = read(answer.body)
    except ValueError as error:
        return Refusal(0, reason="UnreadableAnswer", message=str(error))
    return found if isinstance(found, dict) else Refusal(0, reason="UnreadableAnswer")
