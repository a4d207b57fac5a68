"""Walks through a page: its shell blocks in order in one bash, each block's output kept apart."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs import shell
from tests.docs.pages import ROOT, SHELL, Block, read
from tests.docs.walks import Walk

_BLOCK = "@@ block "
_IN_A_CHECKOUT = (
    "charts",
    "crds",
    "docs",
    "examples",
    "tests",
    "operator",
    "runner",
    "Makefile",
    ".venv",
)
MOST_SECONDS = 900


@dataclass(frozen=True)
class Walked:
    """What came of it."""

    code: int
    log: str
    printed: Mapping[int, str]  # by the line of the block


def steps(page: str) -> list[Block]:
    """The blocks that are run."""
    return [
        block for block in read(page).blocks if block.language in SHELL and block.not_run is None
    ]


def shown(page: str) -> Iterator[tuple[Block, Block]]:
    """Each block that shows an output, with the block that prints it."""
    before: Block | None = None
    for block in read(page).blocks:
        if block.is_output:
            assert before is not None, f"{block.place} shows the output of nothing"
            yield before, block
        elif block.language in SHELL:
            before = block


def script(page: str, walk: Walk, values: Mapping[str, str]) -> str:
    """The page as one piece of shell text."""
    lines = ["set -eu -o pipefail", filled(walk.before, values)]
    for block in steps(page):
        text = shell.typed(block.text) if block.language == "console" else block.text
        for word, meaning in walk.words.items():
            text = text.replace(word, filled(meaning, values))
        lines += [f"echo; echo '{_BLOCK}{block.line}'", text]
    return "\n".join(lines) + "\n"


def unused(page: str, walk: Walk) -> list[str]:
    """Words that are on no block of the page: whoever changed the page must look at its walk."""
    text = "\n".join(block.text for block in steps(page))
    return [word for word in walk.words if word not in text]


def filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def checkout(folder: Path) -> Path:
    """An empty folder that looks like a checkout."""
    folder.mkdir()
    for name in _IN_A_CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    return folder


def walk_through(text: str, folder: Path, environment: Mapping[str, str]) -> Walked:
    """Run it; never raises."""
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/operator:{ROOT}/runner", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    parts = re.split(rf"^{_BLOCK}(\d+)\n", done.stdout, flags=re.MULTILINE)
    printed = {int(line): text for line, text in zip(parts[1::2], parts[2::2], strict=True)}
    return Walked(done.returncode, done.stdout, printed)


def missing_lines(shown_text: str, printed: str) -> list[str]:
    """Lines of a shown output that were not printed; `...` stands for anything, runs of blanks for one."""
    real = [" ".join(line.split()) for line in printed.splitlines()]
    found = []
    for line in filter(None, (" ".join(line.split()) for line in shown_text.splitlines())):
        pattern = re.compile(r"\S.*".join(re.escape(part) for part in line.split("...")))
        if not any(pattern.fullmatch(each) for each in real):
            found.append(line)
    return found
