"""Target of the whole way of a patch into a work tree, with real git: slow, so it is tried less often."""

import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from benchwarden_runner import protocol, safe_files
from benchwarden_runner.grading.patched_tree import PatchedTree, PatchError
from tests.fuzz.reading import check_said, split

_RULES = (protocol.APPLY_LENIENT, protocol.APPLY_SWEBENCH_PRO, protocol.APPLY_SWEBENCH)
_TESTS = b"""\
--- a/tests/test_a.py
+++ b/tests/test_a.py
@@ -1 +1 @@
-base
+test
"""
_GIT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.test",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.test",
}


def patched_trees(data: bytes) -> None:
    """A patch is applied or refused; nothing outside the tree and nothing in .git that runs is changed."""
    way, patch = split(data)
    with tempfile.TemporaryDirectory() as scratch:
        tree, outside = Path(scratch, "tree"), Path(scratch, "outside")
        shutil.copytree(_template(), tree, symlinks=True)
        outside.mkdir()
        (outside / "test_a.py").write_text("secret")
        guarded = _guarded(tree)
        patched = PatchedTree(str(tree), "")
        try:
            patched.apply(patch, _RULES[way % len(_RULES)])
        except PatchError as error:
            check_said(error)
        try:
            patched.apply_tests(patch if way & 8 else _TESTS)
        except (PatchError, safe_files.UnsafeFileError) as error:
            check_said(error)
        patched.restore(["conftest.py", "tests/**"])
        patched.write("tests/test_a.py", b"ours", executable=False)
        assert (tree / "tests" / "test_a.py").resolve() == tree.resolve() / "tests" / "test_a.py"
        assert (tree / "conftest.py").read_bytes() == b"base\n", "a restored file was not restored"
        assert _guarded(tree) == guarded, "hooks or settings of the repository were changed"
        assert [each.name for each in outside.iterdir()] == ["test_a.py"]
        assert (outside / "test_a.py").read_text() == "secret", "a file outside was overwritten"
        assert sorted(each.name for each in Path(scratch).iterdir()) == ["outside", "tree"]


@lru_cache(maxsize=1)
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="benchwarden-fuzz-")) / "tree"
    (folder / "tests").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "conftest.py").write_text("base\n")
    (folder / "tests" / "test_a.py").write_text("base\n")
    for words in (["init", "-q", "--template="], ["add", "."], ["commit", "-qm", "base"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env=_GIT)
    return folder


def _guarded(tree: Path) -> dict[str, bytes]:
    """What git would run or obey."""
    git = tree / ".git"
    found = {"config": (git / "config").read_bytes()}
    for hook in (git / "hooks").glob("*") if (git / "hooks").exists() else ():
        found[hook.name] = hook.read_bytes()
    return found
