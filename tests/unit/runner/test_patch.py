# ruff: noqa: PTH101,PTH104,PTH108,PTH114,PTH115,PTH116,PTH118,PTH123,PTH211  # the os functions are what the runner itself uses

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.runner.builders import commit, git, put, repository

from benchwarden_runner.workspace.patch import Snapshot


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    repository(
        folder,
        {
            "a.txt": "one\ntwo\n",
            "b.bin": bytes(range(256)),
            "old name.txt": "moved\n" * 20,
            "gone.txt": "gone\n",
            "run.sh": "echo\n",
            ".gitignore": "*.log\nbuild/\n",
        },
    )
    return folder


def changes(repo, change, **options) -> bytes:
    """The patch of what `change` does."""
    private = repo.parent / "private"
    shutil.rmtree(private, ignore_errors=True)
    snapshot = Snapshot(
        str(repo), str(private), include_ignored=options.get("include_ignored", False)
    )
    change()
    return snapshot.patch()


def tree(folder) -> dict:
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*files, *[f for f in folders if os.path.islink(os.path.join(place, f))]):
            path = os.path.join(place, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            else:
                with open(path, "rb") as file:
                    found[key] = (os.stat(path).st_mode & 0o100, file.read())
    return found


def assert_complete(repo, change, tmp_path, **options):
    """Applying the patch to a copy of the start gives the same tree as the change itself."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(repo, copy, symlinks=True)
    patch = changes(repo, change, **options)
    done = subprocess.run(
        ["git", "apply", "-"], cwd=copy, input=patch, capture_output=True, check=False
    )
    assert not patch or done.returncode == 0, done.stderr
    assert tree(copy) == tree(repo)
    return patch


def test_no_change_is_an_empty_patch(repo):
    assert changes(repo, lambda: None) == b""


def test_every_kind_of_change_is_in_the_patch(repo, tmp_path):
    def change():
        put(repo, {"a.txt": "one\nthree\n", "new/deep/file.py": "x = 1\n", "empty.txt": ""})
        put(repo, {"b.bin": b"\0\1\2" * 999, "new.bin": os.urandom(2000), "ü ö.txt": "é\n"})
        put(repo, {"no newline": "end", "crlf.txt": "a\r\nb\r\n"})
        os.rename(repo / "old name.txt", repo / "renamed.txt")
        os.unlink(repo / "gone.txt")
        os.chmod(repo / "run.sh", 0o755)
        os.symlink("a.txt", repo / "link")

    assert_complete(repo, change, tmp_path)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.dictionaries(
        st.sampled_from(["a.txt", "b.bin", "gone.txt", "sub/x", "sub/y", 'q\tt"\\.txt', "-dash"]),
        st.one_of(st.none(), st.binary(max_size=400), st.text("ab \r\n", max_size=60)),
        max_size=7,
    )
)
def test_any_set_of_writes_and_deletions_comes_through(files):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder) / "repo"
        repository(repo, {"a.txt": "one\n", "b.bin": b"\0\xff", "gone.txt": "gone\n"})

        def change():
            for name, content in files.items():
                if content is None:
                    (repo / name).unlink(missing_ok=True)
                else:
                    put(repo, {name: content})

        assert_complete(repo, change, Path(folder))


def test_ignored_files_come_only_on_request(repo, tmp_path):
    def change():
        put(repo, {"debug.log": "log\n", "build/out.o": "o\n", "real.py": "x\n"})

    patch = changes(repo, change)
    assert b"real.py" in patch
    assert b"debug.log" not in patch
    for name in ("debug.log", "build/out.o", "real.py"):
        (repo / name).unlink()
    assert_complete(repo, change, tmp_path, include_ignored=True)


def test_what_the_image_left_untracked_is_no_part_of_the_patch(repo):
    put(repo, {"from-image.txt": "installed\n", "pkg.egg-info/PKG-INFO": "x\n"})
    assert changes(repo, lambda: None) == b""
    patch = changes(repo, lambda: put(repo, {"from-image.txt": "changed\n"}))
    assert b"-installed\n+changed" in patch
    assert b"egg-info" not in patch


def test_commits_resets_and_branches_of_the_agent_change_nothing(repo, tmp_path):
    def change():
        commit(repo, {"a.txt": "committed\n"}, "by agent")
        git(repo, "checkout", "--quiet", "-b", "feature")
        commit(repo, {"c.txt": "more\n"}, "more")
        put(repo, {"d.txt": "uncommitted\n"})
        git(repo, "add", "d.txt")

    patch = assert_complete(repo, change, tmp_path)
    assert patch.count(b"diff --git") == 3


@pytest.mark.parametrize("damage", ["deleted", "made anew", "corrupt", "a file"])
def test_whatever_happens_to_the_git_directory_the_patch_is_complete(repo, damage):
    def change():
        put(repo, {"a.txt": "changed\n"})
        if damage == "corrupt":
            (repo / ".git" / "HEAD").write_text("nonsense")
            shutil.rmtree(repo / ".git" / "objects")
            return
        shutil.rmtree(repo / ".git")
        if damage == "made anew":
            git(repo, "init", "--quiet")
            commit(repo, {}, "all of it")
        if damage == "a file":
            (repo / ".git").write_text("gitdir: /nowhere")

    assert b"+changed" in changes(repo, change)


def test_configuration_hooks_and_attributes_of_the_repository_are_inert(repo, tmp_path):
    trap = tmp_path / "owned"

    def change():
        put(repo, {"a.txt": "changed\n", "c.dat": "data\n"})
        put(repo, {".gitattributes": "* filter=evil diff=evil -text\n*.txt -diff\n"})
        for name, value in {
            "core.fsmonitor": f"touch {trap}",
            "core.hooksPath": str(tmp_path),
            "filter.evil.clean": f"touch {trap}; echo stolen",
            "diff.evil.command": f"touch {trap}",
            "diff.evil.textconv": f"touch {trap}; cat",
            "diff.external": f"touch {trap}",
            "core.excludesFile": str(tmp_path / "excludes"),
            "core.worktree": "/",
            "core.attributesFile": str(tmp_path / "attributes"),
        }.items():
            git(repo, "config", name, value)
        (tmp_path / "excludes").write_text("c.dat\n")
        put(repo, {".git/info/exclude": "c.dat\n", ".git/info/attributes": "* -diff\n"})

    patch = changes(repo, change)
    assert not trap.exists()
    assert b"c.dat" in patch
    assert b"stolen" not in patch


def test_index_flags_hide_nothing(repo):
    def change():
        git(repo, "update-index", "--assume-unchanged", "a.txt")
        git(repo, "update-index", "--skip-worktree", "gone.txt")
        put(repo, {"a.txt": "hidden change\n", "gone.txt": "hidden too\n"})

    assert changes(repo, change).count(b"hidden") == 2


def test_a_change_that_keeps_size_and_time_is_seen(repo):
    def change():
        status = os.stat(repo / "a.txt")
        put(repo, {"a.txt": "ONE\nTWO\n"})
        os.utime(repo / "a.txt", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert b"+ONE" in changes(repo, change)


def test_files_of_repositories_the_agent_made_are_captured(repo):
    def change():
        repository(repo / "vendored", {"lib.py": "x = 1\n", "deep/y.py": "y = 1\n"})
        git(repo, "init", "--quiet", "unborn")
        put(repo, {"unborn/z.py": "z = 1\n", "plain.py": "p = 1\n"})

    patch = changes(repo, change)
    for name in (b"vendored/lib.py", b"vendored/deep/y.py", b"unborn/z.py", b"plain.py"):
        assert b"+++ b/" + name in patch
    assert b"Subproject" not in patch
    assert b".git/" not in patch


def test_a_file_that_becomes_a_folder_and_the_other_way_round(repo, tmp_path):
    commit(repo, {"folder/inside.txt": "x\n"})

    def change():
        os.unlink(repo / "a.txt")
        put(repo, {"a.txt/inside": "now a folder\n"})
        shutil.rmtree(repo / "folder")
        put(repo, {"folder": "now a file\n"})

    assert_complete(repo, change, tmp_path)


def test_a_fifo_or_socket_does_not_block_or_appear(repo):
    def change():
        os.mkfifo(repo / "pipe")
        put(repo, {"a.txt": "changed\n"})

    patch = changes(repo, change)
    assert b"+changed" in patch
    assert b"pipe" not in patch


def test_users_git_settings_do_not_change_the_patch(repo, tmp_path, monkeypatch):
    home = tmp_path / "home"
    put(
        home,
        {
            ".gitconfig": "[diff]\n\tnoprefix = true\n\trenames = copies\n[core]\n\tautocrlf = true\n"
        },
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    patch = changes(repo, lambda: put(repo, {"a.txt": "one\r\ntwo\r\n"}))
    assert b"+++ b/a.txt" in patch
    assert b"+one\r\n" in patch
