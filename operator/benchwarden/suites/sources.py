"""Bytes from outside: files, https addresses, buckets and datasets, each with a size cap and a time limit."""

import hashlib
import os
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final, Protocol

from benchwarden import names
from benchwarden.api.suite import Dataset
from benchwarden.artifacts.assignment import Destination
from benchwarden.artifacts.storage import open_storage
from benchwarden.errors import InvalidInputError, UnavailableError

SUITE_BYTES: Final = 128 * 1024 * 1024
URL_SECONDS: Final = 120.0
_SILENCE_SECONDS: Final = 20.0
_CHUNK_BYTES: Final = 64 * 1024
_S3: Final = "s3://"

ReadConfigMap = Callable[[str, str], bytes]


class Sources(Protocol):
    """Where suites are read from. Each method raises UnavailableError if it cannot read now."""

    def read_config_map(self, name: str, key: str) -> bytes:
        """The bytes under `key` of a ConfigMap in the run's namespace."""
        ...

    def read_path(self, path: str) -> bytes:
        """The bytes of a regular file."""
        ...

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at `path`."""
        ...

    def read_url(self, url: str) -> bytes:
        """The bytes behind an https or s3 address."""
        ...

    def read_dataset(self, dataset: Dataset) -> Iterable[Mapping[str, Any]]:
        """The rows of a dataset's split."""
        ...


class OutsideSources:
    """The real sources; reading ConfigMaps is the caller's, who knows the namespace and the client."""

    def __init__(
        self,
        read_config_map: ReadConfigMap,
        *,
        max_bytes: int = SUITE_BYTES,
        url_seconds: float = URL_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Make them; `environment`, by default this process's, has the credentials for buckets."""
        self._environment = os.environ if environment is None else environment
        self._read_config_map = read_config_map
        self._max_bytes = max_bytes
        self._url_seconds = url_seconds

    def read_config_map(self, name: str, key: str) -> bytes:
        """The bytes under `key`, by the caller's reader."""
        return self._read_config_map(name, key)

    def read_path(self, path: str) -> bytes:
        """The bytes of a regular file of at most `max_bytes`; devices and pipes are refused."""
        try:
            # O_NONBLOCK: opening a pipe must not wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"cannot read {path}: {_why(error)}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _refused(f"{path} is not a regular file")
        with os.fdopen(descriptor, "rb") as stream:
            try:
                return _capped(stream, path, self._max_bytes)
            except OSError as error:
                raise UnavailableError(f"cannot read {path}: {_why(error)}") from error

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at `path`; false also if one may not look."""
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116  # as above, one system call
        except (OSError, ValueError):
            return False

    def read_url(self, url: str) -> bytes:
        """The bytes behind an https or s3 address, within `max_bytes` and `url_seconds` in all.

        Redirects are followed to https addresses only. Proxy variables and the system's
        certificate authorities (or SSL_CERT_FILE) apply.
        """
        if url.startswith(_S3):
            return self._read_object(url)
        _https_only(url)
        opener = urllib.request.build_opener(_HttpsRedirects())
        deadline = time.monotonic() + self._url_seconds
        try:
            with opener.open(url, timeout=min(_SILENCE_SECONDS, self._url_seconds)) as answer:
                return _capped(answer, url, self._max_bytes, deadline)
        except urllib.error.HTTPError as error:
            with error:
                raise UnavailableError(f"{url} answered {error.code}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise UnavailableError(f"cannot read {url}: {_why(error)}") from error

    def _read_object(self, url: str) -> bytes:
        bucket, _, key = url.removeprefix(_S3).partition("/")
        if not key:
            raise _refused(f"{url} names a bucket and no object in it")
        endpoint = self._environment.get(names.ENV_AWS_ENDPOINT_URL, "")
        found, deadline = bytearray(), time.monotonic() + self._url_seconds
        try:
            storage = open_storage(
                Destination(url=_S3 + bucket, endpoint_url=endpoint), self._environment
            )
            for chunk in storage.read(key):
                found += chunk
                _check_progress(url, len(found), self._max_bytes, deadline)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"cannot read {url}: {_why(error)}") from error
        return bytes(found)

    def read_dataset(self, dataset: Dataset) -> Iterator[Mapping[str, Any]]:
        """The rows of a dataset's split; needs the `datasets` extra."""
        try:
            import datasets
        except ImportError as error:
            raise InvalidInputError(
                "needs the datasets extra: pip install 'benchwarden[datasets]'",
                reason=names.REASON_UNSUPPORTED,
                field="dataset",
            ) from error
        try:
            rows = datasets.load_dataset(
                dataset.id,
                dataset.config,
                split=dataset.split,
                revision=dataset.revision,
                streaming=True,
            )
            yield from rows
        except InvalidInputError:
            raise
        except Exception as error:  # the library's errors have no common base
            raise UnavailableError(
                f"cannot read dataset {dataset.id} at {dataset.revision}: {_why(error)}"
            ) from error


def check_sha256(content: bytes, expected: str, place: str) -> None:
    """Refuse content whose sha256 (hex) is not the expected one.

    Raises:
        InvalidInputError: with reason SuiteInvalid.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise _refused(f"{place} has sha256 {found}, not {expected}; update one of them")


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _https_only(newurl)
        except InvalidInputError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _https_only(url: str) -> None:
    if not url.startswith("https://"):
        raise _refused(f"{url} is not an https address")


def _capped(stream: IO[bytes], place: str, max_bytes: int, deadline: float | None = None) -> bytes:
    """All bytes of a stream, refusing more than `max_bytes` and reading past `deadline`."""
    parts = bytearray()
    # read1: one system call each, so that a slow sender cannot hold us past the deadline.
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK_BYTES):
        parts += chunk
        _check_progress(place, len(parts), max_bytes, deadline)
    return bytes(parts)


def _check_progress(place: str, size: int, max_bytes: int, deadline: float | None) -> None:
    if size > max_bytes:
        raise _refused(f"{place} is over {max_bytes} bytes; split the suite")
    if deadline is not None and time.monotonic() > deadline:
        raise UnavailableError(f"{place} sends too slowly")


def _refused(text: str) -> InvalidInputError:
    return InvalidInputError(text, reason=names.REASON_SUITE_INVALID, field="source")


def _why(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)[:300]
