"""Agents and patches that try to hurt their supervisor or grader: each is contained, with a stated outcome."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from tests.unit.runner.builders import commit, git, put, repository

from benchwarden_runner import protocol
from benchwarden_runner.specs import ParserSpec
from benchwarden_runner.workspace.git import Git, GitError

PASSES = f"{sys.executable} -c 'import calc; assert calc.add(2, 2) == 4'"
FIX = """--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""


@pytest.fixture
def calc(place):
    repository(place.repo, {"calc.py": "def add(a, b):\n    return a - b\n"})
    return place


def agent(place, script, **fields):
    spec = place.agent_spec(protocol.AGENT_EXEC, command=("sh", "-c", script), **fields)
    return place.agent(spec)


def new_file(name: str, content: str) -> str:
    lines = content.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    return f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{added}"


def new_link(name: str, target: str) -> str:
    head = f"diff --git a/{name} b/{name}\nnew file mode 120000\n--- /dev/null\n+++ b/{name}\n"
    return f"{head}@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"


def test_a_gigabyte_of_output_is_cut_and_ends_the_agent(calc):
    telemetry = agent(calc, "echo x >> calc.py; head -c 1G /dev/zero; sleep 60")
    assert telemetry.outcome == protocol.AGENT_ERROR
    assert "printed more than can be kept" in telemetry.reason
    assert telemetry.seconds < 40
    assert b"+x" in calc.patch
    kept = sum(path.stat().st_size for path in calc.work.rglob("*") if path.is_file())
    assert kept < 400 << 20


def test_a_gigabyte_of_test_output_is_a_failure_of_the_patch(calc):
    begun = time.monotonic()
    verdict = calc.grade(calc.grade_spec(test_command="head -c 1G /dev/zero; sleep 60"), FIX)
    assert verdict.outcome == protocol.UNRESOLVED
    assert "printed more than can be kept" in verdict.reason
    assert time.monotonic() - begun < 40


def test_a_patch_too_large_to_keep_is_the_agents_error_and_costs_no_memory(calc):
    telemetry = agent(calc, "head -c 80M /dev/urandom > huge.bin")
    assert telemetry.outcome == protocol.AGENT_ERROR
    assert "patch is larger than" in telemetry.reason
    assert not (calc.work / protocol.FILE_PATCH).exists()


def test_files_too_large_to_compare_are_not_even_compared(calc):
    telemetry = agent(calc, "truncate -s 300M empty.bin")
    assert telemetry.outcome == protocol.AGENT_ERROR
    assert "changed files hold more than" in telemetry.reason


@pytest.mark.parametrize("name", [".gitattributes", "sub/.gitattributes"])
def test_attributes_in_a_patch_start_no_filter_of_the_image(calc, tmp_path, name):
    """An image may have git-lfs or another filter for all users; a patch must not make it run."""
    trap = tmp_path / "ran"
    home = calc.folder / ".gitconfig"  # the grader's HOME is this folder
    home.write_text(f'[filter "evil"]\n\tsmudge = touch {trap}; cat\n\tclean = touch {trap}; cat\n')
    patch = FIX + new_file(name, "* filter=evil diff=evil merge=evil\n")
    verdict = calc.grade(calc.grade_spec(test_command=PASSES), patch)
    assert verdict.outcome == protocol.RESOLVED, verdict
    assert not trap.exists()


def test_a_pointer_to_a_large_file_is_a_file_like_any_other(calc):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n"
    patch = (
        FIX + new_file("weights.bin", pointer) + new_file(".gitattributes", "*.bin filter=lfs\n")
    )
    test = f"{PASSES} && grep -q 'size 9' weights.bin"
    assert calc.grade(calc.grade_spec(test_command=test), patch).outcome == protocol.RESOLVED


@pytest.mark.parametrize("rule", [protocol.APPLY_LENIENT, protocol.APPLY_SWEBENCH])
@pytest.mark.parametrize("target", ["..", "/tmp", ".git"])
def test_a_link_in_a_patch_is_no_way_out_of_the_tree(calc, target, rule):
    beyond = new_file("way/out.txt", "out\n")
    verdict = calc.grade(
        calc.grade_spec(test_command=PASSES, apply=rule), FIX + new_link("way", target) + beyond
    )
    assert verdict.outcome == protocol.PATCH_DOES_NOT_APPLY
    for place in (calc.folder, calc.repo / ".git"):
        assert not (place / "out.txt").exists()


