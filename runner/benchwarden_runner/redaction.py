"""Keeps secrets out of everything the runner writes.

Their values come from variables that were declared to be secret, and from those that are named like secrets.
"""

import json
import re
from typing import FrozenSet, Iterable, Iterator, List, Mapping, Tuple
from urllib.parse import quote

from benchwarden_runner.protocol import ENV_SECRET_NAMES

_SECRET_NAME = re.compile(
    r"(_KEY|_TOKEN|_SECRET|_PASSWORD|_PASSWD|_CREDENTIALS?|_ACCESS_KEY_ID)$|^(TOKEN|PASSWORD|SECRET)$"
)
_SHORTEST = 8  # shorter values would blank out ordinary text
_CHUNK_BYTES = 1 << 20


def declared(environment: Mapping[str, str]) -> FrozenSet[str]:
    """Names of the variables that the operator declared to hold secrets."""
    return frozenset(filter(None, environment.get(ENV_SECRET_NAMES, "").split(",")))


class Redactor:
    """Replaces the values of declared and of secret-looking variables by `[redacted NAME]`.

    Each value is also found as JSON and URLs would spell it, and of a value that is a JSON object, as clouds
    give out their credentials, those members that are named like secrets.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        found: List[Tuple[str, str]] = []
        listed = declared(environment)
        for name, value in environment.items():
            secret = name in listed or _SECRET_NAME.search(name.upper())
            if secret and len(value) >= _SHORTEST:
                for part in (value, *_secret_parts(value)):
                    spellings = {part, json.dumps(part)[1:-1], quote(part, safe="")}
                    found += [(spelling, f"[redacted {name}]") for spelling in spellings]
        self._pairs = sorted(found, key=lambda pair: -len(pair[0]))  # longest first: no remains
        self._longest = max((len(value.encode()) for value, _ in found), default=0)

    def text(self, text: str) -> str:
        """`text` without secrets."""
        for value, mark in self._pairs:
            text = text.replace(value, mark)
        return text

    def data(self, data: bytes) -> bytes:
        """`data` without secrets."""
        for value, mark in self._pairs:
            data = data.replace(value.encode("utf-8", "surrogateescape"), mark.encode())
        return data

    def chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The concatenation of `chunks` without secrets, also those that lie across two chunks."""
        rest = b""
        for chunk in chunks:
            rest = self.data(rest + chunk)
            keep = self._safe_cut(rest)
            yield rest[:keep]
            rest = rest[keep:]
        yield rest

    def _safe_cut(self, data: bytes) -> int:
        """How much of `data` cannot be the beginning of a secret that the next chunk completes."""
        return max(0, len(data) - max(0, self._longest - 1))


def _secret_parts(value: str) -> List[str]:
    if not value.lstrip().startswith("{"):
        return []
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return [
        member
        for name, member in members.items()
        if isinstance(member, str)
        and len(member) >= _SHORTEST
        and _SECRET_NAME.search(name.upper())
    ]
