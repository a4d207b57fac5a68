"""The two kinds of place for artifacts behind one small interface: a folder, and a bucket by pyarrow and fsspec."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from benchwarden.artifacts.assignment import Destination
from benchwarden.errors import UnavailableError
from benchwarden.names import (
    ENV_AWS_ACCESS_KEY_ID,
    ENV_AWS_REGION,
    ENV_AWS_SECRET_ACCESS_KEY,
    ENV_AWS_SESSION_TOKEN,
    ENV_CA_FILE,
)

CHUNK_BYTES: Final = 1 << 20
_CONNECT_SECONDS: Final = 10
_REQUEST_SECONDS: Final = 30
_ANY_REGION: Final = "us-east-1"  # what services other than AWS expect to be signed for


class Storage(Protocol):
    """Reads and writes files below a root by relative paths with `/`."""

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """Put a file, whole or not at all, in place of what is there; OSError if it cannot."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """A file's content; FileNotFoundError if it is not there, OSError if it cannot be read."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Paths of all files below `prefix`, relative to it, sorted; empty if there is nothing."""
        ...


class FolderStorage:
    """A folder, on a mounted volume or on this machine's disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """See `Storage`."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with fresh.open("wb") as out:
                for chunk in chunks:
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(target)
        except BaseException:  # raised again: no half file stays
            fresh.unlink(missing_ok=True)
            raise

    def read(self, path: str) -> Iterator[bytes]:
        """See `Storage`."""
        with (self._root / path).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def list(self, prefix: str) -> list[str]:
        """See `Storage`."""
        top = self._root / prefix
        found = (Path(folder) / name for folder, _, names in os.walk(top) for name in names)
        return sorted(str(path.relative_to(top)) for path in found)


class BucketStorage:
    """A prefix of a bucket, through any fsspec file system that knows no folders."""

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._root = root.strip("/")

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """See `Storage`."""
        target = f"{self._root}/{path}"
        try:
            with self._files.open(target, "wb") as out:
                for chunk in chunks:
                    out.write(chunk)
        except BaseException:  # raised again
            with contextlib.suppress(Exception):  # closing may have stored a part of it
                self._files.rm_file(target)
            raise

    def read(self, path: str) -> Iterator[bytes]:
        """See `Storage`."""
        with self._files.open(f"{self._root}/{path}", "rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk

    def list(self, prefix: str) -> list[str]:
        """See `Storage`."""
        top = f"{self._root}/{prefix}".rstrip("/") + "/"
        found = self._files.find(top)
        return sorted(str(path).removeprefix(top) for path in found)


def open_storage(destination: Destination, environment: Mapping[str, str]) -> Storage:
    """The storage that a destination names; nothing is asked of it yet.

    Args:
        destination: a folder or a bucket.
        environment: where the credentials of a bucket are (AWS_ACCESS_KEY_ID and so on).

    Raises:
        UnavailableError: the packages for buckets are not installed, or the credentials are missing.
    """
    if destination.folder:
        return FolderStorage(Path(destination.folder))
    parts = urlsplit(destination.url)
    files = _s3(destination.endpoint_url, parts.netloc, environment)
    return BucketStorage(files, parts.netloc + parts.path)


def _s3(endpoint_url: str, bucket: str, environment: Mapping[str, str]) -> Any:
    try:
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow import fs
    except ImportError as error:
        raise UnavailableError(
            "S3-compatible storage needs pyarrow and fsspec: pip install 'benchwarden[storage]'"
        ) from error
    key = environment.get(ENV_AWS_ACCESS_KEY_ID, "")
    secret = environment.get(ENV_AWS_SECRET_ACCESS_KEY, "")
    if not (key and secret):
        raise UnavailableError(
            f"no credentials for {bucket}: an artifacts' Secret needs the keys {ENV_AWS_ACCESS_KEY_ID} and"
            f" {ENV_AWS_SECRET_ACCESS_KEY}; the operator for suites, and the command line, those variables"
        )
    endpoint = urlsplit(endpoint_url)
    options: dict[str, Any] = {
        "access_key": key,
        "secret_key": secret,
        "session_token": environment.get(ENV_AWS_SESSION_TOKEN) or None,
        "region": environment.get(ENV_AWS_REGION) or (_ANY_REGION if endpoint_url else None),
        "connect_timeout": _CONNECT_SECONDS,
        "request_timeout": _REQUEST_SECONDS,
        "background_writes": False,
        "allow_delayed_open": True,  # a small file is then one request
    }
    if environment.get(ENV_CA_FILE):
        options["tls_ca_file_path"] = environment[ENV_CA_FILE]
    if endpoint_url:
        options |= {
            "scheme": endpoint.scheme,
            "endpoint_override": endpoint.netloc + endpoint.path.rstrip("/"),
        }
    elif options["region"] is None:
        options["region"] = fs.resolve_s3_region(bucket)
    return ArrowFSWrapper(fs.S3FileSystem(**options))
