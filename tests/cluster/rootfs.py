"""The base image of the tests: a small Debian with git and Python, made by mmdebstrap, cached."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import packages
from tests.cluster.config import BASE_IMAGE, ClusterError, cache_dir, require_root
from tests.cluster.images import image_from_layer

SUITE = "bookworm"
INCLUDE = (
    "bash",
    "ca-certificates",
    "git",
    "procps",
    "python3",
    "python3-pip",
    "python3-venv",
)
ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
)
# Left out of the image: what nothing in a test reads.
EXCLUDE = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_RECIPE = "2"


def base_image(include: Sequence[str] = INCLUDE, name: str = BASE_IMAGE) -> Path:
    """Return the docker-archive of a minimal Debian with the given packages, building it once.

    The cache is keyed by the recipe (suite, packages, exclusions), so a new recipe builds anew
    and an old one is never rebuilt.

    Raises:
        RootNeededError: It must be built and this process is not root.
        ClusterError: mmdebstrap failed.
    """
    recipe = repr((_RECIPE, SUITE, sorted(include), EXCLUDE, ENVIRONMENT, name))
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    folder = cache_dir() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"debian-{SUITE}-{digest}.tar"
    with (folder / f"debian-{SUITE}-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _build(archive, include, name)
    return archive


def _build(archive: Path, include: Sequence[str], name: str) -> None:
    require_root("make the base image")
    packages.ensure(packages.IMAGE_PROGRAMS)
    started = time.monotonic()
    print("making the base image: half a minute, once", file=sys.stderr)
    layer = archive.with_name(f"{archive.name}.{os.getpid()}.layer.tar")
    command = [
        packages.program("mmdebstrap") or "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--include=" + ",".join(sorted(include)),
        # The machine's own resolver and name are no part of an image.
        '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDE),
        SUITE,
        str(layer),
    ]
    try:
        done = subprocess.run(
            command,
            env=dict(os.environ, SOURCE_DATE_EPOCH="0", DEBIAN_FRONTEND="noninteractive"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"mmdebstrap failed:\n{done.stdout[-2000:]}")
        config = {"Cmd": ["/bin/bash"], "Env": list(ENVIRONMENT), "WorkingDir": "/"}
        image_from_layer(name, layer, config, archive)
    finally:
        layer.unlink(missing_ok=True)
    print(f"made the base image in {time.monotonic() - started:.0f} s", file=sys.stderr)
