"""The runner image with the real Claude Code in it, built as a user builds it; only this machine's cluster gets it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from benchwarden import names
from tests.claude_binary import GLIBC, NAMES, VERSION, cache_directory, ensure_claude
from tests.cluster import dockerfile
from tests.cluster.reach import Cluster

IMAGE = "localhost/benchwarden-claude-code:test"
_SOURCES = (
    "Dockerfile",
    ".dockerignore",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "operator",
    "runner",
    "locks",
)


@cache  # once a process: fixtures of modules whose tests alternate would build it again and again
def ensure_claude_image(cluster: Cluster) -> str:
    """Build the Dockerfile's target `claude-code` from this checkout and load it.

    A foreign cluster has it under the name in BENCHWARDEN_RUNNER_IMAGE.

    Raises:
        ClaudeUnavailableError: the binary cannot be fetched here.
    """
    if not cluster.loads:
        return os.environ.get(names.ENV_RUNNER_IMAGE, IMAGE)
    binary = ensure_claude(VERSION, GLIBC)
    with tempfile.TemporaryDirectory(prefix="context-", dir=cache_directory()) as folder:
        context = Path(folder)
        _copy_sources(context)
        _add_binary(binary, context / "claude-code")
        arguments = {"CLAUDE_CODE_VERSION": VERSION}
        cluster.load(dockerfile.build_dockerfile("claude-code", arguments, IMAGE, context=context))
    return IMAGE


def _copy_sources(context: Path) -> None:
    """The build context apart from the checkout, which never holds the binary."""
    leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in _SOURCES:
        source = dockerfile.REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=leave_out)
        else:
            shutil.copy2(source, context / name)


def _add_binary(binary: Path, folder: Path) -> None:
    """One build is enough here: all images of these tests have the same C library."""
    folder.mkdir()
    name = NAMES[GLIBC]
    (folder / name).hardlink_to(binary)
    with binary.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    (folder / "VERSION").write_text(f"{VERSION}\n")
    (folder / "SHA256SUMS").write_text(f"{digest}  {name}\n")
