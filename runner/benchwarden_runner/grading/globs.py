"""Path patterns of a task: `*` and `?` stay within a component, `**` crosses them, a folder means all below it."""

import re
from typing import Sequence


def matches_any(path: str, patterns: Sequence[str]) -> bool:
    """Whether a relative `path`, or a folder it lies in, matches one of `patterns`."""
    return any(re.fullmatch(f"(?s:{_expression(each)}(?:/.*)?)", path) for each in patterns)


def matches(path: str, pattern: str) -> bool:
    """Whether a relative `path` itself matches `pattern`."""
    return re.fullmatch(f"(?s:{_expression(pattern)})", path) is not None


def _expression(pattern: str) -> str:
    parts = []
    pattern = pattern.strip("/")
    position = 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            parts.append("(?:.*/)?")
            position += 3
        elif pattern.startswith("**", position):
            parts.append(".*")
            position += 2
        else:
            mark = pattern[position]
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(mark, re.escape(mark)))
            position += 1
    return "".join(parts)
