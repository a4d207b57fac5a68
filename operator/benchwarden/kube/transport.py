"""One HTTP exchange with the API server: session, credentials, timeouts; no retries and no opinion."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from benchwarden.errors import UnavailableError
from benchwarden.kube.clock import ServerClock, http_date
from benchwarden.kube.errors import Refusal, error_of, refusal
from benchwarden.kube.pace import retry_after_seconds

JSON = "application/json"
STREAM_PROTOCOL = "v4.channel.k8s.io"
CONNECT_SECONDS = 10.0
MAX_LINE_BYTES = 16 * 1024 * 1024
NO_ANSWER = "error"  # the code that counts exchanges without an HTTP answer

# What a lost, refused, reset or silent connection raises.
CONNECTION_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


class Credentials(Protocol):
    """Where a configuration comes from, as often as it is asked for."""

    async def load(self) -> Configuration:
        """Read the credentials as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that is ready to be sent."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON

    @property
    def target(self) -> str:
        """Path with query."""
        asked = {key: value for key, value in self.query.items() if value}
        return f"{self.path}?{urlencode(asked)}" if asked else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    code: int
    body: bytes
    retry_after_seconds: float | None = None

    @property
    def refusal(self) -> Refusal:
        """The answer read as a refusal."""
        return refusal(self.code, self.body, self.retry_after_seconds)


class Transport:
    """Sends exchanges over one session and renews its credentials when asked to.

    Attributes:
        codes: exchanges counted by (code, method).
        server_clock: the time at the API server, learnt from its answers.
        generation: how often the credentials were read.
    """

    def __init__(self, credentials: Credentials, user_agent: str) -> None:
        self._credentials = credentials
        self._user_agent = user_agent
        self._configuration: Configuration | None = None
        self._rest: RESTClientObject | None = None
        self._lock = asyncio.Lock()
        self._closed = False
        self.generation = 0
        self.codes: Counter[tuple[str, str]] = Counter()
        self.server_clock = ServerClock()

    async def renew(self, generation: int) -> None:
        """Read the credentials anew, unless somebody did since `generation`.

        Requests in flight on the old session fail and are tried again: credentials are renewed only
        after the server refused them.
        """
        async with self._lock:
            if self._closed:
                raise UnavailableError("the client is closed")
            if self.generation != generation:
                return
            configuration = await self._credentials.load()
            old, self._rest = self._rest, RESTClientObject(configuration)
            self._configuration = configuration
            self.generation += 1
            if old is not None:
                await old.close()

    async def close(self) -> None:
        """Close the session for good: a task that outlives it must not open another."""
        self._closed = True
        if self._rest is not None:
            await self._rest.close()
            self._rest = None

    async def send(self, exchange: Exchange, timeout_seconds: float) -> Answer:
        """Send and read the whole answer.

        Raises:
            one of CONNECTION_ERRORS.
        """
        limits = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
        async with self._open(exchange, limits) as response:
            body = await response.read()
            return Answer(response.status, body, self._retry_after(response))

    async def lines(
        self, exchange: Exchange, silence_seconds: float
    ) -> AsyncGenerator[bytes, None]:
        """Send and yield the answer line by line for as long as it lasts.

        A last line without its line feed was cut on its way and is dropped.

        Args:
            exchange: what to ask.
            silence_seconds: a stream without a byte for so long counts as dead.

        Raises:
            ApiError: the server refused.
            one of CONNECTION_ERRORS.
        """
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=silence_seconds
        )
        async with self._open(exchange, limits) as response:
            if response.status != 200:
                answer = Answer(response.status, await response.read(), self._retry_after(response))
                raise error_of(answer.refusal, str(exchange))
            pending = bytearray()
            async for chunk in response.content.iter_any():
                pending += chunk
                if b"\n" not in chunk and len(pending) <= MAX_LINE_BYTES:
                    continue
                *complete, rest = pending.split(b"\n")
                for line in complete:
                    yield bytes(line)
                pending = rest
                if len(pending) > MAX_LINE_BYTES:
                    raise error_of(Refusal(0, "LineTooLong"), str(exchange))

    async def frames(self, target: str, silence_seconds: float) -> AsyncGenerator[bytes, None]:
        """Open a stream of a pod (exec, as kubectl does) and yield its binary messages until it ends.

        Args:
            target: path with query.
            silence_seconds: a stream without a message for so long counts as dead.

        Raises:
            ApiError: the server refused.
            one of CONNECTION_ERRORS.
        """
        if self._rest is None or self._rest.pool_manager is None:
            await self.send(Exchange("GET", "/version"), CONNECT_SECONDS)
        assert self._rest is not None  # noqa: S101  # the exchange made both
        assert self._rest.pool_manager is not None  # noqa: S101  # the same
        assert self._configuration is not None  # noqa: S101  # the same
        settings: Mapping[str, Any] = await self._configuration.auth_settings()
        headers = {each["key"]: each["value"] for each in settings.values()}
        try:
            opened = self._rest.pool_manager.ws_connect(
                self._configuration.host + target,
                headers=headers,
                protocols=(STREAM_PROTOCOL,),
                timeout=aiohttp.ClientWSTimeout(ws_receive=silence_seconds),
                max_msg_size=0,
            )
            async with opened as stream:
                async for message in stream:
                    if message.type is aiohttp.WSMsgType.BINARY:
                        yield message.data
        except aiohttp.WSServerHandshakeError as error:
            raise error_of(Refusal(error.status, message=error.message), target) from error

    @contextlib.asynccontextmanager
    async def _open(
        self, exchange: Exchange, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._rest is None:
            await self.renew(self.generation)
        assert self._rest is not None  # noqa: S101  # renew made it
        assert self._configuration is not None  # noqa: S101  # for the type checker: opened above
        headers = {
            "Accept": JSON,
            # Packing thousands of objects costs both ends more time than a cluster's network saves.
            "Accept-Encoding": "identity",
            "Content-Type": exchange.content_type,
            "User-Agent": self._user_agent,
        }
        settings: Mapping[str, Any] = await self._configuration.auth_settings()
        for setting in settings.values():
            headers[setting["key"]] = setting["value"]
        asked_at = self.server_clock.monotonic()
        try:
            opened = await self._rest.request(  # type: ignore[no-untyped-call]  # the client has no types
                exchange.method,
                self._configuration.host + exchange.target,
                headers=headers,
                body=exchange.body,
                _request_timeout=limits,
            )
        except CONNECTION_ERRORS:
            self.codes[NO_ANSWER, exchange.method] += 1
            raise
        response: aiohttp.ClientResponse = opened.response
        self.codes[str(response.status), exchange.method] += 1
        self.server_clock.heard(response.headers.get("Date"), asked_at)
        try:
            yield response
        finally:
            response.close()  # gives a fully read connection back, drops any other

    def _retry_after(self, response: aiohttp.ClientResponse) -> float | None:
        # A moment is one of the server's clock, which the same answer shows.
        now = http_date(response.headers.get("Date")) or self.server_clock.now()
        return retry_after_seconds(response.headers.get("Retry-After"), now)
