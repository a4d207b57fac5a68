"""Path patterns of a task: `*` and `?` stay within a component, `**` crosses them, a folder means all below it."""

from typing import List, Sequence, Set

_FOLDERS, _ALL = "**/", "**"


def matches_any(path: str, patterns: Sequence[str]) -> bool:
    """Whether a relative `path`, or a folder it lies in, matches one of `patterns`."""
    folders = [place for place, mark in enumerate(path) if mark == "/"]
    ends = {*folders, len(path)}
    return any(not ends.isdisjoint(_ends(_parts(each), path)) for each in patterns)


def matches(path: str, pattern: str) -> bool:
    """Whether a relative `path` itself matches `pattern`."""
    return len(path) in _ends(_parts(pattern), path)


def _parts(pattern: str) -> List[str]:
    """`**/`, `**`, `*`, `?` and single characters."""
    parts = []
    pattern = pattern.strip("/")
    position = 0
    while position < len(pattern):
        part = next((each for each in (_FOLDERS, _ALL) if pattern.startswith(each, position)), "")
        part = part or pattern[position]
        parts.append(part)
        position += len(part)
    return parts


def _ends(parts: Sequence[str], path: str) -> Set[int]:
    """Every position of `path` at which the parts can end, beginning at its start.

    All ways are followed side by side: an agent chooses the path, and a search that tries one way after the
    other could be made to take for ever.
    """
    places = {0}
    for part in parts:
        if not places:
            break
        first = min(places)
        if part == _ALL:
            places = set(range(first, len(path) + 1))
        elif part == _FOLDERS:
            places |= {place + 1 for place in range(first, len(path)) if path[place] == "/"}
        elif part == "*":
            places = _within_component(places, path)
        elif part == "?":
            places = {at + 1 for at in places if at < len(path) and path[at] != "/"}
        else:
            places = {at + 1 for at in places if path.startswith(part, at)}
    return places


def _within_component(places: Set[int], path: str) -> Set[int]:
    found: Set[int] = set()
    for begin in places:
        at = begin
        while at not in found:
            found.add(at)
            if at == len(path) or path[at] == "/":
                break
            at += 1
    return found
