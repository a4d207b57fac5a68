# ruff: noqa: PTH101,PTH108,PTH110,PTH115,PTH208,PTH211  # the os functions are what the runner itself uses

import os
import shutil

import pytest
from tests.unit.runner.builders import commit, git, repository

from benchwarden_runner.workspace.git import GitError
from benchwarden_runner.workspace.git_history import cut


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    repository(folder, {"a.txt": "1\n", "keep/b.bin": bytes(range(256)), "run.sh": "echo\n"})
    os.chmod(folder / "run.sh", 0o755)
    os.symlink("a.txt", folder / "link")
    return folder


def grow(repo):
    """Base commit with a past, and a future kept in every way git can keep one."""
    base = commit(repo, {"a.txt": "2\n"}, "base")
    secrets = []
    secrets.append(commit(repo, {"a.txt": "solved\n", "fix.txt": "the fix\n"}, "solution"))
    git(repo, "tag", "-a", "v2", "-m", "release")
    git(repo, "branch", "later")
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(repo, "remote", "add", "origin", "https://example.invalid/repo.git")
    git(repo, "notes", "add", "-m", "how it was solved")
    git(repo, "replace", base, secrets[0])
    git(repo, "replace", "-d", base)
    (repo / "a.txt").write_text("stashed\n")
    git(repo, "stash")
    secrets.append(git(repo, "rev-parse", "stash"))
    git(repo, "pack-refs", "--all")
    git(repo, "gc", "--quiet")
    secrets.append(commit(repo, {"a.txt": "loose\n"}, "loose future"))
    git(repo, "reset", "--quiet", "--hard", base)
    return base, secrets


def assert_no_future(repo, secrets):
    for secret in secrets:
        assert git(repo, "cat-file", "-t", secret, check=False) == ""
    assert git(repo, "tag") == ""
    assert git(repo, "remote") == ""
    assert git(repo, "stash", "list") == ""
    assert git(repo, "reflog", "--all") == ""
    assert git(repo, "fsck", "--lost-found", "--no-progress") == ""
    assert "solution" not in git(repo, "log", "--all", "--format=%s")
    assert not os.path.exists(repo / ".git" / "packed-refs")


def test_nothing_of_the_future_is_left(repo):
    base, secrets = grow(repo)
    tree = git(repo, "rev-parse", f"{base}^{{tree}}")
    assert cut(str(repo), base, local=True) == base
    assert_no_future(repo, secrets)
    assert git(repo, "rev-parse", "HEAD") == base
    assert git(repo, "rev-parse", "HEAD^{tree}") == tree
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "log", "--format=%s") == "base\nbase"


def test_the_base_is_checked_out_when_head_is_elsewhere(repo):
    base, secrets = grow(repo)
    git(repo, "checkout", "--quiet", "later")
    (repo / "untracked.txt").write_text("stays\n")
    cut(str(repo), base, local=True)
    assert_no_future(repo, secrets)
    assert (repo / "a.txt").read_text() == "2\n"
    assert not (repo / "fix.txt").exists()
    assert (repo / "untracked.txt").read_text() == "stays\n"


def test_an_empty_base_means_head(repo):
    base, secrets = grow(repo)
    assert cut(str(repo), "", local=True) == base
    assert_no_future(repo, secrets)


def test_a_telling_branch_name_is_not_kept(repo):
    git(repo, "checkout", "--quiet", "-b", "fix-issue-123")
    cut(str(repo), "", local=True)
    assert git(repo, "branch", "--list", "--format=%(refname)", "--all").count("refs/") == 0
    git(repo, "checkout", "--quiet", "-b", "main")


def test_a_shallow_clone_stays_usable(repo, tmp_path):
    base, secrets = grow(repo)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repo}", str(shallow))
    base = git(shallow, "rev-parse", "HEAD")
    future = commit(shallow, {"x": "future\n"}, "solution")
    cut(str(shallow), base, local=True)
    assert_no_future(shallow, [future, *secrets])
    assert git(shallow, "status", "--porcelain") == ""
    assert git(shallow, "rev-parse", "--is-shallow-repository") == "true"
    assert git(shallow, "log", "--format=%s") == "base"


def test_a_deep_shallow_boundary_is_kept(repo, tmp_path):
    for number in range(4):
        commit(repo, {"a.txt": f"n{number}\n"})
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "2", f"file://{repo}", str(shallow))
    cut(str(shallow), "HEAD", local=True)
    assert git(shallow, "rev-parse", "--is-shallow-repository") == "true"
    assert len(git(shallow, "log", "--format=%s").splitlines()) == 2
    assert git(shallow, "fsck", "--no-progress") == ""


