"""How seeds are written down."""

import json
from typing import Any


def as_json(value: Any, way: int | None = None) -> bytes:
    """A JSON document, behind the byte that chooses a way in if the target has several."""
    body = json.dumps(value).encode()
    return body if way is None else bytes([way]) + body
