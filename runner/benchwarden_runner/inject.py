"""Fills the `tools` volume: Python, this program, Claude Code and a copy of resolv.conf, for all containers."""

import os
import shutil
from pathlib import Path
from typing import Optional

from benchwarden_runner import protocol
from benchwarden_runner.inject_release import bring
from benchwarden_runner.npm_credentials import NO_CREDENTIALS, NpmCredentials
from benchwarden_runner.specs import CliRelease

_RESOLV_CONF = "/etc/resolv.conf"


def inject(
    source: Path,
    claude: Path,
    tools: Path,
    agent_kind: str = "",
    release: Optional[CliRelease] = None,
    cache: Optional[Path] = None,
    credentials: NpmCredentials = NO_CREDENTIALS,
) -> None:
    """Copy everything to `tools`; done again, it starts anew.

    Args:
        source: the folder with `python` and `app`.
        tools: the volume.
        claude: the folder with the builds of Claude Code; need not exist.
        agent_kind: if given and not claudeCode, its hundreds of megabytes are left out.
        release: the CLI to bring from a registry instead of the folder `claude`.
        cache: a folder that keeps what the registry gave.
        credentials: for the registry.

    Raises:
        OSError: something is missing or there is no room.
        ReleaseError: the release cannot be had.
    """
    _copy_tree(source / "python", tools / "python")
    _copy_tree(source / "app", tools / "app")
    if agent_kind in ("", protocol.AGENT_CLAUDE_CODE):
        if release is not None:
            shutil.rmtree(tools / "claude", ignore_errors=True)
            bring(release, tools / "claude", cache, credentials=credentials)
        elif claude.is_dir():
            _copy_tree(claude, tools / "claude")
    resolv_conf = tools / "resolv.conf"
    if os.path.exists(_RESOLV_CONF):
        shutil.copyfile(_RESOLV_CONF, resolv_conf)
    else:
        resolv_conf.write_bytes(b"")


def _copy_tree(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, symlinks=True)
