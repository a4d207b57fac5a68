"""A git repository whose HEAD is the older release and whose hidden corners hold the newer one.

The future is there on purpose (a branch, a tag, a remote-tracking branch, a reflog): a run that does not
cut it lets the agent read the solution. Every byte is the same on each build.
"""

import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchwarden.errors import BenchwardenError, UnavailableError
from benchwarden.minisuite.sdists import Tree

EPOCH_SECONDS = 1_700_000_000
_DAY_SECONDS = 86_400
_GIT_SECONDS = 120
_IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Mini Suite",
    "GIT_AUTHOR_EMAIL": "mini-suite@benchwarden.dev",
    "GIT_COMMITTER_NAME": "Mini Suite",
    "GIT_COMMITTER_EMAIL": "mini-suite@benchwarden.dev",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk with its two commits."""

    folder: Path
    base: str
    future: str

    def diff(self, include: Sequence[str], exclude: Sequence[str] = ()) -> str:
        """Unified diff from base to future, limited to paths.

        Raises:
            BenchwardenError: the diff is not UTF-8 text.
        """
        paths = [*include, *(f":(exclude){path}" for path in exclude)]
        how = ("--no-color", "--no-ext-diff", "--no-renames", "--binary", "--full-index")
        said = git(self.folder, "diff", *how, self.base, self.future, "--", *paths)
        try:
            return said.decode()
        except UnicodeDecodeError as error:
            raise BenchwardenError(f"{self.folder.name}: the change is not UTF-8 text") from error


def make_repository(
    folder: Path, older: Tree, newer: Tree, versions: tuple[str, str], scratch: Path
) -> Repository:
    """Write `older` as the work tree of a new repository, and `newer` as its future.

    Args:
        folder: where to; must not exist.
        older: files of the base commit.
        newer: files of the future commit.
        versions: names of the two releases, for messages and the tag.
        scratch: folder for the future's files.

    Raises:
        UnavailableError: git is not there.
    """
    write_tree(folder, older)
    write_tree(scratch, newer)
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    git(folder, "config", "core.logAllRefUpdates", "true")
    base = _commit(folder, folder, f"Release {versions[0]}", 0, ())
    future = _commit(folder, scratch, f"Release {versions[1]}", 1, (base,))
    # HEAD is a symbolic reference to main: this writes both reflogs, the future included.
    git(folder, "update-ref", "-m", "pull: Fast-forward", "HEAD", future, environment=_dated(1))
    git(folder, "update-ref", "-m", "reset: moving to HEAD~1", "HEAD", base, environment=_dated(2))
    for ref in ("heads/next", "remotes/origin/main", f"tags/v{versions[1]}"):
        git(folder, "update-ref", f"refs/{ref}", future, environment=_dated(2))
    # read-tree, not add: an index without file times and inode numbers has the same bytes each time.
    (folder / ".git" / "index").unlink(missing_ok=True)
    git(folder, "read-tree", "HEAD")
    return Repository(folder, base, future)


def write_tree(folder: Path, tree: Tree) -> None:
    """Write files below a folder, with modes 0644 and 0755."""
    folder.mkdir(parents=True)
    for path, file in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


def pack(folder: Path, target: Path) -> None:
    """Tar a folder's content, `.git` included: sorted, owned by root, with one fixed time."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            tar.add(path, arcname=name, recursive=False, filter=_plain)


def git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> bytes:
    """Output of a git command in a folder, with no configuration but ours.

    Raises:
        UnavailableError: git is not installed.
        BenchwardenError: git says no.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), **_IDENTITY, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UnavailableError("git is not installed") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise BenchwardenError(f"git {arguments[0]} in {folder.name}: {said}")
    return done.stdout


def _commit(folder: Path, files: Path, message: str, day: int, parents: Sequence[str]) -> str:
    index = folder / ".git" / f"index-{day}"
    environment = {
        **_dated(day),
        "GIT_DIR": str(folder / ".git"),
        "GIT_WORK_TREE": str(files),
        "GIT_INDEX_FILE": str(index),
    }
    git(files, "add", "--all", "--force", environment=environment)
    tree = git(files, "write-tree", environment=environment).decode().strip()
    options = [option for parent in parents for option in ("-p", parent)]
    said = git(files, "commit-tree", tree, *options, "-m", message, environment=environment)
    index.unlink()
    return said.decode().strip()


def _dated(day: int) -> dict[str, str]:
    date = f"{EPOCH_SECONDS + day * _DAY_SECONDS} +0000"
    return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = EPOCH_SECONDS
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info
