"""The other side of a comparison as bytes: result rows, a compressed shard, or SWE-bench's `{instance: bool}`."""

import json

from benchwarden.results import shards
from benchwarden.results.tally import Tally

GZIP_MAGIC = b"\x1f\x8b"


def parse_base(data: bytes) -> dict[str, tuple[int, int]]:
    """Passes and valid trials by instance.

    Args:
        data: gzip shard, JSON lines of rows, or one JSON object of instance ids and booleans.

    Raises:
        InvalidInputError: it is none of these.
    """
    if data.startswith(GZIP_MAGIC):
        return Tally(shards.unpack(data)).cells()
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and all(isinstance(value, bool) for value in whole.values()):
        return {key: (int(value), 1) for key, value in whole.items()}
    return Tally(shards.parse_lines(data)).cells()
