"""Serves a script (see `script.py`) as a Messages API over HTTP, on the standard library alone.

    python -m tests.scripted_api.server script.json [--host 127.0.0.1] [--port 0] [--log requests.jsonl]

Prints its base URL. Any path prefix is accepted (`/runs/42/v1/messages`); HEAD and GET answer 200, and
token counts are made up. Every request is logged with its keys redacted.
"""

import argparse
import json
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.scripted_api.script import USAGE, Fault, Script, prompt_of

SECRET_HEADERS = ("x-api-key", "authorization")
SESSION_HEADER = "x-claude-code-session-id"


class ScriptedApi:
    """The server, as a context manager; `requests` holds what it was asked, oldest first."""

    def __init__(
        self,
        script: dict[str, Any] | Script,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        self.script = script if isinstance(script, Script) else Script.from_document(script)
        self.requests: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self._matching: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._log: IO[str] | None = log.open("a") if log else None
        self.stopping = threading.Event()
        self._server = _Server((host, port), _Handler)
        self._server.api = self
        self.base_url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        if self._log:
            self._log.close()

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted."""
        self._server.serve_forever()

    @property
    def message_requests(self) -> list[dict[str, Any]]:
        """The requests for a model's answer."""
        return [item for item in list(self.requests) if item["path"].endswith("/v1/messages")]

    def note(self, entry: dict[str, Any]) -> int:
        """Log a request; returns its number among its session's message requests."""
        with self._lock:
            self.requests.append(entry)
            if self._log:
                self._log.write(json.dumps(entry) + "\n")
                self._log.flush()
            if not entry["path"].endswith("/v1/messages"):
                return -1
            session = entry["headers"].get(SESSION_HEADER, "")
            self._counts[session] += 1
            return self._counts[session] - 1

    def fault(self, request: dict[str, Any], session: str, index: int) -> Fault | None:
        """The first fault that hits request number `index` of a session."""
        asked = prompt_of(request)
        with self._lock:
            for fault in self.script.faults:
                if fault.match in asked:
                    seen = self._matching.setdefault(fault.match, [])
                    if session not in seen:
                        seen.append(session)
                    if fault.hits(index, asked, seen.index(session)):
                        return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    api: ScriptedApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the plot."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are logged by the server, as JSON."""

    def do_HEAD(self) -> None:
        self._reply_json(200, {}, body=False)

    def do_GET(self) -> None:
        self._reply_json(200, {"data": [], "has_more": False})

    def do_POST(self) -> None:
        api = self.server.api
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        request = json.loads(raw) if raw else {}
        path = self.path.partition("?")[0]
        key = self.headers.get("x-api-key") or self.headers.get("authorization") or ""
        index = api.note(
            {
                "path": path,
                "headers": {
                    name.lower(): "redacted" if name.lower() in SECRET_HEADERS else value
                    for name, value in self.headers.items()
                },
                "model": request.get("model"),
                "stream": bool(request.get("stream")),
                "tools": [tool.get("name") for tool in request.get("tools", [])],
                "body": request,
            }
        )
        if path.endswith("/count_tokens"):
            self._reply_json(200, {"input_tokens": len(raw) // 4})
        elif index < 0:
            self._reply_json(200, {})
        elif api.script.keys is not None and key.removeprefix("Bearer ") not in api.script.keys:
            self._reply_error(401, "authentication_error", "invalid x-api-key")
        elif api.script.models is not None and request.get("model") not in api.script.models:
            self._reply_error(404, "not_found_error", f"model: {request.get('model')}")
        else:
            session = self.headers.get(SESSION_HEADER, "")
            self._answer(request, api.fault(request, session, index))

    def _answer(self, request: dict[str, Any], fault: Fault | None) -> None:
        if fault is not None and fault.kind == "status":
            self._reply_error(fault.status, fault.type, fault.message, fault.headers)
        elif fault is not None and fault.kind == "hang":
            self._wait(fault.seconds)
            self.close_connection = True
        elif fault is not None and fault.kind == "reset":
            self._reset()
        elif request.get("stream"):
            self._stream(request, fault)
        else:
            self._reply_json(200, message(self.server.api.script.turn(request), request))

    def _stream(self, request: dict[str, Any], fault: Fault | None) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        lines = events(message(self.server.api.script.turn(request), request))
        if fault is None:
            self.wfile.write("".join(lines).encode())
            return
        self.wfile.write("".join(lines[:2]).encode())
        self.wfile.flush()
        if fault.kind == "stall":
            self._wait(fault.seconds)
        elif fault.kind == "garbage":
            self.wfile.write(b'event: content_block_delta\ndata: {"type": "content_blo\n\n')
        elif fault.kind == "error_event":
            body = {"type": "error", "error": {"type": fault.type, "message": fault.message}}
            self.wfile.write(f"event: error\ndata: {json.dumps(body)}\n\n".encode())
        elif fault.kind == "reset_stream":
            self._reset()

    def _wait(self, seconds: float) -> None:
        """Wait, but no longer than the server lives or the client stays."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.api.stopping.wait(0.05):
            self.connection.setblocking(False)
            try:
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    return
            except BlockingIOError:
                continue
            except OSError:
                return
            finally:
                self.connection.setblocking(True)

    def _reset(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def _reply_error(
        self, status: int, kind: str, text: str, headers: dict[str, str] | None = None
    ) -> None:
        body = {"type": "error", "error": {"type": kind, "message": text}}
        self._reply_json(status, body, headers=headers or {})

    def _reply_json(
        self,
        status: int,
        document: dict[str, Any],
        *,
        headers: dict[str, str] | None = None,
        body: bool = True,
    ) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


def message(turn: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The complete Message object of a turn."""
    position = len(request.get("messages", []))
    content: list[dict[str, Any]] = []
    if turn.get("text"):
        content.append({"type": "text", "text": turn["text"]})
    for number, tool in enumerate(turn.get("tools", [])):
        call = {"type": "tool_use", "id": f"toolu_{position:04d}_{number:02d}"}
        content.append({**call, "name": tool["name"], "input": tool["input"]})
    return {
        "id": f"msg_{position:06d}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", "unknown"),
        "content": content,
        "stop_reason": turn.get("stop_reason", "tool_use" if turn.get("tools") else "end_turn"),
        "stop_sequence": None,
        "usage": {**USAGE, **turn.get("usage", {})},
    }


def events(whole: dict[str, Any]) -> list[str]:
    """`whole` as the server-sent events of a stream, one string per event."""
    usage = whole["usage"]
    started = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    found: list[dict[str, Any]] = [{"type": "message_start", "message": started}]
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            text = json.dumps(block["input"])
            empty, delta = (
                {**block, "input": {}},
                {"type": "input_json_delta", "partial_json": text},
            )
        found += [
            {"type": "content_block_start", "index": index, "content_block": empty},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counted = {"output_tokens": usage["output_tokens"]}
    found += [{"type": "message_delta", "delta": stop, "usage": counted}, {"type": "message_stop"}]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in found]


def main() -> None:
    """Serve the script named on the command line until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("script", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    document = json.loads(options.script.read_text())
    api = ScriptedApi(document, host=options.host, port=options.port, log=options.log)
    print(api.base_url, flush=True)
    api.serve_forever()


if __name__ == "__main__":
    main()