def test_a_partial_clone_keeps_what_it_has(repo, tmp_path):
    base, secrets = grow(repo)
    git(repo, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{repo}", str(partial))
    cut(str(partial), base, local=True)
    for secret in secrets:
        assert git(partial, "cat-file", "-t", secret, check=False) == ""
    assert git(partial, "log", "--all", "--format=%s") == "base\nbase"
    assert git(partial, "status", "--porcelain") == ""
    assert git(partial, "remote") == ""


def test_a_clone_that_borrows_objects_borrows_no_more(repo, tmp_path):
    base, secrets = grow(repo)
    borrower = tmp_path / "borrower"
    git(tmp_path, "clone", "--quiet", "--shared", str(repo), str(borrower))
    assert git(borrower, "cat-file", "-t", secrets[0]) == "commit"
    cut(str(borrower), base, local=False)
    assert_no_future(borrower, secrets)
    assert not (repo / ".git" / "objects").exists()  # in a container the lender goes as well


def test_a_local_cut_removes_nothing_outside_the_work_tree(repo, tmp_path):
    base, secrets = grow(repo)
    borrower = tmp_path / "borrower"
    git(tmp_path, "clone", "--quiet", "--shared", str(repo), str(borrower))
    cut(str(borrower), base, local=True)
    assert_no_future(borrower, secrets)
    assert git(repo, "cat-file", "-t", secrets[0]) == "commit"


@pytest.mark.parametrize("local", [True, False])
def test_linked_worktrees(repo, tmp_path, local):
    base, secrets = grow(repo)
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "--quiet", "--detach", str(linked), "later")
    cut(str(repo), base, local=local)
    assert_no_future(repo, secrets)
    assert linked.exists() == local


def test_a_work_tree_that_is_itself_linked(repo, tmp_path):
    base, secrets = grow(repo)
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "--quiet", "--detach", str(linked), "later")
    cut(str(linked), base, local=False)
    assert_no_future(linked, secrets)
    assert (linked / "a.txt").read_text() == "2\n"
    assert not (repo / ".git").exists()


def test_submodules_are_cut_at_the_commit_the_base_names(repo, tmp_path):
    library = tmp_path / "library"
    pinned = repository(library, {"lib.txt": "1\n"})
    secret = commit(library, {"lib.txt": "2\n"}, "solution")
    git(repo, "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(repo / "vendor" / "lib", "checkout", "--quiet", pinned)
    base = commit(repo, {}, "with submodule")
    git(repo / "vendor" / "lib", "checkout", "--quiet", secret)
    cut(str(repo), base, local=True)
    inner = repo / "vendor" / "lib"
    assert_no_future(inner, [secret])
    assert (inner / "lib.txt").read_text() == "1\n"
    assert git(inner, "rev-parse", "HEAD") == pinned
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "fsck", "--no-progress") == ""
    assert not (repo / ".git" / "modules").exists()


def test_settings_of_the_repository_survive_without_remotes_and_programs(repo):
    git(repo, "remote", "add", "origin", "https://example.invalid/x.git")
    git(repo, "config", "core.fsmonitor", "touch /tmp/owned")
    git(repo, "config", "core.autocrlf", "input")
    git(repo, "config", "user.name", 'A "quoted" \\ name')
    git(repo, "config", "filter.weird.name.clean", "cat")
    cut(str(repo), "", local=True)
    assert git(repo, "config", "core.autocrlf") == "input"
    assert git(repo, "config", "user.name") == 'A "quoted" \\ name'
    assert git(repo, "config", "filter.weird.name.clean") == "cat"
    assert git(repo, "config", "--list", "--local").count("origin") == 0
    assert git(repo, "config", "core.fsmonitor", check=False) == ""


def test_hooks_and_fsmonitor_of_the_repository_do_not_run_while_cutting(repo, tmp_path):
    trap = tmp_path / "owned"
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        path = repo / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {trap}\n")
        path.chmod(0o755)
    git(repo, "config", "core.fsmonitor", f"touch {trap}")
    base, _ = git(repo, "rev-parse", "HEAD"), trap.unlink(missing_ok=True)
    cut(str(repo), base, local=True)
    assert not trap.exists()


def test_a_stale_lock_of_a_killed_git_does_not_matter(repo):
    (repo / ".git" / "index.lock").touch()
    cut(str(repo), "", local=True)
    assert git(repo, "status", "--porcelain") == "?? link"


def test_the_agent_can_commit_afterwards(repo):
    cut(str(repo), "", local=True)
    commit(repo, {"new.txt": "x\n"}, "by the agent")
    assert git(repo, "log", "-1", "--format=%s") == "by the agent"


def test_modes_links_and_binary_files_are_as_they_were(repo):
    commit(repo, {}, "all")
    cut(str(repo), "", local=True)
    assert os.access(repo / "run.sh", os.X_OK)
    assert os.readlink(repo / "link") == "a.txt"
    assert (repo / "keep" / "b.bin").read_bytes() == bytes(range(256))


@pytest.mark.parametrize(
    "trouble", ["no repository", "no commit", "unknown base", "missing object"]
)
def test_what_cannot_be_cut_is_an_error_and_leaves_the_repository_alone(repo, trouble):
    base = git(repo, "rev-parse", "HEAD")
    if trouble == "no repository":
        shutil.rmtree(repo / ".git")
    elif trouble == "no commit":
        shutil.rmtree(repo / ".git")
        git(repo, "init", "--quiet")
    elif trouble == "unknown base":
        base = "0123456789" * 4
    else:
        commit(repo, {"a.txt": "second\n"})
        blob = git(repo, "rev-parse", "HEAD~1:a.txt")
        os.unlink(repo / ".git" / "objects" / blob[:2] / blob[2:])
        base = "HEAD"
    with pytest.raises(GitError):
        cut(str(repo), base, local=True)
    assert not [name for name in os.listdir(repo) if name.startswith((".git.new", ".git.old"))]
