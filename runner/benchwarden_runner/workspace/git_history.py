"""Cuts the git future: afterwards the repository holds the base commit, what leads to it, and nothing else.

Images of benchmark tasks often hold the whole later history, the solution included: in branches, tags,
remotes, reflogs, stashes, replace refs, packed or unreachable objects, alternates and linked worktrees.
Instead of finding and deleting all of that, a new git directory is made of one pack of what the base
commit reaches (git's delta reuse makes that fast), and takes the old one's place. Of the old directory
only named, harmless things come along.
"""

import errno
import os
import shutil
import tempfile
from typing import Iterator, List, Tuple

from benchwarden_runner.workspace.config_file import kept_settings, write_settings
from benchwarden_runner.workspace.git import Git, GitError, resolve_git_dir

_KEPT_FILES = ("info/exclude", "info/attributes", "info/sparse-checkout")
_MAIN_BRANCHES = ("main", "master", "trunk", "develop", "dev")


def cut(work_tree: str, base_commit: str, *, local: bool) -> str:
    """Leave only the past of `base_commit` (empty: HEAD) in `work_tree`, checked out; returns its id.

    Tracked files that differ from the base are reset, untracked ones stay. Submodules that the base tree
    names are cut at the commit it names. With `local`, nothing outside the work tree is removed; else
    alternates, linked worktrees and a git directory elsewhere go as well.

    Raises:
        GitError: no git, no repository, no such commit, or objects are missing.
    """
    return _cut(
        os.path.realpath(work_tree), base_commit, os.path.realpath(work_tree) if local else "/"
    )


def _cut(work_tree: str, base_commit: str, removable: str) -> str:
    entry = os.path.join(work_tree, ".git")
    old = resolve_git_dir(entry)
    commit = check_out(work_tree, base_commit)
    common = _common_dir(old)
    elsewhere = [*_outside(common), old, common]
    for path, pinned in _submodules(Git(old, work_tree, trusted=True)):
        _cut_submodule(os.path.join(work_tree, path), pinned, removable)
    _replace(work_tree, entry, old, commit)
    for folder in elsewhere:
        if folder != entry and _inside(folder, removable) and not _inside(work_tree, folder):
            shutil.rmtree(folder, ignore_errors=True)
    return commit


def _cut_submodule(work_tree: str, pinned: str, removable: str) -> None:
    """Cut a submodule at the commit its parent names, or where it stands if it has no such commit."""
    git = Git(resolve_git_dir(os.path.join(work_tree, ".git")), work_tree, trusted=True)
    known = git.run("cat-file", "-e", f"{pinned}^{{commit}}", check=False).returncode == 0
    _cut(work_tree, pinned if known else "HEAD", removable)


def check_out(work_tree: str, base_commit: str) -> str:
    """Bring the tracked files to `base_commit` (empty: HEAD); returns its full id.

    Raises:
        GitError: no git, no repository, or no such commit.
    """
    git = Git(resolve_git_dir(os.path.join(work_tree, ".git")), work_tree, trusted=True)
    commit = _full_id(git, base_commit)
    _remove_locks(git.git_dir)
    if git.text("rev-parse", "HEAD") != commit:
        git.run("checkout", "--quiet", "--force", "--detach", commit)
    git.run("reset", "--quiet", "--hard", commit)
    return commit


def _full_id(git: Git, base_commit: str) -> str:
    wanted = f"{base_commit or 'HEAD'}^{{commit}}"
    done = git.run("rev-parse", "--verify", "--quiet", wanted, check=False)
    if done.returncode:
        what = f"no commit {base_commit}" if base_commit else "no commit at all"
        raise GitError(f"the repository in {git.work_tree} has {what}")
    return done.stdout.decode().strip()


def _remove_locks(git_dir: str) -> None:
    """An image can be built from a container whose git was killed."""
    for name in ("index.lock", "HEAD.lock", "config.lock", "shallow.lock"):
        path = os.path.join(git_dir, name)
        if os.path.exists(path):
            os.unlink(path)


def _replace(work_tree: str, entry: str, old: str, commit: str) -> None:
    """Build the new git directory beside `entry` and swap them."""
    new = tempfile.mkdtemp(prefix=".git.new.", dir=os.path.dirname(entry))
    try:
        _build(work_tree, old, new, commit)
        aside = tempfile.mkdtemp(prefix=".git.old.", dir=os.path.dirname(entry))
        _move_aside(entry, os.path.join(aside, "git"))
        os.replace(new, entry)
    except BaseException:  # raised again: the old one stands
        shutil.rmtree(new, ignore_errors=True)
        raise
    _index(work_tree, entry)
    shutil.rmtree(aside, ignore_errors=True)


def _move_aside(entry: str, aside: str) -> None:
    """Free the place of the old git directory; what cannot be moved is removed.

    An overlay file system refuses to rename a directory of an image's layer (EXDEV).
    """
    try:
        os.replace(entry, aside)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.rmtree(entry)


