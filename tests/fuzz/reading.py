"""What targets have in common: JSON out of bytes, and what may never happen whatever the bytes are."""

import json
from typing import Any

from benchwarden.errors import InvalidInputError

MOST_MESSAGE_CHARACTERS = 20_000


def split(data: bytes) -> tuple[int, bytes]:
    """The first byte chooses a way in, the rest is the input."""
    return (data[0], data[1:]) if data else (0, b"")


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def json_of(data: bytes) -> Any:
    """The JSON value in `data`, or None: what the API server hands over is always JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def check_refusal(error: InvalidInputError) -> None:
    """A refusal has a reason for machines, and a message that a condition can carry and a person can read."""
    assert error.reason, "a refusal without a reason"
    message = str(error)
    assert message, "a refusal that says nothing"
    assert len(message) <= MOST_MESSAGE_CHARACTERS, f"a refusal of {len(message)} characters"
    message.encode("utf-8")  # else no status and no terminal could carry it


def check_said(error: Exception) -> None:
    """An error that is expected says something."""
    assert str(error), "an error that says nothing"


def check_text(*texts: str) -> None:
    """Text from outside must be writable as UTF-8: reports, ConfigMaps and terminals are."""
    for text in texts:
        text.encode("utf-8")
