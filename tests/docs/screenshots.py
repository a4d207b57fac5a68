"""`make screenshots`: the pictures in the documentation, of real results in a real browser, small enough for git."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from tests.docs.browser import DESK, PHONE, Screen, browser
from tests.docs.pages import ROOT
from tests.mini_suite import ensure_mini_suite

IMAGES = ROOT / "docs/images"
MOST_BYTES = 150_000
COLOURS = 128


@dataclass(frozen=True)
class Picture:
    name: str
    screen: Screen


REPORT = (
    Picture("report-light", replace(DESK, height=720)),
    Picture("report-dark", replace(DESK, height=720, dark=True)),
    Picture("report-phone", replace(PHONE, height=720)),
)
MONITOR = (Picture("monitor-light", replace(DESK, height=760)),)


def benchwarden(*arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchwarden", *arguments],
        input=given,
        text=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


def a_run(folder: Path) -> Path:
    """The report of the mini suite's reference solutions, run on this machine."""
    out = folder / "run-oracle"
    mini = f"mini-suite={ensure_mini_suite()}"
    benchwarden(
        *("run", "examples/run-oracle.yaml", "--local", "--config-map", mini, "--out", str(out))
    )
    return out / "report.html"


def a_monitor(folder: Path) -> Path:
    """Forty made-up days of which the last ten are worse, analysed: the numbers are computed, the days are not real."""
    rows = []
    for day in range(40):
        for instance in range(50):
            hard = instance % 10
            passed = (instance * 7 + day * 3) % 10 >= hard + (3 if day >= 30 else 0)
            date = f"2026-{3 + day // 31:02d}-{day % 31 + 1:02d}"
            row = {
                "day": date,
                "instance": f"task-{instance:02d}",
                "passes": int(passed),
                "trials": 1,
            }
            rows.append(json.dumps(row))
    report = folder / "monitor.html"
    benchwarden("analyze", "-", "--report", str(report), given="\n".join(rows))
    return report


def small(png: bytes) -> bytes:
    """The same picture with few colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


async def take(page: Path, pictures: tuple[Picture, ...]) -> None:
    async with browser() as tab:
        for each in pictures:
            await tab.open(page, each.screen)
            data = small(await tab.picture(each.screen))
            if len(data) > MOST_BYTES:
                raise SystemExit(f"{each.name} has {len(data)} bytes, at most {MOST_BYTES}")
            IMAGES.mkdir(exist_ok=True)
            (IMAGES / f"{each.name}.png").write_bytes(data)
            print(f"{each.name}.png  {len(data) // 1000} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(a_run(Path(folder)), REPORT))
        asyncio.run(take(a_monitor(Path(folder)), MONITOR))


if __name__ == "__main__":
    main()
