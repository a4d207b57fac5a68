"""A small API server with the real one's rules for lists, watches and conflicts, and with faults on demand."""

import asyncio
import copy
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from kubernetes.aio.client.configuration import Configuration

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") == "1"


@dataclass
class Fault:
    """What happens instead of an answer, once, to the first request that `matches`."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drop: bool = False
    late: bool = False  # the request is carried out first; only its answer is lost
    matches: Callable[[Asked], bool] = lambda asked: True


def status_object(code: int, reason: str, message: str = "", causes: tuple[str, ...] = ()) -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message or reason,
        "details": {"causes": [{"reason": cause} for cause in causes]},
    }


@dataclass(eq=False)
class Watch:
    """One open watch."""

    path: str
    labels: str
    lines: asyncio.Queue[bytes | None]
    request: web.Request


class FakeApi:
    """Objects by collection path and name, one revision counter, and a history to watch from."""

    def __init__(self) -> None:
        self.revision = 100
        self.compacted = 0
        self.objects: dict[tuple[str, str], Json] = {}
        self.history: list[tuple[int, str, str, Json]] = []
        self.snapshots: dict[str, tuple[list[Json], int]] = {}
        self.asked: list[Asked] = []
        self.faults: deque[Fault] = deque()
        self.watches: set[Watch] = set()
        self.frozen = False
        self.gone_in_stream = False
        self.url = ""
        self.tokens: set[str] | None = None
        self._uids = 0

    # What a test does behind the client's back.

    def put(self, path: str, name: str, **content: Any) -> Json:
        """Create or change an object."""
        old = self.objects.get((path, name))
        self.revision += 1
        metadata = dict(content.pop("metadata", {}))
        self._uids += old is None
        metadata["uid"] = (
            old["metadata"]["uid"] if old else metadata.get("uid", f"uid-{self._uids}")
        )
        metadata["name"], metadata["resourceVersion"] = name, str(self.revision)
        if "labels" not in metadata and old:
            metadata["labels"] = old["metadata"].get("labels", {})
        stored = {**content, "metadata": metadata}
        self.objects[path, name] = stored
        self._happened("MODIFIED" if old else "ADDED", path, stored)
        return stored

    def remove(self, path: str, name: str) -> None:
        """Delete an object."""
        self.revision += 1
        stored = copy.deepcopy(self.objects.pop((path, name)))
        stored["metadata"]["resourceVersion"] = str(self.revision)
        self._happened("DELETED", path, stored)

    def compact(self) -> None:
        """Forget all history and all continue tokens."""
        self.compacted = self.revision
        self.history.clear()
        self.snapshots.clear()

    def drop_watches(self) -> None:
        """Cut the connection of every open watch."""
        for watch in list(self.watches):
            if watch.request.transport is not None:
                watch.request.transport.abort()
            watch.lines.put_nowait(None)
        self.watches.clear()

    def send(self, line: bytes) -> None:
        """Put a line into every open watch."""
        for watch in self.watches:
            watch.lines.put_nowait(line)

    def send_event(self, kind: str, found: Json) -> None:
        """Put an event into every open watch."""
        self.send(json.dumps({"type": kind, "object": found}).encode() + b"\n")

    def state(self, path: str) -> dict[str, Json]:
        """What exists in a collection, by UID."""
        return {
            found["metadata"]["uid"]: found
            for (place, _), found in self.objects.items()
            if place == path
        }

    def asked_of(self, method: str, *, watch: bool = False) -> list[Asked]:
        return [each for each in self.asked if each.method == method and each.is_watch is watch]

    # The server.

    def _happened(self, kind: str, path: str, stored: Json) -> None:
        self.history.append((self.revision, kind, path, copy.deepcopy(stored)))
        if self.frozen:
            return
        line = json.dumps({"type": kind, "object": stored}).encode() + b"\n"
        for watch in self.watches:
            if watch.path == path and selected(stored, watch.labels):
                watch.lines.put_nowait(line)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            {key.lower(): value for key, value in request.headers.items()},
            json.loads(text) if text else None,
        )
        self.asked.append(asked)
        fault = next((each for each in self.faults if each.matches(asked)), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.late:
                self._answer(asked)
            if fault.drop:
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=fault.status, headers=fault.headers, body=fault.body)
        if self.tokens is not None:
            token = asked.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.tokens:
                return refuse(401, "Unauthorized")
        if asked.is_watch:
            return await self._watch(request, asked)
        return self._answer(asked)

    def _answer(self, asked: Asked) -> web.Response:
        collection, _, name = asked.path.rpartition("/")
        is_item = (collection, name) in self.objects or asked.method in {"PUT", "PATCH", "DELETE"}
        match asked.method:
            case "GET" if is_item:
                return web.json_response(self.objects[collection, name])
            case "GET" if not name.endswith("s"):
                return refuse(404, "NotFound")
            case "GET":
                return self._list(asked)
            case "POST":
                return self._create(asked)
        if (collection, name) not in self.objects:
            return refuse(404, "NotFound")
        return self._change(asked, collection, name)

    def _create(self, asked: Asked) -> web.Response:
        name = asked.body["metadata"]["name"]
        if (asked.path, name) in self.objects:
            return refuse(409, "AlreadyExists", f"{name} already exists")
        return web.json_response(
            self.put(asked.path, name, **copy.deepcopy(asked.body)), status=201
        )

    def _change(self, asked: Asked, collection: str, name: str) -> web.Response:
        found = self.objects[collection, name]
        if asked.method == "DELETE":
            wanted = ((asked.body or {}).get("preconditions") or {}).get("uid")
            if wanted and wanted != found["metadata"]["uid"]:
                return refuse(409, "Conflict", "Precondition failed: UID in precondition")
            self.remove(collection, name)
            return web.json_response({"kind": "Status", "status": "Success"})
        if asked.method == "PUT":
            if (
                asked.body["metadata"].get("resourceVersion")
                != found["metadata"]["resourceVersion"]
            ):
                return refuse(409, "Conflict", "the object has been modified")
            return web.json_response(self.put(collection, name, **copy.deepcopy(asked.body)))
        return web.json_response(self.put(collection, name, **merged(found, asked.body)))

    def _list(self, asked: Asked) -> web.Response:
        token, limit = asked.query.get("continue"), int(asked.query.get("limit", "0"))
        if token:
            if token not in self.snapshots:
                return refuse(410, "Expired", "The provided continue parameter is too old")
            items, revision = self.snapshots.pop(token)
        else:
            items, revision = list(self.state(asked.path).values()), self.revision
            items = [each for each in items if selected(each, asked.query.get("labelSelector", ""))]
            items = [each for each in items if matches(each, asked.query.get("fieldSelector", ""))]
        page, rest = (items[:limit], items[limit:]) if limit else (items, [])
        following = ""
        if rest:
            following = f"token-{len(self.asked)}"
            self.snapshots[following] = (copy.deepcopy(rest), revision)
        metadata = {"resourceVersion": str(revision), "continue": following}
        return web.json_response({"kind": "List", "metadata": metadata, "items": page})

    async def _watch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        since = int(asked.query["resourceVersion"])
        gone = status_object(410, "Expired", "too old resource version")
        if since < self.compacted and not self.gone_in_stream:
            return web.json_response(gone, status=410)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        if since < self.compacted:
            line = {"type": "ERROR", "object": gone}
            await response.write(json.dumps(line).encode() + b"\n")
            return response
        watch = Watch(asked.path, asked.query.get("labelSelector", ""), asyncio.Queue(), request)
        for revision, kind, path, stored in self.history:
            if revision > since and path == watch.path and selected(stored, watch.labels):
                line = {"type": kind, "object": stored}
                watch.lines.put_nowait(json.dumps(line).encode() + b"\n")
        self.watches.add(watch)
        try:
            async with asyncio.timeout(float(asked.query["timeoutSeconds"])):
                while (said := await watch.lines.get()) is not None:
                    await response.write(said)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self.watches.discard(watch)
        return response


def selected(stored: Json, selector: str) -> bool:
    labels = stored["metadata"].get("labels") or {}
    for term in filter(None, selector.split(",")):
        key, equals, value = term.partition("=")
        if (labels.get(key) != value) if equals else (key not in labels):
            return False
    return True


def matches(stored: Json, selector: str) -> bool:
    for term in filter(None, selector.split(",")):
        path, _, value = term.partition("=")
        found: Any = stored
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if found != value:
            return False
    return True


def merged(target: Json, change: Json) -> Json:
    """RFC 7396, as far as these tests need it."""
    result = copy.deepcopy(target)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def refuse(code: int, reason: str, message: str = "") -> web.Response:
    return web.json_response(status_object(code, reason, message), status=code)


class At:
    """Credentials for a server at `url`; a token may be changed at any time."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token
        self.loads = 0

    async def load(self) -> Configuration:
        self.loads += 1
        configuration = Configuration(host=self.url)
        if self.token:
            configuration.api_key["BearerToken"] = f"Bearer {self.token}"
        return configuration


@asynccontextmanager
async def serving() -> AsyncIterator[FakeApi]:
    """A running fake API server on a free port of this machine."""
    api = FakeApi()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        api.drop_watches()
        await runner.cleanup()
