"""Text from agents, tests and tasks is hostile until cleaned: it may steer a terminal or reorder a line."""

import re
import unicodedata
from typing import Final

# CSI (colours, cursor), OSC (titles, hyperlinks, clipboard) up to BEL or ST, and two-character escapes.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b."
)
# Controls, format characters (bidi overrides, zero-width), surrogates, private use, unassigned.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_ELLIPSIS: Final = "…"


def one_line(text: str, limit: int = 500) -> str:
    """Return the text as one visible line of at most `limit` characters, an ellipsis marking a cut.

    Escape sequences vanish whole; line breaks and tabs become single spaces; control, bidi and other
    invisible characters are dropped.
    """
    spaced = " ".join(_visible(text).split())
    return spaced if len(spaced) <= limit else spaced[: limit - 1] + _ELLIPSIS


def _visible(text: str) -> str:
    return "".join(
        " " if character.isspace() else character
        for character in _ESCAPES.sub("", text)
        if character.isspace() or unicodedata.category(character) not in _HIDDEN
    )
