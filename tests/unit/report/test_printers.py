import json
import re
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.builders import charge, summary, verdict

from benchwarden.planning.plan import TrialKey
from benchwarden.report import document, phrases, table
from benchwarden.report.clean import one_line
from benchwarden.report.html import Link, to_html

HOSTILE = "<script>alert(1)</script>\x1b[31m\x1b]8;;http://x\x07 \u202egnp.exe\u2066\x00\x9b2J{{7*7}}[red]"


class _Page(HTMLParser):
    """Elements and attributes of a page, and every attribute that could fetch something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "action", "data"}:
                self.references.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


@given(st.text())
def test_a_cleaned_line_shows_nothing_that_steers_a_terminal(text: str) -> None:
    cleaned = one_line(text)
    assert (
        re.search(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]", cleaned)
        is None
    )
    assert one_line(cleaned) == cleaned


def test_escape_sequences_vanish_whole_and_long_text_is_cut_visibly() -> None:
    assert one_line("a\x1b[1;31mb\x1b]0;title\x07c\td\n\ne") == "abc d e"
    assert one_line("x" * 20, limit=10) == "x" * 9 + "…"


def test_hostile_text_is_neither_markup_nor_script_nor_template_in_the_page() -> None:
    page = to_html(summary(verdict(HOSTILE, "unresolved", reason=HOSTILE, tools=((HOSTILE, 1),))))
    parsed = _Page(page)
    assert "script" not in parsed.tags
    assert parsed.handlers == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_the_page_loads_nothing_and_links_only_to_the_files_given() -> None:
    found = summary(verdict("a"))
    page = _Page(to_html(found, {TrialKey("a", 0): [Link("Patch", "instances/a/agent.patch")]}))
    assert page.references == ["instances/a/agent.patch"]
    assert not {"link", "img", "iframe", "script", "object"} & set(page.tags)


def test_a_page_without_any_verdict_says_so() -> None:
    page = to_html(summary(charge("a"), planned=("a", "b")))
    assert "No verdict for any of 2 trials." in page
    assert 'class="axis"' not in page


def test_repeats_are_numbered_from_one_where_there_are_several() -> None:
    only = summary(verdict("a"))
    assert phrases.trial_name(only.results[0], many_trials=False) == "a"
    assert phrases.trial_name(only.results[0], many_trials=True) == "a #1"


def test_the_table_takes_no_markup_from_text() -> None:
    shown = table.to_text(summary(verdict("[red]a[/red]", reason=HOSTILE)), width=200)
    assert "[red]a[/red]" in shown
    assert "\x1b" not in shown
    assert "Pass rate 100.0 %" in shown


def test_json_and_yaml_hold_the_same_document() -> None:
    found = summary(verdict("a", tests=(1, 2, 3, 4), cost_usd="0.1"), charge("b"), suite="mini")
    read = json.loads(document.to_json(found))
    assert read == yaml.safe_load(document.to_yaml(found)) == document.document(found)
    assert read["totals"]["groups"] == {"pass": 1, "fail": 0, "infra": 1, "missing": 0}
    assert read["results"][0]["failToPass"] == {"passed": 1, "total": 2}
    assert read["totals"]["costUsd"] == "0.1"


def test_json_of_hostile_text_is_plain_ascii_and_exact() -> None:
    text = document.to_json(summary(verdict("a", reason=HOSTILE)))
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["results"][0]["reason"] == HOSTILE


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (12.4, "12 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7860, "2 h 11 min"),
    ],
)
def test_durations_are_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert phrases.duration(seconds) == said
