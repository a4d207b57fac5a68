"""What stands outside the cluster: the service behind the agents, the date, and the one who is paged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

FIX = "fix"
LEAVE = "leave"
HOLD = "hold"

# What the operator's pod runs at its start: schedules ask the test what time it is; all else keeps its clock.
SITECUSTOMIZE = """\
import os
import urllib.request
from datetime import UTC, datetime, timedelta

from benchwarden.controller import process

began = process.Process.__init__


def now():
    with urllib.request.urlopen(os.environ["BENCHWARDEN_TEST_CLOCK"], timeout=5) as answer:
        return datetime.now(UTC) + timedelta(seconds=float(answer.read()))


def begin(self, settings):
    began(self, settings)
    self.schedules.now = now


process.Process.__init__ = begin
"""


class Outside:
    """One HTTP server for all three; pods reach it on the node's address.

    Attributes:
        answers: what an agent is told to do by instance; HOLD keeps it waiting.
        pages: the alerts that Alertmanager sent, in order.
    """

    def __init__(self, host: str) -> None:
        self.answers: dict[str, str] = {}
        self.pages: list[dict[str, Any]] = []
        self._shift_seconds = 0.0
        self._changed = Condition()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, _, rest = self.path.removeprefix("/").partition("/")
                self._say(outside.answer(rest) if kind == "answer" else outside.shift())

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outside.paged(json.loads(self.rfile.read(length)))
                self._say("")

            def _say(self, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://{host}:{self._server.server_port}"

    def close(self) -> None:
        self.set_answers({})
        self._server.shutdown()
        self._server.server_close()

    def set_answers(self, answers: dict[str, str]) -> None:
        with self._changed:
            self.answers = answers
            self._changed.notify_all()

    def answer(self, instance: str) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self.answers.get(instance, LEAVE) != HOLD, timeout=300)
            return self.answers.get(instance, LEAVE)

    def set_date(self, date: datetime) -> None:
        self._shift_seconds = (date - datetime.now(UTC)).total_seconds()

    def shift(self) -> str:
        return str(self._shift_seconds)

    def paged(self, message: dict[str, Any]) -> None:
        self.pages += message["alerts"]

    def pages_of(self, alert: str, status: str = "firing") -> list[dict[str, Any]]:
        return [
            page
            for page in self.pages
            if page["labels"]["alertname"] == alert and page["status"] == status
        ]