def test_a_thousand_links_and_a_loop_are_captured_as_links(calc):
    script = "for i in $(seq 1000); do ln -s / link$i; done; ln -s loop loop; ln -s .. up"
    telemetry = agent(calc, script)
    assert telemetry.outcome == protocol.COMPLETED
    assert calc.patch.count(b"new file mode 120000") == 1002
    assert len(calc.patch) < 400_000
    git(calc.repo, "clean", "-fdq")  # a grader has a tree of its own
    verdict = calc.grade(calc.grade_spec(test_command="test -L up && test -L loop"))
    assert verdict.outcome == protocol.RESOLVED


def test_hooks_and_monitors_that_an_agent_plants_in_git_run_neither_for_it_nor_for_its_grader(calc):
    trap = calc.folder / "ran"
    hooks = ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman")
    plant = "".join(
        f"printf '#!/bin/sh\\ntouch {trap}\\n' > .git/hooks/{name}; chmod +x .git/hooks/{name}; "
        for name in hooks
    )
    plant += (
        f"git config core.fsmonitor 'touch {trap}'; git config core.sshCommand 'touch {trap}'; "
    )
    telemetry = agent(calc, f"mkdir -p .git/hooks; {plant} sed -i 's/a - b/a + b/' calc.py")
    assert telemetry.outcome == protocol.COMPLETED
    assert not trap.exists()
    assert b"hooks" not in calc.patch
    # The grader has a tree of its own, as the image brought it.
    git(
        calc.repo, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", "checkout", "-qf", "."
    )
    assert calc.grade(calc.grade_spec(test_command=PASSES)).outcome == protocol.RESOLVED
    assert not trap.exists()


def test_names_with_escapes_and_line_feeds_come_through_as_they_are(calc):
    names = ["\x1b[31mred", "line\nfeed", "\u202egpj.exe", "<img src=x>", "-rf", "--help"]
    put(calc.repo, {})
    script = "".join(f"touch -- '{name}'; echo x > './{name}'; " for name in names)
    assert agent(calc, script).outcome == protocol.COMPLETED
    assert calc.patch.count(b"new file mode") == len(names)
    assert b"\x1b" not in calc.patch  # quoted by git: harmless on a terminal
    commit(calc.repo, {}, "theirs")
    for name in names:
        assert os.path.lexists(calc.repo / name)


PARSER = (
    "import json, sys\nrows = [json.loads(line) for line in open(sys.argv[1]) if line[0] == '{']\n"
)
PARSER += "json.dump({'tests': rows}, open(sys.argv[3], 'w'))\n"


def test_a_patch_that_prints_what_crashes_the_parser_is_told_apart_from_a_grader_in_trouble(calc):
    spec = calc.grade_spec(
        test_command=f"{sys.executable} -c 'import calc'", parser=ParserSpec("script")
    )
    files = {protocol.FILE_PARSER: PARSER}
    hostile = FIX.replace("@@ -1,2 +1,2 @@\n", "@@ -1,2 +1,3 @@\n+print('{')\n")
    verdict = calc.grade(spec, hostile, files)
    assert verdict.outcome == protocol.GRADER_ERROR
    assert verdict.reason.startswith(protocol.REASON_SPOILED)
    verdict = calc.grade(calc.grade_spec(base_commit="a" * 40), hostile)
    assert verdict.outcome == protocol.GRADER_ERROR
    assert not verdict.reason.startswith(protocol.REASON_SPOILED)


def test_attributes_of_a_patch_that_spoil_the_tests_are_its_own_doing(calc):
    commit(calc.repo, {"t.py": "a\n"})
    tests = "--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-a\n+b\n"
    hostile = FIX + new_file(".gitattributes", "t.py working-tree-encoding=NO-SUCH\n")
    verdict = calc.grade(
        calc.grade_spec(test_command="grep b t.py"), hostile, {protocol.FILE_TEST_PATCH: tests}
    )
    assert verdict.outcome == protocol.RESOLVED or verdict.reason.startswith(
        protocol.REASON_SPOILED
    )


