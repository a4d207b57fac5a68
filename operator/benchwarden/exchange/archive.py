"""Objects of a namespace as a tar of JSON files, readable with tar and jq, the same bytes for the same objects."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

from benchwarden.exchange.results import unreadable

FOLDER: Final = "benchwarden-export-1"  # the number is that of the format
_MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257
_LARGEST: Final = 4 * 1024 * 1024  # an object of the API server is below 1.5 MiB


def is_archive(data: bytes) -> bool:
    """Whether this is a tar."""
    return data[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def pack(objects: Iterable[Mapping[str, Any]]) -> bytes:
    """A tar with one file per object: FOLDER/KIND/NAME.json."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for each in objects:
            content = json.dumps(each, indent=1, sort_keys=True).encode()
            info = tarfile.TarInfo(f"{FOLDER}/{each['kind']}/{each['metadata']['name']}.json")
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return written.getvalue()


def unpack(data: bytes) -> list[dict[str, Any]]:
    """The objects, in the order they were packed.

    Raises:
        InvalidInputError: it is no such archive, or cut; names the file.
    """
    found: list[dict[str, Any]] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                if not member.isfile() or not member.name.startswith(f"{FOLDER}/"):
                    raise unreadable(
                        f"only files of {FOLDER}/ are expected; was it written by another version?",
                        member.name,
                    )
                if member.size > _LARGEST:
                    raise unreadable("is too large for an object", member.name)
                file = tar.extractfile(member)
                found.append(_object(file.read() if file else b"", member.name))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise unreadable(f"not an export of a namespace: {error}") from error
    return found


def _object(content: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"not JSON: {error}", place) from error
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("kind"), str)
        or not isinstance(found.get("metadata"), dict)
        or not isinstance(found["metadata"].get("name"), str)
    ):
        raise unreadable("not an object of Kubernetes", place)
    return found
