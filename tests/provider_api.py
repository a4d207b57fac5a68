"""Records HTTP requests and answers as Bedrock, Vertex and a telemetry collector do: with one word from the model.

Unlike the scripted API it keeps headers as they came; tests compare planted values only.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import struct
import threading
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.scripted_api.script import DONE
from tests.scripted_api.server import events, message

ACCESS_TOKEN = "planted-access-token-9876543210"


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ProviderApi:
    """The recorder, as a context manager; with `certificate` (a file with its key) it speaks TLS."""

    certificate: Path | None = None
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def to(self, part: str) -> list[Request]:
        """The requests whose path holds `part`."""
        return [each for each in self.requests if part in each.path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: ProviderApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up, or do not trust us, are part of the plot."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept, not printed."""

    def do_HEAD(self) -> None:
        self._answer("application/json", b"")

    def do_GET(self) -> None:
        self._answer("application/json", b"{}")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        form = "urlencoded" in self.headers.get("content-type", "")
        body = dict(parse_qsl(raw.decode())) if form else json.loads(raw or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.api.requests.append(Request(self.path, headers, body))
        if "invoke-with-response-stream" in self.path:
            self._answer("application/vnd.amazon.eventstream", _event_stream(body))
        elif ":streamRawPredict" in self.path or "/v1/messages" in self.path:
            self._answer("text/event-stream", "".join(events(message(DONE, body))).encode())
        elif self.path == "/token":
            token = {"access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            self._answer("application/json", json.dumps(token).encode())
        else:
            self._answer("application/json", b"{}")

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _event_stream(request: dict[str, Any]) -> bytes:
    """The events of an answer in the binary frames of AWS."""
    lines = [each.partition("data: ")[2].strip() for each in events(message(DONE, request))]
    return b"".join(_frame({"bytes": base64.b64encode(each.encode()).decode()}) for each in lines)


def _frame(payload: dict[str, Any]) -> bytes:
    headers = b"".join(
        struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value
        for name, value in (
            (b":event-type", b"chunk"),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    start = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return start + struct.pack("!I", zlib.crc32(start))
