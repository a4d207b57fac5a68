"""Copies the CPython that runs this script into a folder that works in any image, even one without a libc.

Run at image build time: `python3 relocate.py DEST`. The result is started by its own loader, so nothing of
the image it lands in is used:

    DEST/ld-linux --library-path DEST/lib DEST/bin/python3 -I APP

Layout: `ld-linux`, `bin/python3`, `lib/*.so*` (everything ldd names), `lib/pythonX.Y` (the standard library
without its tests and desktop parts).
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Iterable, List, Set, Tuple

LEFT_OUT = (
    "test",
    "tests",
    "idlelib",
    "idle_test",
    "tkinter",
    "turtledemo",
    "turtle.py",
    "ensurepip",
    "lib2to3",
    "pydoc_data",
    "site-packages",
    "dist-packages",
    "__pycache__",
    "*.a",
    "config-*",
)
_LDD_LIBRARY = re.compile(r"^\s*\S+ => (/\S+) \(0x", re.MULTILINE)
_LDD_LOADER = re.compile(r"^\s*(/\S*ld-\S+) \(0x", re.MULTILINE)


class RelocationError(RuntimeError):
    """This Python cannot be made relocatable; the message says why."""


def relocate(destination: Path) -> None:
    """Make `destination` a complete Python; it must not exist yet.

    Raises:
        RelocationError: ldd is missing or reports a library that cannot be found.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = destination / "lib"
    binary = destination / "bin" / "python3"
    binary.parent.mkdir(parents=True)
    shutil.copy2(os.path.realpath(sys.executable), binary)
    shutil.copytree(
        sysconfig.get_path("stdlib"),
        library / version,
        ignore=shutil.ignore_patterns(*LEFT_OUT),
        symlinks=False,
        ignore_dangling_symlinks=True,
    )
    dynload = library / version / "lib-dynload"
    _drop_extensions_that_cannot_load(dynload)
    libraries, loader = needed_libraries([binary, *sorted(dynload.glob("*.so"))])
    for path in sorted(libraries):
        shutil.copy2(os.path.realpath(path), library / Path(path).name)
    shutil.copy2(os.path.realpath(loader), destination / "ld-linux")
    _compile(destination)


def command(destination: Path) -> List[str]:
    """The words that start the copied Python."""
    return [
        str(destination / "ld-linux"),
        "--library-path",
        str(destination / "lib"),
        str(destination / "bin" / "python3"),
    ]


def needed_libraries(files: Iterable[Path]) -> Tuple[Set[str], str]:
    """Paths of all shared libraries that ELF `files` need, and the path of their loader."""
    libraries: Set[str] = set()
    loader = ""
    for path in files:
        output = _ldd(path)
        if "not found" in output:
            raise RelocationError(f"{path} needs a library that is not installed:\n{output}")
        libraries.update(_LDD_LIBRARY.findall(output))
        loader = loader or next(iter(_LDD_LOADER.findall(output)), "")
    loader = loader or next((path for path in libraries if "/ld-" in path), "")
    if not loader:
        raise RelocationError("this Python is not dynamically linked against glibc")
    return libraries - {loader}, loader


def _ldd(path: Path) -> str:
    try:
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RelocationError("ldd is not installed; it comes with libc-bin") from error
    return done.stdout + done.stderr


def _drop_extensions_that_cannot_load(dynload: Path) -> None:
    """Extensions of desktop libraries (Tk) that nobody here imports must not break the copy."""
    for path in dynload.glob("_tkinter*.so"):
        path.unlink()


def _compile(destination: Path) -> None:
    """Byte-compile with checked hashes: tools are mounted read-only, so later starts cannot."""
    subprocess.run(
        [
            *command(destination),
            "-I",
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            str(destination / "lib"),
        ],
        check=False,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 relocate.py DEST")
    relocate(Path(sys.argv[1]))
