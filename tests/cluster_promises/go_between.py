"""A go-between to the real API server that can be told to misbehave as overloaded, broken or half-dead ones do.

It speaks plain HTTP on this machine, adds the administrator's certificate, and passes everything on, watches
line by line. What it is told to do wrong holds until it is told otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

Answer = web.StreamResponse | None
# None passes the request on; an answer is given instead.
Mood = Callable[[web.Request], Awaitable[Answer]]
_HOPS = frozenset({"host", "connection", "transfer-encoding", "content-length", "keep-alive"})
_ENCODED = frozenset({"content-encoding"})


async def well(_request: web.Request) -> Answer:
    """Nothing is wrong."""
    return None


def status(code: int, reason: str, message: str = "") -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message or reason,
    }


def watches(request: web.Request) -> bool:
    return request.query.get("watch") in ("1", "true")


def writes(request: web.Request) -> bool:
    """Whether it says something of a run: leases and events are sent whatever happens."""
    quiet = "/leases" in request.path or "/events" in request.path
    return request.method != "GET" and not quiet


class GoBetween:
    """The server; `mood` may be set from the test at any time.

    Attributes:
        off: whether nobody is answered at all; see `cut`.
        frozen: whether open and new watches stay silent.
        seen: requests by (method, answer's code), 0 for those that were dropped.
        gone: watches that the server itself called too old.
        written_at: when the last write of a run was answered with success.
    """

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        self._target = document["clusters"][0]["cluster"]["server"]
        self._tls = _tls(document)
        self._open: list[web.Request] = []
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        # It cancels at its end what still waits: requests that froze are no warning of the tests.
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.mood: Mood = well
        self.frozen = False
        self.seen: Counter[tuple[str, int]] = Counter()
        self.gone = 0
        self.written_at: float | None = None
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the go-between does not start"

    def stop(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def cut(self) -> None:
        """Cut every connection that is open now."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._abort)

    def recovered_after(self, since: float, seconds: float = 120.0) -> float:
        """Seconds from `since` (monotonic) until a run was written again."""
        end = time.monotonic() + seconds
        while self.written_at is None or self.written_at < since:
            assert time.monotonic() < end, f"nothing was written within {seconds} s"
            time.sleep(0.1)
        return self.written_at - since

    def _abort(self) -> None:
        for request in self._open:
            if request.transport is not None:
                request.transport.abort()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self._session = session
            application = web.Application(client_max_size=64 * 2**20)
            application.router.add_route("*", "/{path:.*}", self._handle)
            runner = web.AppRunner(application, shutdown_timeout=0.5, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._ready.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._open.append(request)
        code = 0
        try:
            answer = await self.mood(request) or await self._pass_on(request)
            code = answer.status
            if writes(request) and 200 <= code < 300:
                self.written_at = time.monotonic()
            return answer
        finally:
            self._open = [each for each in self._open if each is not request]
            self.seen[request.method, code] += 1

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOPS}
        sent = self._session.request(
            request.method,
            self._target + request.path_qs,
            headers=headers,
            data=await request.read() or None,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        async with sent as found:
            kept = {k: v for k, v in found.headers.items() if k.lower() not in _HOPS}
            if not watches(request):
                return web.Response(status=found.status, headers=kept, body=await found.read())
            answer = web.StreamResponse(status=found.status, headers=kept)
            await answer.prepare(request)
            async for chunk in found.content.iter_any():
                self.gone += b'"code":410' in chunk
                while self.frozen:  # noqa: ASYNC110  # it is set by another thread
                    await asyncio.sleep(0.1)
                await answer.write(chunk)
            return answer

    async def carried_out(self, request: web.Request) -> None:
        """Do what is asked and lose the answer."""
        await self._pass_on(request)
        drop(request)


def drop(request: web.Request) -> None:
    """Cut the connection of a request."""
    if request.transport is not None:
        request.transport.abort()


def _tls(document: dict[str, Any]) -> ssl.SSLContext:
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile(suffix=".pem") as pair:
        pair.write(base64.b64decode(user["client-certificate-data"]))
        pair.write(base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return context


@contextmanager
def a_go_between(kubeconfig: Path, folder: Path) -> Iterator[tuple[GoBetween, Path]]:
    """A running go-between, and the kubeconfig that leads to it."""
    between = GoBetween(kubeconfig)
    between.start()
    try:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": between.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path = folder / "through-the-go-between"
        path.write_text(json.dumps(config))
        yield between, path
    finally:
        between.stop()
