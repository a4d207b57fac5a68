"""What lies compressed in a ConfigMap, unpacked up to a size: a small object must not fill the memory."""

import zlib
from typing import Final

LARGEST_BYTES: Final = 64 * 1024 * 1024
_GZIP: Final = 31  # zlib's word for "a gzip header and the largest window"


def gunzip(data: bytes, most_bytes: int = LARGEST_BYTES) -> bytes:
    """The content of one gzip stream.

    Raises:
        ValueError: it is none, is cut or damaged, or unpacks to more than `most_bytes`.
    """
    engine = zlib.decompressobj(wbits=_GZIP)
    try:
        content = engine.decompress(data, most_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"not gzip, or damaged: {error}") from error
    if len(content) > most_bytes:
        raise ValueError(f"unpacks to more than {most_bytes} bytes")
    if not engine.eof:
        raise ValueError("it is cut")
    return content
