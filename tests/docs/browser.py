"""A headless Chromium by its DevTools protocol: pages at the width of a desk or a phone, light or dark."""

from __future__ import annotations

import asyncio
import base64
import itertools
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from tests.cluster import packages

START_SECONDS = 60
MOST_PIXELS_HIGH = 12_000


@dataclass(frozen=True)
class Screen:
    """What a page is looked at with; `height` is how much of the page a picture shows."""

    width: int
    height: int
    dark: bool = False
    phone: bool = False


DESK = Screen(1280, 860)
PHONE = Screen(400, 860, phone=True)


def program() -> str:
    """Chromium, from the distribution's packages if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        packages.ensure({"chromium": "chromium"})
        found = packages.program("chromium")
    assert found is not None
    return found


@dataclass
class Tab:
    """One page of the browser."""

    socket: aiohttp.ClientWebSocketResponse
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    requests: list[str] = field(default_factory=list)

    async def call(self, method: str, **parameters: Any) -> Any:
        number = next(self.numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        return await self._until(lambda message: message.get("id") == number, method)

    async def _until(self, wanted: Any, what: str) -> Any:
        while True:
            message = await self.socket.receive_json(timeout=START_SECONDS)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if wanted(message):
                assert "error" not in message, f"{what}: {message}"
                return message.get("result")

    async def open(self, page: Path, screen: Screen) -> None:
        """Show a page as `screen` would, and wait until it is drawn."""
        await self.call("Page.enable")
        await self.call("Network.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if screen.dark else "light"}
        await self.call("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=screen.width,
            height=screen.height,
            deviceScaleFactor=1,
            mobile=screen.phone,
        )
        await self.socket.send_json(
            {
                "id": next(self.numbers),
                "method": "Page.navigate",
                "params": {"url": page.as_uri()},
            }
        )
        await self._until(lambda message: message.get("method") == "Page.loadEventFired", "load")

    async def value(self, expression: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def picture(self, screen: Screen, whole: bool = False) -> bytes:
        """A PNG of the top of the page, or of all of it."""
        high = screen.height
        if whole:
            high = min(MOST_PIXELS_HIGH, await self.value("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": screen.width, "height": high, "scale": 1}
        taken = await self.call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def browser() -> AsyncIterator[Tab]:
    """One tab of a browser that lives as long as the block."""
    chromium = program()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(
                "--disable-background-networking",
                "--no-first-run",
                "--allow-file-access-from-files",
            ),
            *(f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                port = await _port(process)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [each for each in await answer.json() if each["type"] == "page"]
                address = pages[0]["webSocketDebuggerUrl"]
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            process.terminate()
            await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.search(rb"DevTools listening on ws://[^:]+:(\d+)/", line):
            return int(found.group(1))
    raise AssertionError("Chromium ended before it listened")
