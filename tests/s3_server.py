"""A real S3 server for tests: versitygw over a folder; it checks every signature and what a key may do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import build

BUCKET = "bench"
ACCESS_KEY = "AKIACANARY7Q2M5XBENCH"
SECRET_KEY = "canary/storage+secret-93ce5a71b08d4f26"


class S3Server:
    """The server as a context manager, with one bucket; its objects are files below `root`.

    Args:
        root: an empty folder.
        host: address to listen on.
        tls: files of a certificate and its key; without them it speaks plain HTTP.
    """

    def __init__(
        self, root: Path, *, host: str = "127.0.0.1", tls: tuple[Path, Path] | None = None
    ) -> None:
        self.root = root
        self.host = host
        self.port = 0
        self.tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client with the right credentials has."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def objects(self) -> dict[str, bytes]:
        """Content of all objects of the bucket by key."""
        top = self.root / "data" / BUCKET
        return {
            str(path.relative_to(top)): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and ".sgwtmp" not in path.parts
        }

    def __enter__(self) -> Self:
        program = build.ensure(build.VERSITYGW) / "versitygw"
        for name in ("data", "meta"):
            (self.root / name).mkdir(parents=True)
        (self.root / "data" / BUCKET).mkdir()
        with socket.socket() as found:
            found.bind((self.host, 0))
            self.port = found.getsockname()[1]
        with (self.root / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(program, "--port", f"{self.host}:{self.port}", "--quiet"),
                    *(("--cert", self.tls[0], "--key", self.tls[1]) if self.tls else ()),
                    *("posix", "--sidecar", self.root / "meta", self.root / "data"),
                ],
                env={
                    **os.environ,
                    "ROOT_ACCESS_KEY": ACCESS_KEY,
                    "ROOT_SECRET_KEY": SECRET_KEY,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _await_answer(self) -> None:
        ends_at = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((self.host, self.port), 1).close()
            except OSError:
                assert self._process is not None
                said = (self.root / "log").read_text()
                assert self._process.poll() is None, said
                assert time.monotonic() < ends_at, said
                time.sleep(0.05)
            else:
                return
