"""Fetches the real Claude Code binary with the user's own npm, checked and cached outside the work tree.

`ensure_claude("2.1.330")` is the path of the glibc build; nothing is fetched twice. As a script it prints
the path: `python tests/claude_binary.py 2.1.330 [linux-x64-musl]`.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "2.1.330"
GLIBC = "linux-x64"
MUSL = "linux-x64-musl"
NAMES = {GLIBC: "claude-glibc", MUSL: "claude-musl"}


class ClaudeUnavailableError(RuntimeError):
    """The binary cannot be had here; tests that need it are skipped by the caller, saying why."""


def cache_directory() -> Path:
    """Where binaries are kept, shared by all checkouts."""
    base = os.environ.get("BENCHWARDEN_CACHE") or Path("~/.cache/benchwarden").expanduser()
    return Path(base) / "claude-code"


def ensure_claude(version: str = VERSION, platform: str = GLIBC) -> Path:
    """Path of the executable of exactly this version, fetched and verified when it is not cached.

    Beside it stand VERSION and SHA256SUMS, as the runner image has them in /opt/claude-code.

    Raises:
        ClaudeUnavailableError: npm is missing, the registry refuses, or the checksum differs.
    """
    folder = cache_directory() / version
    path = folder / NAMES[platform]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{platform}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                _fetch(version, platform, Path(scratch)).replace(path)
            _describe(folder, version)
    return path


def _fetch(version: str, platform: str, scratch: Path) -> Path:
    package = f"@anthropic-ai/claude-code-{platform}@{version}"
    wanted = json.loads(_npm("view", package, "dist.integrity", "--json", cwd=scratch))
    report = json.loads(_npm("pack", package, "--json", cwd=scratch))
    archive = scratch / report[0]["filename"]
    if not archive.exists():  # npm < 9 reports the scoped name
        archive = next(scratch.glob("*.tgz"))
    digest = hashlib.sha512(archive.read_bytes()).digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != wanted:
        raise ClaudeUnavailableError(f"{package}: checksum {found}, the registry says {wanted}")
    target = scratch / "claude"
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/claude")
        if member is None:
            raise ClaudeUnavailableError(f"{package} holds no program")
        with target.open("wb") as out:
            shutil.copyfileobj(member, out)
    target.chmod(0o755)
    return target


def _describe(folder: Path, version: str) -> None:
    (folder / "VERSION").write_text(version + "\n")
    sums = []
    for path in sorted(folder.glob("claude-*")):
        with path.open("rb") as binary:
            sums.append(f"{hashlib.file_digest(binary, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))


def _npm(*words: str, cwd: Path) -> str:
    try:
        done = subprocess.run(
            ["npm", *words], cwd=cwd, capture_output=True, text=True, check=True, timeout=900
        )
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        raise ClaudeUnavailableError(f"npm {words[0]} {words[1]}: {detail[-500:]}") from error
    return done.stdout


if __name__ == "__main__":
    print(ensure_claude(*sys.argv[1:3]))
