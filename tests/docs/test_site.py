"""The documentation as people see it: built without a warning, loading nothing from elsewhere, fitting every screen."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.docs.browser import DESK, PHONE, browser
from tests.docs.pages import ROOT
from tests.docs.screenshots import IMAGES, MOST_BYTES, a_monitor, benchwarden

from benchwarden_runner import protocol

# One process builds the site once for all of them.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.xdist_group("site")]

SCREENS = [
    replace(screen, dark=dark, height=screen.height)
    for screen in (DESK, PHONE)
    for dark in (False, True)
]
# Pages that hold something wider than a phone must scroll that part by itself.
WIDER_THAN_THE_SCREEN = """
[...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('.sidebar-drawer, .toc-drawer, .skip-to-content')) return false;
  const box = e.getBoundingClientRect();
  if (box.right <= innerWidth + 1 || box.width === 0) return false;
  for (let p = e.parentElement; p; p = p.parentElement)
    if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(p).overflowX)) return false;
  return true;
}).map(e => e.tagName + '.' + e.className).slice(0, 5)
"""
# Text runs out of a box without making the box wider; the page then scrolls sideways.
SCROLLS_SIDEWAYS = (
    "document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth + 1"
)
# A cell that is narrower than the one short word in it.
TORN = """
[...document.querySelectorAll('th, td')].filter(e => {
  const text = e.innerText.trim();
  if (!/^\\w{2,10}$/.test(text)) return false;
  const range = document.createRange();
  range.selectNodeContents(e);
  const [first, ...rest] = range.getClientRects();
  return rest.some(each => each.top >= first.bottom - 1);
}).map(e => e.innerText).slice(0, 5)
"""
BROKEN_IMAGES = (
    "[...document.images].filter(i => !i.naturalWidth && i.offsetParent).map(i => i.src)"
)
# Luminance of text and ground, so that dark on dark is noticed.
CONTRAST = """
(() => {
  const light = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).map(Number);
    return (r * 299 + g * 587 + b * 114) / 1000;
  };
  const page = getComputedStyle(document.body);
  let ground = page.backgroundColor;
  if (ground === 'rgba(0, 0, 0, 0)') ground = getComputedStyle(document.documentElement).backgroundColor;
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
    && getComputedStyle(document.documentElement).colorScheme.includes('dark');
  if (ground === 'rgba(0, 0, 0, 0)') ground = dark ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  return Math.abs(light(page.color) - light(ground));
})()
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "-q", "-W", "-n", "-b", "html", str(ROOT / "docs"), str(out)]
    subprocess.run([sys.executable, *command], check=True)
    return out


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> list[Path]:
    """The page of a run and that of an analysis."""
    folder = tmp_path_factory.mktemp("reports")
    rows = folder / "results.jsonl"
    rows.write_text("\n".join(json.dumps(row) for row in some_rows()))
    page = folder / "run.html"
    benchwarden("report", str(rows), "--html", str(page))
    return [page, a_monitor(folder)]


def some_rows() -> Iterator[dict[str, Any]]:
    """Passes, a failure, and an instance whose name and reason are as long as may be."""
    row = {
        "trial": 0,
        "launch": 1,
        "kind": "verdict",
        "batch": "b",
        "finished_at": "2026-03-01T03:00:00Z",
    }
    row |= {"pod_uid": "u", "agent_class": "completed", "agent_seconds": 61.5, "grade_seconds": 9.1}
    for number in range(12):
        outcome = protocol.RESOLVED if number % 4 else protocol.UNRESOLVED
        yield {
            **row,
            "instance": f"task-{number:02d}",
            "outcome": outcome,
            "tests": [number % 4, 3, 40, 40],
        }
    yield {
        **row,
        "instance": "x" * 200,
        "outcome": protocol.GRADER_ERROR,
        "kind": "charge",
        "reason": "no_space_here_" * 12,
    }


async def faults(pages: list[Path]) -> list[str]:
    found = []
    async with browser() as tab:
        for page in pages:
            for screen in SCREENS:
                await tab.open(page, screen)
                where = f"{page.name} at {screen.width}{' dark' if screen.dark else ''}"
                if wide := await tab.value(WIDER_THAN_THE_SCREEN):
                    found.append(f"{where}: too wide: {wide}")
                if await tab.value(SCROLLS_SIDEWAYS):
                    found.append(f"{where}: scrolls sideways")
                if torn := await tab.value(TORN):
                    found.append(f"{where}: words in pieces: {torn}")
                if broken := await tab.value(BROKEN_IMAGES):
                    found.append(f"{where}: no image: {broken}")
                if await tab.value(CONTRAST) < 100:
                    found.append(f"{where}: text and ground are alike")
        foreign = {url for url in tab.requests if not url.startswith(("file:", "data:", "about:"))}
    return found + sorted(foreign)


async def test_every_page_fits_desk_and_phone_light_and_dark_and_loads_nothing_from_elsewhere(site):
    pages = [page for page in sorted(site.rglob("*.html")) if page.name != "genindex.html"]
    assert len(pages) > 30
    assert await faults(pages) == []


async def test_the_reports_fit_too(reports):
    assert await faults(reports) == []


async def test_what_does_not_fit_is_noticed(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<body style='color:#222;background:#111'><div style='width:3000px'>wide</div><img src='none.png'>"
        "<img src='http://127.0.0.1:9/elsewhere.png'><p>" + "x" * 500 + "</p>"
        "<table style='width:9px;table-layout:fixed;word-break:break-all'><td>window</td></table></body>"
    )
    found = "\n".join(await faults([page]))
    for fault in ("too wide", "no image", "alike", "http://127.0.0.1:9/elsewhere.png"):
        assert fault in found
    assert "scrolls sideways" in found
    assert "in pieces: ['window']" in found


def test_pictures_are_small():
    pictures = list(IMAGES.glob("*.png"))
    assert len(pictures) >= 3
    assert [each.name for each in pictures if each.stat().st_size > MOST_BYTES] == []
