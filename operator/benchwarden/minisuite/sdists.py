"""Source distributions: fetched by pip from the index the user has configured, checked, read into memory."""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchwarden.errors import BenchwardenError, UnavailableError
from benchwarden.minisuite.table import BUILD_TOOLS, TEST_TOOLS, Pair, Release

_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
_FETCH_SECONDS = 300
# Made by the release process, not written by the authors.
_MACHINE_FILES = ("RECORD", "direct_url.json")
_GENERATED = ("PKG-INFO", ".egg-info/", "__pycache__/", ".idea/")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source distribution."""

    content: bytes
    executable: bool


Tree = Mapping[str, SourceFile]


def fetch_sdists(pairs: Iterable[Pair], scratch: Path) -> dict[tuple[str, str], Tree]:
    """Fetch all releases of the pairs; keys are (package, version).

    Args:
        pairs: what the suite is made of.
        scratch: empty folder for downloads and for the environment pip works in.

    Raises:
        UnavailableError: pip or the index does not answer; the message ends with pip's own words.
        BenchwardenError: a file has another checksum than pinned.
    """
    python = _python_with_pip(scratch / "pip")
    _run("install build tools", [python, *_PIP, "install", *BUILD_TOOLS])
    wanted: dict[str, dict[str, Release]] = {}
    for pair in pairs:
        for release in (pair.older, pair.newer):
            wanted.setdefault(pair.package, {})[release.version] = release
    # pip takes one version of a package at a time.
    rounds: list[list[tuple[str, Release]]] = []
    for package, releases in sorted(wanted.items()):
        for number, version in enumerate(sorted(releases)):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append((package, releases[version]))
    with ThreadPoolExecutor(max_workers=2) as pool:
        fetched = pool.map(
            lambda numbered: _fetch(python, numbered[1], scratch / f"round-{numbered[0]}"),
            enumerate(rounds),
        )
        return {key: tree for trees in fetched for key, tree in trees.items()}


def install_test_tools(scratch: Path, site: Path) -> None:
    """Put pytest and what it needs into the folder `site`, as importable packages and nothing else.

    Raises:
        UnavailableError: pip or the index does not answer.
    """
    python = _python_with_pip(scratch / "pip")
    pins = [f"{name}=={version}" for name, version in TEST_TOOLS]
    wheels = ("--no-deps", "--only-binary", ":all:", "--no-compile", "--target", str(site))
    _run("install pytest", [python, *_PIP, "install", *wheels, *pins])
    for path in sorted(site.rglob("*"), reverse=True):
        # Scripts, and records of their checksums, differ with the path of the interpreter.
        if path.is_file() and (path.parent == site / "bin" or path.name in _MACHINE_FILES):
            path.unlink()
    if (site / "bin").is_dir():
        (site / "bin").rmdir()


def read_tree(archive: Path) -> Tree:
    """Regular files of a source distribution, without its top folder and generated metadata.

    Raises:
        BenchwardenError: a member's name leaves the archive's folder.
    """
    tree: dict[str, SourceFile] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is None:
                continue
            parts = PurePosixPath(member.name).parts
            if ".." in parts or member.name.startswith("/"):
                raise BenchwardenError(f"{archive.name}: unsafe member {member.name!r}")
            path = "/".join(parts[1:])
            if path and not any(mark in f"/{path}" for mark in _GENERATED):
                tree[path] = SourceFile(stream.read(), bool(member.mode & 0o100))
    return tree


def _fetch(
    python: str, releases: Iterable[tuple[str, Release]], folder: Path
) -> dict[tuple[str, str], Tree]:
    folder.mkdir()
    listed = folder / "requirements.txt"
    listed.write_text(
        "".join(f"{name}=={r.version} --hash=sha256:{r.sha256}\n" for name, r in releases)
    )
    # Without build isolation pip looks into the files with the tools it has, and fetches nothing more.
    how = ("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes")
    command = [python, *_PIP, "download", *how, "--dest", str(folder), "--requirement", str(listed)]
    _run("download the releases", command)
    by_digest = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob("*.tar.gz")
    }
    trees: dict[tuple[str, str], Tree] = {}
    for name, release in releases:
        archive = by_digest.get(release.sha256)
        if archive is None:
            raise BenchwardenError(f"{name} {release.version}: no file with the pinned checksum")
        trees[name, release.version] = read_tree(archive)
    return trees


def _python_with_pip(folder: Path) -> str:
    """Interpreter of a virtual environment with pip, made in `folder` if need be."""
    python = folder / "bin" / "python"
    if not python.exists():
        base = os.path.realpath(sys.executable)
        try:
            _run("make a virtual environment", [base, "-m", "venv", str(folder)])
        except UnavailableError as error:
            raise UnavailableError(
                f"{error}\n(on Debian, `apt install python3-venv` is needed)"
            ) from error
    return str(python)


def _run(purpose: str, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"cannot {purpose}: it took too long") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise UnavailableError(f"cannot {purpose}:\n{said}")
