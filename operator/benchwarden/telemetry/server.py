"""A small HTTP server in a thread of its own, so that probes are answered even when the event loop is stuck.

A stuck loop is exactly what the liveness probe must report; the callbacks therefore read plain values that
the loop refreshes and judge their age, and never wait for the loop.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from benchwarden.telemetry.collector import SnapshotCollector
from benchwarden.telemetry.snapshot import Snapshot

PATH_METRICS: Final = "/metrics"
PATH_LIVE: Final = "/healthz"
PATH_READY: Final = "/readyz"

# What is wrong now, one sentence each; nothing wrong means healthy.
Problems = Callable[[], Sequence[str]]


class TelemetryServer:
    """Serves /metrics, /healthz and /readyz.

    Args:
        read: gives the snapshot at each scrape.
        live: what is wrong with the process; any problem makes the kubelet restart it.
        ready: why it must not be counted on yet.
        port: 0 picks a free one.
    """

    def __init__(
        self,
        read: Callable[[], Snapshot],
        live: Problems,
        ready: Problems,
        *,
        port: int,
        host: str = "",
    ) -> None:
        registry = CollectorRegistry()
        registry.register(SnapshotCollector(read))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        probes = {PATH_LIVE: live, PATH_READY: ready}

        class Handler(_Handler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == PATH_METRICS:
                    self.answer_metrics(registry)
                elif path in probes:
                    self.answer_probe(probes[path])
                else:
                    self.answer(HTTPStatus.NOT_FOUND, b"not found\n")

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="telemetry", daemon=True)

    @property
    def port(self) -> int:
        """The port that is really bound."""
        return self._server.server_port

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and wait for the thread; call it once, after `start`."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_version = "benchwarden"
    sys_version = ""
    timeout = 10  # an idle client must not hold a thread

    def answer_metrics(self, registry: CollectorRegistry) -> None:
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        try:
            body = encode(registry)
        except Exception as error:  # noqa: BLE001  # a failed scrape is an answer, not a crash
            self.answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}\n".encode())
            return
        self.answer(HTTPStatus.OK, body, content_type)

    def answer_probe(self, problems: Problems) -> None:
        found = list(problems())
        status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
        self.answer(status, ("\n".join(found or ["ok"]) + "\n").encode())

    def answer(
        self, status: HTTPStatus, body: bytes, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a probe every few seconds is no news."""
