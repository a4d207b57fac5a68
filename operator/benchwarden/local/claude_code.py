"""The Claude Code binary on this machine: fetched once by the user's own npm, checked, cached by version.

It is never redistributed: whoever runs benchwarden downloads it from the registry their npm is set up for.
The folder of a version looks like /opt/claude-code in a runner image: the binary, VERSION and SHA256SUMS.
"""

import base64
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchwarden.api.agent import LATEST
from benchwarden.clis.packument import PACKAGE
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.names import ENV_CACHE, REASON_INVALID_SPEC
from benchwarden_runner.specs import CLAUDE_GLIBC, CLAUDE_MUSL

_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_VERSION: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")
_NPM_SECONDS: Final = 900


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Where versions are kept: $BENCHWARDEN_CACHE/claude-code, by default below ~/.cache/benchwarden."""
    if environment.get(ENV_CACHE):
        return Path(environment[ENV_CACHE]) / "claude-code"
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "benchwarden" / "claude-code"


def cached(version: str, cache: Path) -> Path:
    """The folder of an exact version.

    Raises:
        UnavailableError: it was not fetched yet; says the command that does it.
    """
    folder = cache / version
    if not (folder / _binary()).is_file():
        raise UnavailableError(
            f"Claude Code {version} is not here; run: benchwarden claude fetch {version}"
        )
    return folder


def latest(registry: str = "") -> str:
    """The version that the registry calls latest.

    Raises:
        UnavailableError: npm is missing or the registry refuses.
    """
    words = ("view", f"{PACKAGE}@{LATEST}", "version", "--json", *_at(registry))
    return str(json.loads(_npm(*words, at=Path.cwd())))


def fetch(version: str, cache: Path, registry: str = "") -> Path:
    """The folder of `version`, fetched and verified if it is not cached; `latest` is resolved first.

    Args:
        version: exact, or `latest`.
        cache: where versions are kept.
        registry: address of an npm registry; empty = the one that npm is set up for.

    Raises:
        InvalidInputError: no version number.
        UnavailableError: npm is missing or the registry refuses.
    """
    if version == LATEST:
        version = latest(registry)
    if not _VERSION.fullmatch(version):
        raise InvalidInputError(
            f"{version!r} is no version; give one such as 2.1.330, or latest",
            reason=REASON_INVALID_SPEC,
            field="VERSION",
        )
    folder = cache / version
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _binary()).is_file():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                _download(version, Path(scratch), registry).replace(folder / _binary())
            _describe(folder, version)
    return folder


def _binary() -> str:
    return CLAUDE_MUSL if _is_musl() else CLAUDE_GLIBC


def _is_musl() -> bool:
    return any(Path("/lib").glob("ld-musl-*")) and platform.libc_ver()[0] != "glibc"


def _platform() -> str:
    machine = _MACHINES.get(platform.machine().lower())
    if platform.system() != "Linux" or machine is None:
        raise UnavailableError(
            f"Claude Code is run on Linux x64 or arm64, not on {platform.system()} {platform.machine()}"
        )
    return f"linux-{machine}-musl" if _is_musl() else f"linux-{machine}"


def _at(registry: str) -> tuple[str, ...]:
    return (f"--registry={registry}", f"--@anthropic-ai:registry={registry}") if registry else ()


def _download(version: str, scratch: Path, registry: str) -> Path:
    package, where = f"{PACKAGE}-{_platform()}@{version}", _at(registry)
    wanted = str(json.loads(_npm("view", package, "dist.integrity", "--json", *where, at=scratch)))
    _npm("pack", package, "--json", *where, at=scratch)
    archive = next(scratch.glob("*.tgz"))  # its name differs between versions of npm
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != wanted:
        raise UnavailableError(
            f"{package}: its checksum is {found}, the registry says {wanted}; nothing was installed"
        )
    target = scratch / "claude"
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/claude")
        if member is None:
            raise UnavailableError(f"{package} holds no program")
        with target.open("wb") as out:
            shutil.copyfileobj(member, out)
            out.flush()
            os.fsync(out.fileno())
    target.chmod(0o755)
    return target


def _describe(folder: Path, version: str) -> None:
    lines = []
    for path in sorted(folder.glob("claude-*")):
        with path.open("rb") as binary:
            lines.append(f"{hashlib.file_digest(binary, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))
    (folder / "VERSION").write_text(f"{version}\n")


def _npm(*words: str, at: Path) -> str:
    try:
        done = subprocess.run(
            ["npm", *words],
            cwd=at,
            capture_output=True,
            text=True,
            check=True,
            timeout=_NPM_SECONDS,
        )
    except FileNotFoundError as error:
        raise UnavailableError("npm is needed to fetch Claude Code; install Node.js") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"npm {words[0]} took longer than {_NPM_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        detail = " ".join(error.stderr.split())[-900:]
        raise UnavailableError(f"npm {words[0]} {words[1]} failed: {detail}") from error
    return done.stdout
