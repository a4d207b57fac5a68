"""Reports of an agent that writes markup wherever it may: a real browser runs none of it and asks nobody."""

import json
from pathlib import Path

import pytest
from tests.docs.browser import DESK, browser
from tests.docs.screenshots import benchwarden

from benchwarden_runner import protocol

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("site")]

ELSEWHERE = "http://127.0.0.1:9/stolen"
PAYLOADS = (
    "<script>window.owned=1</script>",
    "\"'><img src=x onerror=window.owned=2>",
    "</style></svg></title></textarea><svg/onload=window.owned=3>",
    f"<iframe srcdoc='<script>parent.owned=4</script>'></iframe><img src={ELSEWHERE}>",
    f"url({ELSEWHERE}) @import '{ELSEWHERE}'; --><!--<base href={ELSEWHERE}>",
    "&lt;script&gt;window.owned=5&lt;/script&gt; javascript:window.owned=6",
    "\x1b]8;;http://127.0.0.1:9/\x07\u202e<marquee onstart=window.owned=7>\u2066",
)
# All that runs, loads or sends something; our own pages need none of it.
ACTIVE = "document.querySelectorAll('script,img,iframe,object,embed,base,form,meta[http-equiv=refresh]').length"
HANDLERS = """
[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a =>
  a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value))).length
"""


def of_a_run(folder: Path) -> Path:
    """The page of a run whose every free text is a payload."""
    common = {"trial": 0, "launch": 1, "batch": "b", "finished_at": "2026-03-01T03:00:00Z"}
    rows = [
        {
            **common,
            "kind": "verdict",
            "pod_uid": payload,
            "instance": f"{number}{payload}",
            "outcome": protocol.UNRESOLVED,
            "reason": payload,
            "agent_class": protocol.COMPLETED,
            "cli_version": payload,
            "model": payload,
            "stop_reason": payload,
            "tools": {payload: 1},
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    given, page = folder / "results.jsonl", folder / "run.html"
    given.write_text("\n".join(json.dumps(row) for row in rows))
    benchwarden("report", str(given), "--html", str(page))
    return page


def of_a_history(folder: Path) -> Path:
    """The page of an analysis whose instances are named by payloads; half of them get worse."""
    rows = [
        {
            "day": f"2026-03-{day + 1:02d}",
            "instance": f"{number}{payload}",
            "passes": int(day < 20 or number % 2),
            "trials": 1,
        }
        for day in range(30)
        for number, payload in enumerate(PAYLOADS)
    ]
    page = folder / "analysis.html"
    given = "\n".join(json.dumps(row) for row in rows)
    benchwarden("analyze", "-", "--report", str(page), given=given)
    return page


async def what_happened(page: Path) -> list[str]:
    """Everything a page did that it should not."""
    async with browser() as tab:
        await tab.open(page, DESK)
        found = [
            f"{what}: {value}"
            for what, expression in (
                ("ran", "window.owned"),
                ("active elements", ACTIVE),
                ("handlers", HANDLERS),
            )
            if (value := await tab.value(expression))
        ]
        return found + [url for url in tab.requests if not url.startswith(("file:", "data:"))]


@pytest.mark.parametrize("made_by", [of_a_run, of_a_history])
async def test_nothing_that_an_agent_writes_runs_or_loads_in_a_report(made_by, tmp_path):
    page = made_by(tmp_path)
    assert "window.owned" in page.read_text()
    assert await what_happened(page) == []


async def test_a_page_that_does_not_escape_is_noticed(tmp_path):
    page = tmp_path / "open.html"
    page.write_text(f"<!doctype html><title>x</title><body>{''.join(PAYLOADS)}</body>")
    found = "\n".join(await what_happened(page))
    for sign in ("ran: ", "active elements", "handlers", ELSEWHERE):
        assert sign in found
