"""A small npm registry over HTTP: descriptions and archives of Claude Code's packages, with programs made up or real.

It serves `http://host:port/npm/`, so that a base path must be kept. Answers can be made to fail.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from benchwarden.clis.packument import BUILDS, PACKAGE

PREFIX = "/npm"
GLIBC = f"{PACKAGE}-linux-x64"
MUSL = f"{PACKAGE}-linux-x64-musl"


def program(version: str, word: str = "glibc") -> bytes:
    """A program that knows its version and nothing else."""
    return f'#!/bin/sh\necho "{version} (Claude Code)" # {word}\n'.encode()


def package(content: bytes | Path, target: Path) -> Path:
    """Write the archive of a package with this program in it; not compressed, which is quick."""
    with tarfile.open(target, "w:gz", compresslevel=0) as tar:
        member = tarfile.TarInfo("package/claude")
        member.mode = 0o755
        if isinstance(content, Path):
            member.size = content.stat().st_size
            with content.open("rb") as source:
                tar.addfile(member, source)
        else:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target


def integrity_of(archive: Path) -> str:
    with archive.open("rb") as source:
        digest = hashlib.file_digest(source, "sha512").digest()
    return "sha512-" + base64.b64encode(digest).decode()


@dataclass
class NpmRegistry:
    """The registry, as a context manager.

    Attributes:
        folder: where archives are kept.
        latest: version that the tag `latest` names.
        statuses: answers to give first, by the start of the path after the prefix.
        requests: paths that were asked for, oldest first.
        wants: the header `Authorization` without which everything is 401; empty = anybody may read.
        leads_to: where an archive's address leads, as registries that keep archives elsewhere do.
        heard: the header `Authorization` of every request, "" where it was absent.
    """

    folder: Path
    latest: str = ""
    host: str = "127.0.0.1"
    statuses: dict[str, list[int]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    wants: str = ""
    leads_to: str = ""
    heard: list[str] = field(default_factory=list)
    _packages: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._server = _Server((self.host, 0), _Handler)
        self._server.registry = self
        self.port = self._server.server_port
        self.url = f"http://{self.host}:{self.port}{PREFIX}"

    def behind_tls(self, certificate: Path, url: str) -> Self:
        """Speak TLS, and say of itself that it is at `url`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{url}{PREFIX}"
        return self

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

    def publish(self, version: str, **programs: bytes | Path) -> Self:
        """Add a version, by default with made-up programs; `latest` moves to it."""
        for name, (build, machine, _) in BUILDS.items():
            if machine != "x64":
                continue
            content = programs.get(build.removeprefix("claude-"), program(version, build))
            self._add(name, version, content)
        self._packages.setdefault(PACKAGE, {})[version] = {}
        self.latest = version
        return self

    def _add(self, name: str, version: str, content: bytes | Path) -> None:
        file = f"{name.rpartition('/')[2]}-{version}.tgz"
        archive = package(content, self.folder / file)
        dist = {"tarball": f"{self.url}/{name}/-/{file}", "integrity": integrity_of(archive)}
        self._packages.setdefault(name, {})[version] = dist

    def tamper(self, version: str, content: bytes = b"another program") -> None:
        """Replace the archives of a version, not what is said of them."""
        for name in (GLIBC, MUSL):
            package(content, self.folder / f"{name.rpartition('/')[2]}-{version}.tgz")

    def dist(self, name: str, version: str) -> dict[str, Any]:
        """What is said of an archive; a test may change it."""
        return self._packages[name][version]

    def fetched(self) -> list[str]:
        """Names of the archives that were asked for."""
        return [path.rpartition("/")[2] for path in self.requests if path.endswith(".tgz")]

    def answer(self, path: str) -> tuple[int, bytes | Path]:
        """Status and body for a path below the prefix."""
        self.requests.append(path)
        for start, statuses in self.statuses.items():
            if path.startswith(start) and statuses:
                return statuses.pop(0), b"{}"
        if path.endswith(".tgz"):
            archive = self.folder / path.rpartition("/")[2]
            return (200, archive) if archive.is_file() else (404, b"{}")
        name = path.removeprefix("/")
        if name not in self._packages:
            return 404, b'{"error": "not found"}'
        versions = {
            version: {"name": name, "version": version, **({"dist": dist} if dist else {})}
            for version, dist in self._packages[name].items()
        }
        tags = {"latest": self.latest} if self.latest else {}
        return 200, json.dumps({"name": name, "dist-tags": tags, "versions": versions}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    registry: NpmRegistry

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not trust us are part of the plot."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """The registry keeps the paths."""

    def do_GET(self) -> None:
        path, registry = unquote(self.path), self.server.registry
        registry.heard.append(self.headers.get("authorization", ""))
        status, body = (
            registry.answer(path.removeprefix(PREFIX))
            if path.startswith(f"{PREFIX}/")
            else (404, b"{}")
        )
        if registry.wants and registry.heard[-1] != registry.wants:
            status, body = 401, b'{"error": "unauthorized"}'
        elif registry.leads_to and path.endswith(".tgz"):
            status, body = 302, b""
        self.send_response(status)
        if status == 302:
            self.send_header("location", registry.leads_to + path)
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        self.send_header("content-length", str(size))
        self.end_headers()
        if isinstance(body, Path):
            with body.open("rb") as source:
                while chunk := source.read(1 << 20):
                    self.wfile.write(chunk)
        else:
            self.wfile.write(body)
