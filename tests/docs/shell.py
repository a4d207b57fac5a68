"""The commands in a piece of shell text, as words: pipes, lists and substitutions are taken apart, nothing is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from tests.docs.pages import Block, blocks, spans

PROGRAMS = frozenset({"benchwarden", "kubectl-benchwarden", "kubectl", "helm", "make", "docker"})
_NEXT = re.compile(r"[|&;()<>]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_BEFORE = frozenset({"do", "done", "then", "if", "while", "sudo", "nice", "!", "eval", "time"})
_PROMPT = "$ "


def commands() -> Iterator[tuple[str, list[str], bool]]:
    """Every command of ours in the documentation: its place, its words, whether it is complete."""
    for block in blocks():
        for words in of_block(block):
            yield block.place, words, True
    for span in spans():
        first = span.text.split(" ")[0].split("/")[-1]
        if first in PROGRAMS and " " in span.text:
            try:
                found = list(of_text(span.text))
            except ValueError:
                found = []  # cut off in the middle of a quotation: no command to type
            for words in found:
                yield span.place, words, False


def of_block(block: Block) -> Iterator[list[str]]:
    if block.language in {"sh", "bash", "shell"}:
        yield from of_text(block.text)
    elif block.language == "console":
        yield from of_text(typed(block.text))


def typed(console: str) -> str:
    """What was typed in a block that shows prompts."""
    lines = console.splitlines()
    return "\n".join(line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT))


def of_text(text: str) -> Iterator[list[str]]:
    """Commands of the programs that are looked at."""
    for line in text.replace("\\\n", " ").splitlines():
        for inner in re.findall(r"\$\(([^()]*)\)", line):
            yield from of_text(inner)
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        yield from _commands(list(lexer))


def _commands(tokens: list[str]) -> Iterator[list[str]]:
    words: list[str] = []
    for token in [*tokens, ";"]:
        if not _NEXT.fullmatch(token):
            words.append(token)
            continue
        while words and (words[0] in _BEFORE or _ASSIGNMENT.match(words[0])):
            words.pop(0)
        program = words[0].rsplit("/", 1)[-1] if words else ""
        if program in PROGRAMS:
            yield [program, *words[1:]]
        words = []
