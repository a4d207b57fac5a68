"""Brings Claude Code from an npm registry into `tools`: each build once, and only with the hash that was pinned.

The run's release names archives and their hashes; nothing here chooses a version. With a cache folder
(a volume that pods share) an archive that is there and has the right hash is not fetched again; one that is
damaged is replaced. A cache that cannot be written costs time, never the run.
"""

import base64
import hashlib
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.error
from pathlib import Path
from typing import IO, Callable, Optional, Tuple

from benchwarden_runner import protocol
from benchwarden_runner.npm_credentials import (
    NO_CREDENTIALS,
    CredentialsError,
    NpmCredentials,
    open_url,
)
from benchwarden_runner.specs import CliBuild, CliRelease

ATTEMPTS = 4
MAX_ARCHIVE_BYTES = 1 << 30
_MEMBER = "package/claude"
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_HASHES = ("sha512", "sha384", "sha256")
_SILENCE_SECONDS = 60.0
_CHUNK_BYTES = 1 << 20


class ReleaseError(RuntimeError):
    """The CLI cannot be had as pinned; the message names what to mend."""


def bring(
    release: CliRelease,
    target: Path,
    cache: Optional[Path] = None,
    pause: Callable[[float], None] = time.sleep,
    credentials: NpmCredentials = NO_CREDENTIALS,
) -> None:
    """Fill the folder `target` with the builds of `release` for this machine, VERSION and SHA256SUMS.

    Raises:
        ReleaseError: there is no build, the registry does not answer, or an archive is not what was pinned.
    """
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    builds = [build for build in release.builds if build.machine == machine]
    if not builds:
        raise ReleaseError(f"Claude Code {release.version} has no build for {machine}")
    target.mkdir(parents=True, exist_ok=True)
    sums = []
    for build in builds:
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            fetched = Path(scratch) / "archive.tgz"

            def fetch(build: CliBuild = build, fetched: Path = fetched) -> Path:
                return _fetch(build, fetched, pause, credentials)

            archive = _archive(release, build, cache, fetch)
            sums.append(f"{_unpack(archive, target / build.name)}  {build.name}\n")
    (target / "VERSION").write_text(release.version + "\n")
    (target / "SHA256SUMS").write_text("".join(sorted(sums)))


def _archive(
    release: CliRelease, build: CliBuild, cache: Optional[Path], fetch: Callable[[], Path]
) -> Path:
    """The build's verified archive: the cache's, else a fetched one that the cache then keeps."""
    kept = cache / f"{release.version}-{build.machine}-{build.name}.tgz" if cache else None
    if kept is not None and _is_pinned(kept, build.integrity):
        _say(f"{kept.name} is in the cache")
        return kept
    fetched = fetch()
    if kept is not None:
        _keep(fetched, kept)
    return fetched


def _fetch(
    build: CliBuild, target: Path, pause: Callable[[float], None], credentials: NpmCredentials
) -> Path:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _download(build.url, target, credentials)
            if _is_pinned(target, build.integrity):
                return target
            problem = "its hash is not the one that was pinned for the run"
        except CredentialsError as error:
            raise _denied(f"they {error}") from error
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"HTTP {error.code}"
            if error.code in (401, 403):
                given = "with" if credentials.header(build.url) else "without"
                raise _denied(f"{build.url}: {problem}, asked {given} credentials") from error
            if error.code == 404:
                break
        except (OSError, ValueError) as error:
            problem = str(error)
        _say(f"{build.url}: {problem} (attempt {attempt} of {ATTEMPTS})")
        if attempt < ATTEMPTS:
            pause(2.0**attempt)
    raise ReleaseError(
        f"spec.agent.claudeCode: {build.url}: {problem};"
        " check registryUrl, a proxy in execution.env, and execution.networkPolicy.allowedEgress"
    )


def _denied(text: str) -> ReleaseError:
    """What asking again cannot mend."""
    return ReleaseError(f"{protocol.REASON_REGISTRY_DENIED}: {text}")


def _download(url: str, target: Path, credentials: NpmCredentials) -> None:
    # http and https only: the operator checked the address.
    answer = open_url(url, credentials, _SILENCE_SECONDS)
    with answer, target.open("wb") as out:
        size = 0
        for chunk in iter(lambda: answer.read(_CHUNK_BYTES), b""):
            size += len(chunk)
            if size > MAX_ARCHIVE_BYTES:
                raise ValueError(f"is larger than {MAX_ARCHIVE_BYTES} bytes")
            out.write(chunk)


def _is_pinned(path: Path, integrity: str) -> bool:
    name, wanted = _strongest(integrity)
    digest = hashlib.new(name)
    try:
        with path.open("rb") as source:
            for chunk in iter(lambda: source.read(_CHUNK_BYTES), b""):
                digest.update(chunk)
    except OSError:
        return False
    return base64.b64encode(digest.digest()).decode("ascii") == wanted


def _strongest(integrity: str) -> Tuple[str, str]:
    """Algorithm and value of the strongest hash in npm's `integrity`, which may hold several."""
    found = dict(word.partition("-")[::2] for word in integrity.split())
    for name in _HASHES:
        if found.get(name):
            return name, found[name].partition("?")[0]
    raise ReleaseError(f"no hash that can be checked: {integrity[:100]!r}")


def _keep(fetched: Path, kept: Path) -> None:
    """Put the archive into the cache in one step, so that no pod ever reads half of it."""
    try:
        descriptor, name = tempfile.mkstemp(dir=kept.parent)
        try:
            with os.fdopen(descriptor, "wb") as out, fetched.open("rb") as source:
                shutil.copyfileobj(source, out, _CHUNK_BYTES)
                out.flush()
                os.fsync(out.fileno())
            os.chmod(name, 0o644)
            os.replace(name, kept)
        except OSError:
            os.unlink(name)
            raise
    except OSError as error:
        _say(f"the cache keeps nothing: {error}")


def _unpack(archive: Path, target: Path) -> str:
    """Write the program of an archive to `target`; returns its sha256 (hex)."""
    digest = hashlib.sha256()
    try:
        with tarfile.open(archive, "r|gz") as tar:
            member = next((each for each in tar if each.name == _MEMBER and each.isfile()), None)
            source: Optional[IO[bytes]] = tar.extractfile(member) if member is not None else None
            if source is None:
                raise ReleaseError(f"the archive of {target.name} holds no {_MEMBER}")
            with target.open("wb") as out:
                for chunk in iter(lambda: source.read(_CHUNK_BYTES), b""):
                    digest.update(chunk)
                    out.write(chunk)
    except (tarfile.TarError, EOFError) as error:
        raise ReleaseError(f"the archive of {target.name} is damaged: {error}") from error
    target.chmod(0o755)
    return digest.hexdigest()


def _say(text: str) -> None:
    print(f"inject: {text}", file=sys.stderr, flush=True)
