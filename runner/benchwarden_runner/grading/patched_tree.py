"""Brings a work tree to base commit + patch + tests, in that order, so that the tests have the last word."""

import os
import tempfile
from contextlib import contextmanager
from typing import Iterator, List, Sequence

from benchwarden_runner import protocol, safe_files
from benchwarden_runner.grading import attempts, globs
from benchwarden_runner.workspace.git import Git, encode_names, resolve_git_dir
from benchwarden_runner.workspace.git_history import check_out

_EXACT = ("apply", "--whitespace=nowarn")


class PatchError(RuntimeError):
    """A patch does not apply; the message says what git said."""


class PatchedTree:
    """A work tree reset to the base commit; `tracked` are the paths in that.

    Only paths that a patch names can differ from the base, so they are all that restoring looks at;
    untracked files of the image stay as they are.
    """

    def __init__(self, work_tree: str, base_commit: str) -> None:
        """Reset the tracked files.

        Raises:
            GitError: no git, no repository, or no such commit.
        """
        self.commit = check_out(work_tree, base_commit)
        self._work_tree = os.path.realpath(work_tree)
        git_dir = resolve_git_dir(os.path.join(work_tree, ".git"))
        literal = {"GIT_LITERAL_PATHSPECS": "1"}
        self._git = Git(git_dir, self._work_tree, trusted=True, extra=literal)
        listing = self._git.names("ls-tree", "-r", "-z", "--name-only", self.commit)
        self.tracked = frozenset(listing)
        self._touched: List[str] = []

    def apply(self, patch: bytes, rule: str = protocol.APPLY_LENIENT) -> None:
        """Apply an agent's patch whole or not at all: with `git apply`, else as the rule allows.

        Args:
            patch: a unified diff.
            rule: protocol.APPLY_*.

        Raises:
            PatchError: it does not apply under the rule.
        """
        with _file(patch) as name:
            first = self._git.run(*_EXACT, name, check=False)
            if first.returncode == 0:
                self._touched = self._named(name)
            elif self._otherwise(name, patch, rule):
                self._touched = self._changed(name)
            else:
                raise PatchError(_last_lines(first.stderr))

    def restore(self, patterns: Sequence[str]) -> None:
        """Bring paths that match one of `patterns` back to the base commit; see `globs`."""
        self._to_base([path for path in self._touched if globs.matches_any(path, patterns)])

    def apply_tests(self, patch: bytes) -> None:
        """Apply the tests' own patch, its files first brought back to the base commit.

        Raises:
            PatchError: it does not apply to the base: the task is broken, not the agent's patch.
        """
        with _file(patch) as name:
            named = self._named(name)
            for path in named:
                safe_files.clear_way(self._work_tree, path)
            self._to_base(named)
            done = self._git.run(*_EXACT, name, check=False)
            if done.returncode:
                raise PatchError(_last_lines(done.stderr))

    def write(self, path: str, content: bytes, *, executable: bool) -> None:
        """Write a test file, whatever the patch has put in its place."""
        safe_files.write_inside(self._work_tree, path, content, executable=executable)

    def _otherwise(self, name: str, patch: bytes, rule: str) -> bool:
        if rule == protocol.APPLY_SWEBENCH:
            return attempts.swebench(self._git, self._work_tree, name, patch)
        if rule == protocol.APPLY_LENIENT:
            return self._merge(name) or self._fuzz(name, patch)
        return False

    def _merge(self, name: str) -> bool:
        if self._git.run(*_EXACT, "--3way", name, check=False).returncode == 0:
            return True
        self._reset()
        return False

    def _fuzz(self, name: str, patch: bytes) -> bool:
        return attempts.run_patch(
            self._work_tree, name, patch, ["--dry-run"]
        ) and attempts.run_patch(self._work_tree, name, patch, [])

    def _named(self, name: str) -> List[str]:
        """Paths that a patch names, deleted and created ones included."""
        done = self._git.run("apply", "--numstat", "-z", name, check=False)
        if done.returncode:
            raise PatchError(_last_lines(done.stderr))
        entries = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return [entry.split("\t", 2)[2] for entry in entries if entry.count("\t") >= 2]

    def _changed(self, name: str) -> List[str]:
        """Paths that differ from the base, or are new, or are named by a patch whose `.gitignore` hides them."""
        tracked = self._git.names("diff", "--name-only", "-z", "--no-renames", self.commit)
        new = self._git.names("ls-files", "--others", "--exclude-standard", "-z")
        try:
            named = self._named(name)
        except PatchError:  # a form that only a later attempt can read
            named = []
        return list(dict.fromkeys([*tracked, *new, *named]))

    def _to_base(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        known = self.tracked.intersection(paths)
        for path in paths:
            safe_files.remove_inside(self._work_tree, path)
        if known:
            self._git.run("reset", "--quiet", self.commit, check=False)
            names = encode_names(sorted(known))
            self._git.run("checkout-index", "--force", "-z", "--stdin", data=names)

    def _reset(self) -> None:
        self._git.run("reset", "--quiet", "--hard", self.commit)


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    with tempfile.NamedTemporaryFile(prefix="benchwarden-", suffix=".patch") as file:
        file.write(content)
        file.flush()
        yield file.name


def _last_lines(stderr: bytes) -> str:
    return stderr.decode("utf-8", "replace").strip()[-300:] or "git apply failed"
