"""Reads TAP (12 to 14): one line a test, named by its description, subtests by `parent > child`."""

import re
from typing import Dict, List, Tuple

from benchwarden_runner.grading.results import FAILED, PASSED, SKIPPED, NoResultsError, merge

_LINE = re.compile(
    r"^(?P<indent> *)(?P<not>not )?ok\b(?: +(?P<number>\d+))?(?: *- *| +)?(?P<rest>.*)$"
)
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(?P<word>skip|todo)\b.*$", re.IGNORECASE)
_SUBTEST = re.compile(r"^(?P<indent> *)# Subtest: (?P<name>.*)$")
_INDENT = 4


def parse(text: str) -> Dict[str, str]:
    """Status by test name; a test without a description is named by its number.

    `# SKIP` is SKIPPED; `# TODO` is FAILED unless it is ok.

    Raises:
        NoResultsError: there is no test line.
    """
    reports: List[Tuple[str, str]] = []
    path: Dict[int, str] = {}
    for line in map(str.rstrip, text.splitlines()):
        opening = _SUBTEST.match(line)
        if opening:
            # It stands above its tests and is indented one level less than they are.
            path[len(opening.group("indent")) // _INDENT] = opening.group("name")
            continue
        match = _LINE.match(line)
        if match:
            reports.append(_report(match, path))
            depth = len(match.group("indent")) // _INDENT
            path = {level: name for level, name in path.items() if level < depth}
    if not reports:
        raise NoResultsError("the output holds no TAP test line")
    return merge(reports)


def _report(match: "re.Match[str]", path: Dict[int, str]) -> Tuple[str, str]:
    rest = match.group("rest")
    directive = _DIRECTIVE.search(rest)
    described = rest[: directive.start()].strip() if directive else rest
    name = described.replace("\\#", "#") or (match.group("number") or "")
    depth = len(match.group("indent")) // _INDENT
    parents = [path[level] for level in sorted(path) if level < depth]
    status = FAILED if match.group("not") else PASSED
    if directive and directive.group("word").lower() == "skip":
        status = SKIPPED
    return " > ".join([*parents, name]), status