def test_a_folder_in_the_place_of_the_results_does_not_stop_the_grader(calc):
    spec = calc.grade_spec(
        test_command="echo not ok 1 - a > r.tap", parser=ParserSpec("tap", "r.tap")
    )
    verdict = calc.grade(replace(spec, fail_to_pass=("a",)), FIX + new_file("r.tap/x", "x\n"))
    assert verdict.outcome == protocol.UNRESOLVED


def test_a_runner_configuration_that_the_patch_lets_git_ignore_is_restored_too(calc):
    """The patch applies with fuzz only, so git has no word in it."""
    fuzzy = FIX.replace(" def add(a, b):", " def add(a, b):  # moved")
    hostile = fuzzy + new_file(".gitignore", "conftest.py\n") + new_file("conftest.py", "x\n")
    spec = calc.grade_spec(test_command="! test -e conftest.py", restore_paths=("conftest.py",))
    assert calc.grade(spec, hostile).outcome == protocol.RESOLVED


def test_an_agent_that_destroys_what_its_patch_is_taken_with_is_told_apart(calc):
    telemetry = agent(calc, 'echo x >> calc.py; rm -rf "$HOME/../snapshot"')
    assert telemetry.outcome == protocol.HARNESS
    assert telemetry.reason.startswith(protocol.REASON_NOT_CAPTURED)


def test_a_git_that_never_ends_is_ended_with_what_it_has_started(tmp_path, monkeypatch):
    """An agent may have put it there; its child keeps the pipes open after the git itself was killed."""
    (tmp_path / "git").write_text("#!/bin/sh\n(setsid sleep 60 &)\nsleep 60 &\nsleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    begun = time.monotonic()
    with pytest.raises(GitError, match="took more than"):
        Git(str(tmp_path), str(tmp_path)).run("status", timeout_seconds=0.5)
    limited = Git(str(tmp_path), str(tmp_path))
    limited.limit_to(1.0)
    for _ in range(3):
        with pytest.raises(GitError, match="took more than"):
            limited.run("status")
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("base", "said"), [("a" * 40, f"has no commit {'a' * 40}"), ("", "has no commit at all")]
)
def test_a_work_tree_without_its_base_commit_is_named(place, base, said):
    repository(place.repo, {"calc.py": "x\n"})
    if not base:
        git(place.repo, "update-ref", "-d", "HEAD")
    verdict = place.grade(place.grade_spec(base_commit=base), FIX)
    assert verdict.outcome == protocol.GRADER_ERROR
    assert said in verdict.reason


def test_a_failed_command_says_how_it_ended(calc):
    verdict = calc.grade(calc.grade_spec(test_command="exit 127", fail_to_pass=("works",)), FIX)
    assert (verdict.outcome, verdict.reason) == ("unresolved", "the test command ended with 127")


def can_be_pid_one() -> bool:
    done = subprocess.run([*AS_PID_ONE, "true"], capture_output=True, check=False)
    return done.returncode == 0


# As in a pod: PID 1 of its own, root, and no CAP_SYS_PTRACE.
AS_PID_ONE = ("unshare", "--pid", "--fork", "--mount-proc", "--ipc", "--kill-child")
AS_PID_ONE += ("setpriv", "--bounding-set=-sys_ptrace")
ATTACH = (
    "import ctypes; print('attached' if ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0 else 'denied')"
)


@pytest.mark.root
@pytest.mark.skipif(not can_be_pid_one(), reason="needs root: unshare and setpriv")
def test_an_agent_cannot_trace_its_supervisor(calc):
    """Who stops the supervisor stops the clock: nothing would end the agent before its pod's own deadline."""
    script = f'{sys.executable} -c "{ATTACH}" > traced; sleep 1'
    spec = calc.agent_spec(protocol.AGENT_EXEC, command=("sh", "-c", script), timeout_seconds=30)
    telemetry = calc.agent(replace(spec, local=False), wrap=AS_PID_ONE)
    assert telemetry.outcome == protocol.COMPLETED
    assert b"+denied" in calc.patch
