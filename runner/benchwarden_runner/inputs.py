"""The input archives: small gzip tars with fixed names, read whole into memory and checked."""

import os
import tarfile
from pathlib import Path
from typing import Dict

MAX_BYTES = 256 * 1024 * 1024


class InputError(ValueError):
    """An input archive is missing or not what the operator writes."""


def read_archive(folder: Path, name: str) -> Dict[str, bytes]:
    """Contents of the regular files in archive `name`, by their names inside it.

    Raises:
        InputError: the archive is missing, damaged, or unpacks to more than MAX_BYTES.
    """
    files: Dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(os.path.join(folder, name), "r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is None:
                    continue
                total += member.size
                if total > MAX_BYTES:
                    raise InputError(f"{name}: unpacks to more than {MAX_BYTES} bytes")
                files[os.path.normpath(member.name)] = content.read()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError(f"{name}: {error}") from error
    return files


def require(files: Dict[str, bytes], name: str) -> bytes:
    """The file `name` of an archive; InputError if it is not there."""
    try:
        return files[name]
    except KeyError:
        raise InputError(f"the input archive holds no {name}") from None
