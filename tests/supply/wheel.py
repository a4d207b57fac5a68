"""The wheel from a copy of the sources in any folder: byte for byte the same wherever and whenever it is built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EPOCH = "1767225600"  # 2026-01-01; a release takes the time of its commit
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "operator", "runner")


def copy_of_the_sources(folder: Path) -> Path:
    """What the wheel is made of, as git knows it."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", *SOURCES], cwd=ROOT, text=True
    ).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(sources: Path, target: Path) -> Path:
    """Build with the locked backend of this environment; nothing is downloaded."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=sources, env=environment, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel
