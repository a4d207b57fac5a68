"""A tiny image registry for tests: one image, over plain HTTP, that can be told to refuse or to be away.

It listens on the loopback of the machine that is the node: containerd takes that for plain HTTP unasked.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_ADDRESS = "127.0.0.1"


@dataclass
class Registry:
    """What is served, and how.

    Attributes:
        refuse: answer every request with this code instead; 0 serves.
        retry_after_seconds: said with a refusal, if not 0.
        asked: requests by (method, code of the answer).
    """

    archive: Path
    port: int = 0
    refuse: int = 0
    retry_after_seconds: int = 0
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    _blobs: dict[str, tuple[str, int]] = field(default_factory=dict)
    _manifest: bytes = b""
    _server: http.server.ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        """Read the archive once: what each blob is called and how long it is."""
        with tarfile.open(self.archive) as tar:
            described = json.load(tar.extractfile("manifest.json") or _nothing())[0]
            config = self._blob(tar, described["Config"], _CONFIG)
            layers = [self._blob(tar, each, _LAYER) for each in described["Layers"]]
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": config,
            "layers": layers,
        }
        self._manifest = json.dumps(manifest).encode()

    def image(self, name: str) -> str:
        """The reference of the image under a name of your own; all names give the same."""
        return f"{_ADDRESS}:{self.port}/{name}:1"

    def open(self) -> None:
        """Serve; on the same port as before, if there was one."""
        registry = self

        class Handler(_Handler):
            served = registry

        self._server = _Server((_ADDRESS, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def content(self, path: str) -> tuple[str, bytes | tuple[str, int]] | None:
        """Media type, and the bytes or the (member, size) in the archive."""
        kind, _, name = path.rpartition("/")
        if kind.endswith("/manifests"):
            return _MANIFEST, self._manifest
        if kind.endswith("/blobs") and name in self._blobs:
            return "application/octet-stream", self._blobs[name]
        return ("application/json", b"{}") if path == "/v2/" else None

    def _blob(self, tar: tarfile.TarFile, member: str, media_type: str) -> dict[str, Any]:
        size = tar.getmember(member).size
        with tar.extractfile(member) or _nothing() as stream:
            digest = "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
        self._blobs[digest] = (member, size)
        return {"mediaType": media_type, "digest": digest, "size": size}


def _nothing() -> Any:
    raise FileNotFoundError("the archive lacks a part of its image")


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    address_family = socket.AF_INET


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Registry
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """The test counts instead."""

    def _answer(self) -> None:
        registry = self.served
        found = registry.content(self.path.partition("?")[0])
        code = registry.refuse or (200 if found else 404)
        registry.asked[self.command, code] += 1
        self.send_response(code)
        if code != 200 or found is None:
            if registry.retry_after_seconds:
                self.send_header("Retry-After", str(registry.retry_after_seconds))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        media_type, content = found
        size = len(content) if isinstance(content, bytes) else content[1]
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(size))
        if isinstance(content, bytes):
            digest = hashlib.sha256(content).hexdigest()
            self.send_header("Docker-Content-Digest", f"sha256:{digest}")
        self.end_headers()
        if self.command == "GET":
            self._send(content)

    def _send(self, content: bytes | tuple[str, int]) -> None:
        if isinstance(content, bytes):
            self.wfile.write(content)
            return
        with (
            tarfile.open(self.served.archive) as tar,
            tar.extractfile(content[0]) or _nothing() as stream,
        ):
            while chunk := stream.read(1 << 20):
                self.wfile.write(chunk)


@contextmanager
def a_registry(archive: Path) -> Iterator[Registry]:
    """A registry that serves until the end of the block."""
    registry = Registry(archive)
    registry.open()
    try:
        yield registry
    finally:
        registry.close()
