"""What the pages hold, by a Markdown parser: fenced blocks with their markers, code in sentences, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
BESIDE_DOCS = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md"),
    *("charts/benchwarden/README.md", "tests/cluster/README.md"),
)
SHELL = frozenset({"sh", "bash", "console", "shell"})
NOT_RUN = re.compile(r"<!--\s*not run:\s*(.*?)\s*-->", re.DOTALL)
OUTPUT = re.compile(r"<!--\s*output\s*-->")


@dataclass(frozen=True)
class Block:
    """A fenced block; `marker` is the comment right before it."""

    page: str
    line: int
    language: str
    text: str
    marker: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def not_run(self) -> str | None:
        """Why it is not run, if it says so."""
        found = NOT_RUN.search(self.marker)
        return " ".join(found.group(1).split()) if found else None

    @property
    def is_output(self) -> bool:
        """Whether it shows what the block before it printed."""
        return OUTPUT.search(self.marker) is not None


@dataclass(frozen=True)
class Span:
    """Code, or the target of a link, within a sentence."""

    page: str
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    name: str
    text: str
    blocks: tuple[Block, ...]
    spans: tuple[Span, ...]
    links: tuple[Span, ...]


@lru_cache(maxsize=1)
def pages() -> tuple[Page, ...]:
    """Every page that users read."""
    names = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]
    names += [name for name in BESIDE_DOCS if (ROOT / name).exists()]
    return tuple(read(name) for name in names)


def blocks() -> Iterator[Block]:
    for page in pages():
        yield from page.blocks


def spans() -> Iterator[Span]:
    for page in pages():
        yield from page.spans


def read(name: str) -> Page:
    return parse(name, (ROOT / name).read_text())


def parse(name: str, text: str) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[Block] = []
    code: list[Span] = []
    links: list[Span] = []
    marker = ""
    for token in tokens:
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            language = token.info.split()[0] if token.info.split() else ""
            found.append(Block(name, line, language, token.content, marker))
        for child in token.children or ():
            if child.type == "code_inline":
                code.append(Span(name, line, child.content))
            if child.type == "link_open":
                links.append(Span(name, line, str(child.attrs["href"])))
        marker = _marker(token, marker)
    return Page(name, text, tuple(found), tuple(code), tuple(links))


def _marker(token: Token, before: str) -> str:
    """A comment stays the marker of what directly follows it."""
    if token.type == "html_block":
        return token.content
    return before if token.type in ("list_item_close", "paragraph_open") else ""
