"""The uploader's last word, as its termination message carries it: how much it kept, and what went wrong first."""

import json
from dataclasses import dataclass

_SHORTEST = 40


@dataclass(frozen=True, slots=True)
class Word:
    """What an uploader says when its pod ends; `kept` and `failed` count launches."""

    kept: int = 0
    failed: int = 0
    error: str = ""

    def encode(self, limit_bytes: int) -> bytes:
        """One ASCII line of at most `limit_bytes` bytes; the error is cut to fit."""
        error = self.error.encode("ascii", "replace").decode()
        while True:
            data = {"upload": 1, "kept": self.kept, "failed": self.failed, "error": error}
            line = json.dumps(data, separators=(",", ":")).encode()
            if len(line) <= limit_bytes or len(error) < _SHORTEST:
                return line
            error = error[: len(error) * 3 // 4]


def decode(text: str) -> Word | None:
    """The word in `text`; None if there is none."""
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("upload") != 1:
            return None
        return Word(int(data["kept"]), int(data["failed"]), str(data["error"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
