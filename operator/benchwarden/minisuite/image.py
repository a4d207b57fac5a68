"""What an image needs on top of a Debian with git and Python: repositories, and pytest on PATH."""

import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from benchwarden.minisuite.build import MANIFEST, SITE, TASKS
from benchwarden.minisuite.rows import TOOLS
from benchwarden.minisuite.table import IMAGE

IMAGES: Final = "images"
_HOME: Final = "opt/mini-suite"
_DOCKERFILE: Final = """\
ARG BASE=debian:12-slim
FROM ${BASE}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends bash ca-certificates git python3 \\
 && rm -rf /var/lib/apt/lists/*
COPY --chown=0:0 rootfs/ /
"""


def image_layers(suite: Path) -> dict[str, Path]:
    """Image references of a built suite, each with a folder to be put over a base root filesystem.

    The base needs a shell, git and python3. Files belong to whoever runs this; an image must give
    them to root, as git refuses repositories of other owners. Beside each folder lies a Dockerfile.
    """
    manifest = json.loads((suite / MANIFEST).read_bytes())
    return {image: _layer(suite, image) for image in manifest["images"]}


def image_layer(suite: Path) -> Path:
    """The folder of the main image, which holds most instances."""
    layers = image_layers(suite)
    return next(path for image, path in layers.items() if image.rpartition(":")[0] == IMAGE)


def _layer(suite: Path, image: str) -> Path:
    target = suite / IMAGES / image.rpartition("/")[2].partition(":")[0]
    if not target.is_dir():
        target.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".layer-", dir=target.parent) as folder:
            made = Path(folder) / "made"
            _write(suite, image, made / "rootfs")
            (made / "Dockerfile").write_text(_DOCKERFILE)
            made.chmod(0o755)
            _put(made, target)
    return target / "rootfs"


def _put(made: Path, target: Path) -> None:
    """Rename, unless another process was faster."""
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _write(suite: Path, image: str, rootfs: Path) -> None:
    home = rootfs / _HOME
    (home / TOOLS).mkdir(parents=True)
    shutil.copytree(suite / SITE, home / SITE)
    shutil.copy2(suite / TOOLS / "pytest", home / TOOLS / "pytest")
    local_bin = rootfs / "usr/local/bin"
    local_bin.mkdir(parents=True)
    (local_bin / "pytest").symlink_to(f"/{_HOME}/{TOOLS}/pytest")
    for line in (suite / TASKS).read_bytes().splitlines():
        task = json.loads(line)
        work_tree = rootfs / task["workdir"].lstrip("/")
        if task["image"] == image and not work_tree.exists():
            work_tree.mkdir(parents=True)
            _unpack(suite / task["local"]["archive"], work_tree)
    for folder in (rootfs, *(path for path in rootfs.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a repository that this package packed itself: files and folders with plain modes."""
    with tarfile.open(archive) as tar:
        for member in tar:
            target = folder / member.name
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is None:
                target.mkdir(exist_ok=True)
            else:
                target.write_bytes(stream.read())
                target.chmod(member.mode)
