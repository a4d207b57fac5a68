"""A fresh copy of an instance's work tree: the local stand-in for a container's own root filesystem."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.local.directory import remove_tree
from benchwarden.names import REASON_SUITE_INVALID
from benchwarden.suites.instance import Instance, LocalWorkspace, Panel


def check_panel(panel: Panel) -> None:
    """Refuse a panel that cannot run without images, before anything is started.

    Raises:
        InvalidInputError: names the instance and the field.
    """
    for instance in panel.instances:
        local = _local(instance)
        for field, path in (
            ("local.archive", local.archive),
            *((f"local.pathEntries[{at}]", entry) for at, entry in enumerate(local.path_entries)),
        ):
            if not Path(path).exists():
                raise InvalidInputError(
                    f"{path} does not exist",
                    reason=REASON_SUITE_INVALID,
                    field=f"{instance.id}: {field}",
                )


def unpack(instance: Instance, target: Path) -> None:
    """Put a fresh copy of the work tree at `target`, replacing what is there.

    Raises:
        UnavailableError: the archive cannot be unpacked.
    """
    archive = Path(_local(instance).archive)
    remove_tree(target) if target.exists() else None
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if archive.is_dir():
            shutil.copytree(archive, target, symlinks=True)
            return
        target.mkdir()
        # tar itself refuses absolute names and `..`, on every Python version alike.
        subprocess.run(
            ["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", target],
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{archive}: {error.stderr.strip()[-300:]}") from error
    except OSError as error:
        raise UnavailableError(f"{archive}: {error}") from error


def fingerprint(instance: Instance) -> str:
    """What stands for the image's digest in results: of the archive; empty for a folder."""
    archive = Path(_local(instance).archive)
    if archive.is_dir():
        return ""
    with archive.open("rb") as file:
        return f"local@sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def path_entries(instance: Instance) -> tuple[str, ...]:
    """Folders that go in front of PATH."""
    return _local(instance).path_entries


def _local(instance: Instance) -> LocalWorkspace:
    if instance.local is None:
        raise InvalidInputError(
            "is missing, so the instance runs only on a cluster; add it, or leave the instance out"
            " (spec.suite.selection.exclude)",
            reason=REASON_SUITE_INVALID,
            field=f"{instance.id}: local",
        )
    return instance.local
