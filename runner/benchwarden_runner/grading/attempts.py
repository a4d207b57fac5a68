"""How benchmarks apply a patch, beyond plain `git apply`: their verdicts depend on it, so it is done their way."""

import re
import shutil
import subprocess
from typing import Callable, List, Sequence, Set

from benchwarden_runner import safe_files
from benchwarden_runner.workspace.git import Git

_PATCH_SECONDS = 300.0
_HEADER = re.compile(rb"^(?:---|\+\+\+) (?!/dev/null)(?:[ab]/)?([^\t\n]+)", re.MULTILINE)
_SECTION = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_LINK = re.compile(rb"^new (?:file )?mode 120000\r?$", re.MULTILINE)
_BINARY = re.compile(rb"^(?:Binary files .* differ|GIT binary patch)$", re.MULTILINE)
_BINARY_MARK = b"GIT binary patch"


def text_hunks(patch: bytes) -> bytes:
    """The patch without its binary files, as SWE-bench Pro strips them before it applies a patch."""
    sections = [each for each in _SECTION.split(patch) if each.strip()]
    return b"".join(each for each in sections if not _BINARY.search(each))


def swebench(git: Git, work_tree: str, patch_file: str, patch: bytes) -> bool:
    """What SWE-bench tries after plain `git apply` has failed; a failed attempt is cleaned up before the next."""

    def git_apply(*options: str) -> Callable[[], bool]:
        return lambda: git.run("apply", *options, patch_file, check=False).returncode == 0

    def fuzzy() -> bool:
        return run_patch(work_tree, patch_file, patch, ["--forward"])

    for attempt in (git_apply("--3way"), git_apply("--reject"), fuzzy):
        # Not a reset: where a merge left conflicts this does nothing, and their later attempts meet those.
        git.run("checkout", "--", ".", check=False)
        git.run("clean", "--quiet", "-fd", check=False)
        if attempt():
            return True
    # `patch` says failure also when every hunk was there already.
    return git_apply("--check", "--reverse")()


def run_patch(work_tree: str, patch_file: str, patch: bytes, extra: Sequence[str]) -> bool:
    """Run `patch` with fuzz. It knows no binary hunks and would write anywhere, so paths are checked first."""
    program = shutil.which("patch")
    if program is None or _BINARY_MARK in patch or not _stays_inside(patch):
        return False
    words = [program, "--batch", "--fuzz=5", "-p1", "--no-backup-if-mismatch", "-i", patch_file]
    done = subprocess.run(
        [*words, *extra],
        cwd=work_tree,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_PATCH_SECONDS,
    )
    return done.returncode == 0


def _stays_inside(patch: bytes) -> bool:
    """Whether all paths are in the tree, and none goes through a link that the patch itself brings.

    `patch` follows such a link, into `.git` for one; `git apply` refuses to.
    """
    names = _names(patch)
    links: Set[str] = set()
    for section in _SECTION.split(patch):
        if _LINK.search(section):
            links.update(_names(section))
    try:
        for name in names:
            safe_files.split_relative(name)
    except safe_files.UnsafeFileError:
        return False
    return not any(name.startswith(f"{link}/") for name in names for link in links)


def _names(patch: bytes) -> List[str]:
    found = (match.group(1) for match in _HEADER.finditer(patch))
    return [name.decode("utf-8", "surrogateescape").strip('"') for name in found]
