"""The published swebench package as a folder of source files: fetched by pip once, checked, never installed."""

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "5.0.2"
SHA256 = "b7f0416a1e686eca22c2f749b5f816685a202835032f6683080e2b53545bbb62"


@lru_cache(maxsize=1)
def ensure_swebench() -> Path:
    """A folder to put on `sys.path`; its package `swebench` has none of its dependencies beside it."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "benchwarden"
    cache = Path(os.environ.get("BENCHWARDEN_CACHE") or home) / f"swebench-{VERSION}"
    if cache.is_dir():
        return cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache.parent) as scratch:
        place = Path(scratch)
        venv.create(place / "pip", with_pip=True)
        words = ["--disable-pip-version-check", "download", "--no-deps", "--dest", scratch]
        python = place / "pip" / "bin" / "python"
        wanted = f"swebench=={VERSION}"
        subprocess.run([python, "-m", "pip", "-q", *words, wanted], check=True, stdout=sys.stderr)
        (wheel,) = place.glob("*.whl")
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place / "unpacked")
        try:
            (place / "unpacked").rename(cache)
        except OSError:  # somebody else was quicker
            assert cache.is_dir()
    return cache
