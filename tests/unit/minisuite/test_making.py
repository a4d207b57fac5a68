"""The parts of the mini suite's builder: the same bytes each time, honest lists of tests, safe archives."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from benchwarden.errors import BenchwardenError, UnavailableError
from benchwarden.minisuite import sdists
from benchwarden.minisuite.repository import git, make_repository, pack
from benchwarden.minisuite.sdists import SourceFile, Tree, read_tree
from benchwarden.minisuite.table import PAIRS
from benchwarden.minisuite.trial import Hidden, find_tests, read_report
from benchwarden.suites.instance import TestFile

OLDER = {
    "add.sh": SourceFile(b"echo $(($1 - $2))\n", executable=True),
    "doc/use.txt": SourceFile(b"old\n", executable=False),
    "gone.txt": SourceFile(b"x\n", executable=False),
}
NEWER = {
    "add.sh": SourceFile(b"echo $(($1 + $2))\n", executable=True),
    "doc/use.txt": SourceFile(b"new\n", executable=False),
    "tests/added.txt": SourceFile(b"y\n", executable=False),
}
# Writes a JUnit report with: a test that the gold patch fixes, one that always passes, one that always
# fails, one that passes every other time, and one that is skipped.
RUN = b"""
count=$(cat ../count 2>/dev/null || echo 0)
echo $((count + 1)) > ../count
say() { echo "<testcase classname='c' name='$1'>$2</testcase>"; }
{
  echo "<testsuites><testsuite>"
  test "$(sh add.sh 1 2)" = 3 && say fixed || say fixed "<failure/>"
  say steady
  say broken "<error/>"
  test $((count % 2)) = 0 && say flaky || say flaky "<failure/>"
  say left_out "<skipped/>"
  echo "</testsuite></testsuites>"
} > .mini-suite-report.xml
"""


def repository(folder: Path, older: Tree = OLDER, newer: Tree = NEWER):
    folder.mkdir(parents=True)
    return make_repository(folder / "repo", older, newer, ("1.0", "1.1"), folder / "future")


def test_the_same_releases_give_the_same_bytes(tmp_path: Path):
    digests = set()
    for name in ("one", "two"):
        made = repository(tmp_path / name)
        pack(made.folder, tmp_path / f"{name}.tar")
        digests.add(hashlib.sha256((tmp_path / f"{name}.tar").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_diff_holds_only_the_paths_asked_for(tmp_path: Path):
    made = repository(tmp_path / "r")
    assert "add.sh" in made.diff(("add.sh",))
    assert "use.txt" not in made.diff(("add.sh",))
    assert "add.sh" not in made.diff((".",), exclude=("*.sh",))


def test_modes_and_deletions_are_part_of_a_release(tmp_path: Path):
    made = repository(tmp_path / "r")
    assert git(made.folder, "ls-tree", "HEAD", "add.sh").startswith(b"100755")
    assert b"gone.txt" not in git(made.folder, "ls-tree", "-r", made.future)


def test_files_that_the_project_ignores_are_committed_all_the_same(tmp_path: Path):
    ignoring = {".gitignore": SourceFile(b"*.sh\n", executable=False)}
    made = repository(tmp_path / "r", {**OLDER, **ignoring})
    assert b"add.sh" in git(made.folder, "ls-tree", "-r", "--name-only", "HEAD")


def test_a_git_that_says_no_is_quoted(tmp_path: Path):
    with pytest.raises(BenchwardenError, match="not a git repository"):
        git(tmp_path, "log")


def test_a_missing_git_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="git is not installed"):
        git(tmp_path, "log")


def test_tests_are_sorted_by_what_the_gold_patch_does_and_flaky_ones_are_dropped(tmp_path: Path):
    made = repository(tmp_path / "r")
    hidden = Hidden((TestFile("tests/run.sh", RUN),), "", "sh tests/run.sh")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    gold = made.diff(("add.sh",))
    never, always = find_tests(made.folder, gold, hidden, tmp_path, scratch)
    assert never == ("c::fixed",)
    assert always == ("c::steady",)


def test_a_run_without_a_report_is_an_error_that_quotes_it(tmp_path: Path):
    made = repository(tmp_path / "r")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(BenchwardenError, match="no pytest here"):
        find_tests(made.folder, "", Hidden((), "", "echo no pytest here"), tmp_path, scratch)


def test_a_test_that_is_reported_twice_keeps_its_worst_outcome():
    report = b"""<testsuite><testcase classname="c" name="t"/>
      <testcase classname="c" name="t"><failure/></testcase>
      <testcase classname="c" name="t"/></testsuite>"""
    assert read_report(report) == {"c::t": "failure"}


def archive(folder: Path, *names: str) -> Path:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return path


def test_generated_metadata_of_a_release_is_left_out(tmp_path: Path):
    names = ["a.py", "PKG-INFO", "src/a.egg-info/SOURCES.txt", "t/__pycache__/a.pyc", "src/b.py"]
    path = archive(tmp_path, *(f"demo-1.0/{name}" for name in names))
    assert set(read_tree(path)) == {"a.py", "src/b.py"}


@pytest.mark.parametrize("name", ["demo-1.0/../../x", "/etc/x"])
def test_an_archive_member_outside_its_folder_is_refused(tmp_path: Path, name: str):
    with pytest.raises(BenchwardenError, match="unsafe member"):
        read_tree(archive(tmp_path, name))


def test_pips_own_words_are_in_the_error_when_it_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(sdists, "BUILD_TOOLS", (str(tmp_path / "no-such-wheel.whl"),))
    with pytest.raises(UnavailableError, match="no-such-wheel"):
        sdists.fetch_sdists(PAIRS[:1], tmp_path)


def test_the_table_pins_every_release_and_names_every_instance_once():
    assert len({pair.id for pair in PAIRS}) == len(PAIRS) >= 10
    for pair in PAIRS:
        for release in (pair.older, pair.newer):
            assert len(release.sha256) == 64
            assert int(release.sha256, 16) > 0
    releases = {(p.package, r.version): r.sha256 for p in PAIRS for r in (p.older, p.newer)}
    assert len(set(releases.values())) == len(releases)
