import pytest
from tests.unit.runner.builders import git, put, repository

from benchwarden_runner import protocol
from benchwarden_runner.grading.attempts import text_hunks
from benchwarden_runner.grading.patched_tree import PatchedTree, PatchError

TEXT = "line {}\n"
FILE = "".join(TEXT.format(number) for number in range(30))
CHANGED = FILE.replace("line 9\n", "line nine\n")


@pytest.fixture
def repo(tmp_path):
    repository(tmp_path / "repo", {"a.txt": FILE, "b.txt": "b\n"})
    return tmp_path / "repo"


def diff(repo, **files) -> bytes:
    put(repo, {f"{name}.txt": content for name, content in files.items()})
    patch = git(repo, "diff") + "\n"
    git(repo, "reset", "--quiet", "--hard")
    return patch.encode()


def applied(repo, patch, rule) -> bool:
    try:
        PatchedTree(str(repo), "").apply(patch, rule)
    except PatchError:
        return False
    return True


RULES = [protocol.APPLY_LENIENT, protocol.APPLY_SWEBENCH, protocol.APPLY_SWEBENCH_PRO]


@pytest.mark.parametrize("rule", RULES)
def test_a_patch_that_fits_is_applied_under_every_rule(repo, rule):
    assert applied(repo, diff(repo, a=CHANGED), rule)
    assert (repo / "a.txt").read_text() == CHANGED


FITS = [True, True, False]


@pytest.mark.parametrize(("rule", "fits"), list(zip(RULES, FITS, strict=True)))
def test_a_patch_with_other_context_needs_fuzz(repo, rule, fits):
    patch = diff(repo, a=CHANGED).replace(b" line 6\n", b" line six\n")
    assert applied(repo, patch, rule) == fits
    assert (repo / "a.txt").read_text() == (CHANGED if fits else FILE)


@pytest.mark.parametrize("rule", RULES)
def test_a_patch_of_which_one_hunk_does_not_fit_is_not_applied(repo, rule):
    half = diff(repo, a=CHANGED, b="c\n").replace(b"-b\n", b"-nothing like it\n")
    assert not applied(repo, half, rule)


def test_the_attempts_of_swebench_clean_up_after_each_other(repo):
    put(repo, {"new.txt": "left by an image\n"})
    new = b"--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
    assert not applied(repo, new, protocol.APPLY_LENIENT)
    assert applied(repo, new, protocol.APPLY_SWEBENCH)
    assert (repo / "new.txt").read_text() == "new\n"


def test_binary_files_are_left_out_as_the_scorer_of_swebench_pro_does(repo):
    text = diff(repo, a=CHANGED)
    binary = b"diff --git a/x b/x\nnew file mode 100644\nindex 0..1\nGIT binary patch\nliteral 1\nIcmZPo\n\n"
    mark = b"diff --git a/y b/y\nindex 1..2 100644\nBinary files a/y and b/y differ\n"
    assert text_hunks(binary + text + mark) == text
    assert text_hunks(binary) == b""
    spoken = diff(repo, b="GIT binary patch\n")
    assert text_hunks(spoken) == spoken
