"""Building the mini suite once: everything into a folder beside the target, then one rename."""

import fcntl
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchwarden import names
from benchwarden.errors import BenchwardenError, ConflictError
from benchwarden.minisuite.repository import make_repository, pack
from benchwarden.minisuite.rows import (
    HARD_KINDS,
    REPOSITORIES,
    TOOLS,
    Made,
    hard_row,
    hidden_tests,
    row,
)
from benchwarden.minisuite.sdists import Tree, fetch_sdists, install_test_tools
from benchwarden.minisuite.table import PAIRS, Pair
from benchwarden.minisuite.trial import find_tests
from benchwarden.suites.tasks import parse_tasks

TASKS: Final = "tasks.jsonl"
MANIFEST: Final = "suite.json"
SITE: Final = "site"
MINIMUM_PAIRS: Final = 8
# Whoever adds the two hard instances to this pair's repository shares it.
_HARD_PAIR: Final = "parse-1.20.2"
_HERE: Final = Path(__file__).parent
# Works wherever the folder is put, and through a symbolic link from a folder on PATH.
_PYTEST: Final = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
PYTHONPATH="$here/../site${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH
exec python3 -m pytest "$@"
"""

Say = Callable[[str], None]


def suite_digest() -> str:
    """Sha256 (hex) over what the suite is made from: pins, this code, and the Python that ran the tests."""
    digest = hashlib.sha256(f"python {sys.version_info[0]}.{sys.version_info[1]}".encode())
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where benchwarden keeps what it can make again."""
    if environment.get(names.ENV_CACHE):
        return Path(environment[names.ENV_CACHE])
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "benchwarden"


def default_folder(environment: Mapping[str, str]) -> Path:
    """Where the suite of this code is kept unless a folder is named."""
    return cache_folder(environment) / "mini-suite" / suite_digest()[:12]


def ensure_suite(out: Path, say: Say = lambda _: None) -> Path:
    """Build the suite into `out` unless it is there already, and return `out`.

    Args:
        out: the suite's folder. An older suite in it is replaced; anything else is left alone.
        say: receives a line on progress now and then.

    Raises:
        UnavailableError: git, pip or the package index is not there.
        ConflictError: `out` holds something that is no mini suite.
        BenchwardenError: the releases do not give the instances they should.
    """
    digest = suite_digest()
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _locked(out.with_name(f".{out.name}.lock")):
        if _digest_of(out) == digest:
            return out
        if out.exists() and not (out / MANIFEST).is_file() and any(out.iterdir()):
            raise ConflictError(f"{out} is not empty and holds no mini suite; name another folder")
        say("building the mini suite from published releases: about a minute, once")
        with tempfile.TemporaryDirectory(prefix=".mini-suite-", dir=out.parent) as folder:
            made = Path(folder) / "suite"
            _build(made, Path(folder) / "scratch", digest, say)
            if out.exists():
                out.rename(Path(folder) / "old")
            made.rename(out)
    return out


def _build(out: Path, scratch: Path, digest: str, say: Say) -> None:
    for path in (out / REPOSITORIES, out / TOOLS, scratch):
        path.mkdir(parents=True)
    install_test_tools(scratch, out / SITE)
    _write_tools(out / TOOLS)
    trees = fetch_sdists(PAIRS, scratch)
    say(f"fetched {len(trees)} releases; running their tests")
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(partial(_make, trees=trees, out=out, scratch=scratch), PAIRS))
    good = [made for made in results if made.fail_to_pass]
    for made in results:
        if not made.fail_to_pass:
            say(f"{made.pair.id} is left out: no test tells its releases apart on this Python")
    if len(good) < MINIMUM_PAIRS:
        raise BenchwardenError(f"only {len(good)} pairs of releases gave an instance")
    rows = _rows(good, digest[:12])
    content = "".join(json.dumps(item, ensure_ascii=True) + "\n" for item in rows).encode()
    parse_tasks(content)
    if len(content) > names.INPUT_CONFIG_MAP_BYTES:
        raise BenchwardenError(f"{TASKS} has {len(content)} bytes and fits no ConfigMap")
    (out / TASKS).write_bytes(content)
    manifest = {
        "digest": digest,
        "images": sorted({item["image"] for item in rows}),
        "instances": [item["id"] for item in rows],
        "tasks_sha256": hashlib.sha256(content).hexdigest(),
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _rows(good: Sequence[Made], tag: str) -> list[dict[str, Any]]:
    rows = [row(made, tag) for made in good]
    shared = next((made for made in good if made.pair.id == _HARD_PAIR), good[0])
    rows += [hard_row(shared, kind, tag) for kind in HARD_KINDS]
    return sorted(rows, key=lambda item: str(item["id"]))


def _make(pair: Pair, *, trees: Mapping[tuple[str, str], Tree], out: Path, scratch: Path) -> Made:
    older = trees[pair.package, pair.older.version]
    newer = trees[pair.package, pair.newer.version]
    work = scratch / pair.id
    work.mkdir()
    versions = (pair.older.version, pair.newer.version)
    repository = make_repository(work / "repository", older, newer, versions, work / "future")
    gold_patch = repository.diff(pair.source, exclude=pair.tests)
    hidden = hidden_tests(pair, repository, older, newer)
    pack(repository.folder, out / REPOSITORIES / f"{pair.id}.tar")
    never, always = find_tests(repository.folder, gold_patch, hidden, out / TOOLS, work)
    return Made(pair, repository, gold_patch, hidden, never, always)


def _write_tools(folder: Path) -> None:
    (folder / "pytest").write_text(_PYTEST)
    (folder / "pytest").chmod(0o755)
    # The tests were chosen with this interpreter; the first python3 on a user's PATH may be another.
    for name in ("python", "python3"):
        (folder / name).symlink_to(os.path.realpath(sys.executable))


def _digest_of(folder: Path) -> str:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        content = (folder / TASKS).read_bytes()
    except (OSError, ValueError):
        return ""
    if manifest.get("tasks_sha256") != hashlib.sha256(content).hexdigest():
        return ""
    return str(manifest.get("digest", ""))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One builder at a time; the lock ends with its holder, however that ends."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
