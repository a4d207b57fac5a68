"""A small https server on this machine with a certificate of its own."""

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DRIP_SECONDS = 0.05


@dataclass
class HttpsServer:
    """What it serves: `files` by path, `moved` to other addresses, `dripping` paths that never end."""

    port: int
    certificate: Path
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    dripping: set[str] = field(default_factory=set)

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"


@contextmanager
def https_server(folder: Path) -> Iterator[HttpsServer]:
    """Serve until the block ends."""
    certificate = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    served = HttpsServer(server.server_address[1], certificate)
    server.RequestHandlerClass = _handler(served)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificate(folder: Path) -> Path:
    certificate = folder / "cert.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-addext", "subjectAltName=DNS:localhost"]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    subprocess.run(words, check=True, capture_output=True)
    return certificate


def _handler(served: HttpsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in served.moved:
                self.send_response(302)
                self.send_header("Location", served.moved[self.path])
                self.end_headers()
            elif self.path in served.dripping:
                self.send_response(200)
                self.end_headers()
                self._drip()
            elif self.path in served.files:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(served.files[self.path])
            else:
                self.send_error(404)

        def _drip(self) -> None:
            try:
                while True:
                    self.wfile.write(b"\n")
                    time.sleep(DRIP_SECONDS)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