def _build(work_tree: str, old: str, new: str, commit: str) -> None:
    os.chmod(new, 0o755)  # noqa: S103 - as git makes it; mkdtemp gave 0700
    for folder in ("objects/pack", "objects/info", "refs/heads", "refs/tags", "info"):
        os.makedirs(os.path.join(new, folder), exist_ok=True)
    source = Git(old, work_tree, trusted=True)
    pack = os.path.join(new, "objects", "pack", "pack")
    roots = f"{commit}\n".encode()
    options = ["--revs", "--quiet", "--delta-base-offset"]
    if source.run("config", "--get-regexp", r"^remote\..*\.promisor$", check=False).stdout:
        options.append("--missing=allow-any")  # a partial clone: what was never fetched stays away
    source.run("pack-objects", *options, pack, data=roots)
    common = _common_dir(old)
    for name in _KEPT_FILES:
        if os.path.isfile(os.path.join(common, name)):
            shutil.copyfile(os.path.join(common, name), os.path.join(new, name))
    if os.path.isdir(os.path.join(common, "hooks")):
        samples = shutil.ignore_patterns("*.sample")
        hooks = os.path.join(new, "hooks")
        shutil.copytree(os.path.join(common, "hooks"), hooks, symlinks=True, ignore=samples)
    write_settings(os.path.join(new, "config"), kept_settings(source))
    _keep_shallow(source, common, new, commit)
    _point_head(source, new, commit)
    _own_like(new, work_tree)


def _keep_shallow(source: Git, common: str, new: str, commit: str) -> None:
    """Boundary commits of a shallow clone, those that the base reaches."""
    try:
        with open(os.path.join(common, "shallow")) as listing:
            boundary = set(listing.read().split())
    except OSError:
        return
    reached = boundary.intersection(source.text("rev-list", commit).split())
    if reached:
        with open(os.path.join(new, "shallow"), "w") as out:
            out.write("".join(f"{name}\n" for name in sorted(reached)))


def _point_head(source: Git, new: str, commit: str) -> None:
    """HEAD on the branch it was on if the name says nothing, else detached."""
    done = source.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    branch = done.stdout.decode("utf-8", "replace").strip()
    head = f"{commit}\n"
    if branch in _MAIN_BRANCHES:
        head = f"ref: refs/heads/{branch}\n"
        with open(os.path.join(new, "refs", "heads", branch), "w") as out:
            out.write(f"{commit}\n")
    with open(os.path.join(new, "HEAD"), "w") as out:
        out.write(head)


def _own_like(folder: str, model: str) -> None:
    """Give `folder` to whoever owns `model`, where this process may."""
    status = os.stat(model)
    if os.geteuid() != 0 or status.st_uid == 0:
        return
    for place, folders, files in os.walk(folder):
        for name in ("", *folders, *files):
            os.chown(os.path.join(place, name), status.st_uid, status.st_gid, follow_symlinks=False)


def _index(work_tree: str, git_dir: str) -> None:
    git = Git(git_dir, work_tree, trusted=True)
    git.run("read-tree", "HEAD")
    git.run("update-index", "-q", "--refresh", check=False)  # exit 1 only says "something differs"


def _common_dir(git_dir: str) -> str:
    """Where a linked worktree's repository really is; `git_dir` itself for all others."""
    try:
        with open(os.path.join(git_dir, "commondir")) as source:
            return os.path.realpath(os.path.join(git_dir, source.read().strip()))
    except OSError:
        return git_dir


def _outside(common: str) -> Iterator[str]:
    """Object stores and work trees elsewhere that belong to the repository."""
    try:
        with open(os.path.join(common, "objects", "info", "alternates")) as source:
            for line in source.read().splitlines():
                if line and not line.startswith("#"):
                    yield os.path.realpath(os.path.join(common, "objects", line))
    except OSError:
        pass
    worktrees = os.path.join(common, "worktrees")
    for name in os.listdir(worktrees) if os.path.isdir(worktrees) else ():
        try:
            with open(os.path.join(worktrees, name, "gitdir")) as source:
                yield os.path.dirname(os.path.realpath(source.read().strip()))
        except OSError:
            continue


def _submodules(git: Git) -> List[Tuple[str, str]]:
    """Path and pinned commit of the base tree's submodules that are checked out."""
    found: List[Tuple[str, str]] = []
    for line in git.names("ls-files", "--stage", "-z"):
        facts, _, path = line.partition("\t")
        if facts.startswith("160000 ") and os.path.exists(
            os.path.join(git.work_tree, path, ".git")
        ):
            found.append((path, facts.split()[1]))
    return found


def _inside(path: str, folder: str) -> bool:
    return os.path.commonpath([os.path.realpath(path), os.path.realpath(folder)]) == (
        os.path.realpath(folder)
    )
