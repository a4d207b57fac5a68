"""Captures what an agent changed as one complete patch, from a snapshot that the agent's git cannot confuse.

Before the agent starts, the base tree is copied into a git directory of ours with an index that also holds
the untracked files of the image. Afterwards the work tree is compared with that: commits, resets, a deleted
or re-made `.git`, hooks, filters and configuration of the repository change nothing. New nested
repositories are captured as the files they hold.
"""

import os
import shutil
import tempfile
from typing import IO, List

from benchwarden_runner.workspace.git import Git, GitError, encode_names, resolve_git_dir

MAX_PATCH_BYTES = 32 * 1024 * 1024  # what graders accept
_MAX_CHANGED_BYTES = 8 * MAX_PATCH_BYTES  # git compares whole files in memory
_CAPTURE_SECONDS = 600.0  # well below what a pod may take beyond its agent's time
_CONFIG = """[core]
\tbare = false
\trepositoryformatversion = {version}
\tfileMode = true
\tsymlinks = true
\tcompression = 0
\ttrustctime = true
\tautocrlf = false
\tsafecrlf = false
\tattributesFile = /dev/null
\texcludesFile = /dev/null
[extensions]
{extensions}[pack]
\tpackSizeLimit = 0
"""


class PatchTooLargeError(GitError):
    """The agent has left more than a patch can hold."""


class Snapshot:
    """The state of a work tree before the agent; `patch()` is what has changed since."""

    def __init__(self, work_tree: str, private: str, *, include_ignored: bool) -> None:
        """Take the snapshot into the new directory `private`.

        Raises:
            GitError: no git, no repository or a broken one.
        """
        self._include_ignored = include_ignored
        self._private = private
        repository = Git(resolve_git_dir(os.path.join(work_tree, ".git")), work_tree, trusted=True)
        _initialise(private, repository)
        tree = repository.text("rev-parse", "--verify", "HEAD^{tree}")
        pack = os.path.join(private, "objects", "pack", "pack")
        # A tree has no history: this is as large as the checked-out files, whatever the repository.
        repository.run("pack-objects", "--revs", "--quiet", pack, data=f"{tree}\n".encode())
        _copy_excludes(repository.git_dir, private)
        self._git = Git(private, os.path.realpath(work_tree))
        self._git.run("read-tree", tree)
        self._stage()
        self._start = self._git.text("write-tree")

    def patch(self) -> bytes:
        """A unified diff with binary data and modes, empty if nothing changed; `git apply` reads it.

        Renames are spelled as a deletion and an addition, which every tool applies.

        Raises:
            PatchTooLargeError: it would be larger than graders accept.
            GitError: git failed.
        """
        self._git.limit_to(_CAPTURE_SECONDS)
        self._stage()
        self._expand_nested()
        if self._changed_bytes() > _MAX_CHANGED_BYTES:
            raise PatchTooLargeError(f"changed files hold more than {_MAX_CHANGED_BYTES} bytes")
        with tempfile.TemporaryFile(dir=self._private) as output:
            self._compare(output)
            size = output.seek(0, os.SEEK_END)
            if size > MAX_PATCH_BYTES:
                raise PatchTooLargeError(f"the patch is larger than {MAX_PATCH_BYTES} bytes")
            output.seek(0)
            return output.read()

    def _compare(self, output: IO[bytes]) -> None:
        self._git.run(
            "diff",
            "--cached",
            "--binary",
            "--full-index",
            "--no-color",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=none",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            self._start,
            stdout=output.fileno(),
        )

    def _changed_bytes(self) -> int:
        """Size of all files that are new or have changed."""
        words = ("diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", self._start)
        facts = (entry.split() for entry in self._git.names(*words)[::2])
        blobs = {fact[3] for fact in facts if fact[1] not in ("000000", "160000")}
        asked = "".join(f"{blob}\n" for blob in sorted(blobs)).encode()
        sizes = self._git.run("cat-file", "--batch-check=%(objectsize)", data=asked).stdout
        return sum(int(size) for size in sizes.split() if size.isdigit())

    def _stage(self) -> None:
        words = ["add", "--all", "--ignore-errors"]
        if self._include_ignored:
            words.append("--force")
        # Exit 1 with --ignore-errors: something cannot be added, such as an unreadable file or a
        # repository without a commit; the rest is staged.
        if self._git.run(*words, "--", ".", check=False).returncode:
            self._stage_leftovers()

    def _stage_leftovers(self) -> None:
        hidden = () if self._include_ignored else ("--exclude-standard",)
        for path in self._git.names("ls-files", "--others", "-z", *hidden):
            if path.endswith("/"):
                self._add_files(_files_below(self._git.work_tree, path))

    def _add_files(self, paths: List[str]) -> None:
        names = encode_names(paths)
        self._git.run(
            "update-index", "--add", "--replace", "-z", "--stdin", data=names, check=False
        )

    def _expand_nested(self) -> None:
        """Replace links to repositories that the agent made by the files in them."""
        for path in self._new_links():
            self._git.run("rm", "--cached", "--quiet", "--force", "--", path)
            self._add_files(_files_below(self._git.work_tree, path))

    def _new_links(self) -> List[str]:
        found: List[str] = []
        entries = self._git.names("diff", "--cached", "--raw", "-z", "--no-renames", self._start)
        for facts, path in zip(entries[::2], entries[1::2]):  # noqa: B905 - 3.9
            old_mode, new_mode = facts.split()[:2]
            if new_mode == "160000" and old_mode != ":160000":
                found.append(path)
        return found


def _initialise(private: str, repository: Git) -> None:
    """Make a git directory by hand: `git init` would read templates and configuration of the image."""
    for folder in ("objects/pack", "objects/info", "refs/heads", "refs/tags", "info"):
        os.makedirs(os.path.join(private, folder), exist_ok=True)
    done = repository.run("config", "--local", "extensions.objectformat", check=False)
    object_format = done.stdout.decode().strip()
    extensions = f"\tobjectformat = {object_format}\n" if object_format else ""
    with open(os.path.join(private, "config"), "w") as out:
        out.write(_CONFIG.format(version=1 if extensions else 0, extensions=extensions))
    with open(os.path.join(private, "HEAD"), "w") as out:
        out.write("ref: refs/heads/base\n")


def _copy_excludes(git_dir: str, private: str) -> None:
    for name in ("info/exclude", "info/attributes"):
        try:
            shutil.copyfile(os.path.join(git_dir, name), os.path.join(private, name))
        except OSError:
            continue


def _files_below(work_tree: str, path: str) -> List[str]:
    """Files and links below a nested repository, without any `.git`."""
    found: List[str] = []
    for place, folders, files in os.walk(os.path.join(work_tree, path)):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = [name for name in folders if name != ".git" and name not in links]
        names = [name for name in (*files, *links) if name != ".git"]
        found += [os.path.relpath(os.path.join(place, name), work_tree) for name in names]
    return found
