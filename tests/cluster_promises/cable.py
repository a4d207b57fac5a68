"""A line to the API server that a test can cut and plug in again."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import yaml


class Cable:
    """A line to the API server that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.cuts = 0

    async def plug(self) -> int:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cuts += len(self._ends)
        for end in list(self._ends):
            end.transport.abort()
        await self._server.wait_closed()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._place)
        self._ends |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._ends -= {writer, far_writer}
            for end in (writer, far_writer):
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):  # cut: the end
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def through(cable_port: int, kubeconfig: Path, folder: Path) -> Path:
    """A kubeconfig whose current cluster is reached through the cable."""
    document = yaml.safe_load(kubeconfig.read_text())
    for each in document["clusters"]:
        place = each["cluster"]
        place["tls-server-name"] = urlsplit(place["server"]).hostname
        place["server"] = f"https://127.0.0.1:{cable_port}"
    target = folder / "kubeconfig"
    target.write_text(yaml.safe_dump(document))
    return target
