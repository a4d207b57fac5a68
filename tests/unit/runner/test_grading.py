# ruff: noqa: PTH110,PTH211  # the os functions are what the runner itself uses

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from tests.unit.runner.builders import git, put, repository

from benchwarden_runner import protocol
from benchwarden_runner.specs import ParserSpec, TestFileEntry

CHECK = "import calc; assert calc.add(2, 2) == 4"
FIX = """--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""
BAD = FIX.replace("a + b", "a * b + 1")
JUNIT = """
import sys
cases = []
def case(name, passed):
    cases.append('<testcase classname="test_calc" name="%s">%s</testcase>'
                 % (name, "" if passed else "<failure/>"))
import calc
case("test_add", calc.add(2, 3) == 5)
case("test_zero", calc.add(0, 0) == 0)
open(sys.argv[1], "w").write("<testsuites><testsuite>%s</testsuite></testsuites>" % "".join(cases))
"""


@pytest.fixture
def calc(place):
    repository(
        place.repo,
        {"calc.py": "def add(a, b):\n    return a - b\n", "conf.ini": "strict\n", "t/x.txt": "x\n"},
    )
    return place


def exit_code(place, **fields):
    return place.grade_spec(test_command=f'{sys.executable} -c "{CHECK}"', **fields)


def junit(place, **fields):
    return place.grade_spec(
        test_command=f"{sys.executable} run_tests.py out.xml",
        parser=ParserSpec("junit", "out.xml"),
        fail_to_pass=("test_calc::test_add",),
        pass_to_pass=("test_calc::test_zero",),
        test_files=(TestFileEntry("run_tests.py"),),
        **fields,
    )


JUNIT_FILES = {"files/0": JUNIT}


def test_a_good_patch_is_resolved(calc):
    verdict = calc.grade(exit_code(calc), FIX)
    assert verdict.outcome == protocol.RESOLVED
    assert verdict.fail_to_pass == (1, 1)
    assert verdict.patch_bytes == len(FIX)
    assert len(verdict.patch_sha256) == 64


def test_a_bad_patch_is_unresolved_and_says_what_failed(calc):
    verdict = calc.grade(junit(calc), BAD, JUNIT_FILES)
    assert verdict.outcome == protocol.UNRESOLVED
    assert verdict.fail_to_pass == (0, 1)
    assert verdict.pass_to_pass == (0, 1)
    assert "test_calc::test_add failed" in verdict.reason


def test_a_test_that_breaks_is_unresolved_even_if_the_wanted_one_passes(calc):
    verdict = calc.grade(junit(calc), FIX.replace("a + b", "a + b if a else 9"), JUNIT_FILES)
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == ((1, 1), (0, 1))
    assert verdict.outcome == protocol.UNRESOLVED


def test_an_empty_patch_is_graded_for_real_but_never_resolved(calc):
    verdict = calc.grade(junit(calc), b"\n", JUNIT_FILES)
    assert verdict.outcome == protocol.EMPTY_PATCH
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == ((0, 1), (1, 1))
    verdict = calc.grade(calc.grade_spec(), b"")
    assert (verdict.outcome, verdict.reason) == ("empty_patch", "the tests pass without a patch")


def test_a_patch_for_another_tree_does_not_apply(calc):
    verdict = calc.grade(exit_code(calc), FIX.replace("a - b", "nothing like it"))
    assert verdict.outcome == protocol.PATCH_DOES_NOT_APPLY
    assert "calc.py" in verdict.reason
    assert (calc.repo / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"


def test_a_patch_with_shifted_context_is_applied_by_the_later_tries(calc):
    fuzzy = FIX.replace(" def add(a, b):", " def add(a, b):  # note")
    assert calc.grade(exit_code(calc), fuzzy).outcome == protocol.RESOLVED


@pytest.mark.parametrize("target", ["../outside.txt", "/tmp/outside.txt", ".git/hooks/x", ".GIT/x"])
def test_a_patch_that_leaves_the_tree_does_not_apply(calc, target):
    patch = f"--- /dev/null\n+++ b/{target}\n@@ -0,0 +1 @@\n+x\n"
    verdict = calc.grade(calc.grade_spec(), patch)
    assert verdict.outcome == protocol.PATCH_DOES_NOT_APPLY
    assert not (calc.repo.parent / "outside.txt").exists()
    assert not (calc.repo / ".git" / "hooks" / "x").exists()


def test_no_patch_is_the_harness_and_a_strange_one_is_the_agents(calc):
    assert calc.grade(calc.grade_spec()).outcome == protocol.HARNESS
    os.symlink("/etc/passwd", calc.work / protocol.FILE_PATCH)
    assert calc.grade(calc.grade_spec()).outcome == protocol.EMPTY_PATCH
    (calc.work / protocol.FILE_PATCH).unlink()
    os.mkfifo(calc.work / protocol.FILE_PATCH)
    assert calc.grade(calc.grade_spec()).outcome == protocol.EMPTY_PATCH
    (calc.work / protocol.FILE_PATCH).unlink()
    verdict = calc.grade(calc.grade_spec(max_patch_bytes=10), FIX)
    assert verdict.outcome == protocol.PATCH_DOES_NOT_APPLY


def test_tests_and_runner_configuration_are_restored_after_the_patch(calc):
    cheat = FIX.replace("+    return a + b", "+    return 'cheat'")
    cheat += "--- /dev/null\n+++ b/run_tests.py\n@@ -0,0 +1 @@\n+raise SystemExit(0)\n"
    cheat += "--- a/conf.ini\n+++ b/conf.ini\n@@ -1 +1 @@\n-strict\n+lax\n"
    cheat += "--- /dev/null\n+++ b/conftest.py\n@@ -0,0 +1 @@\n+raise SystemExit(0)\n"
    cheat += "--- /dev/null\n+++ b/t/sub/extra.txt\n@@ -0,0 +1 @@\n+extra\n"
    spec = junit(calc, restore_paths=("conf.ini", "**/conftest.py", "t"))
    verdict = calc.grade(spec, cheat, JUNIT_FILES)
    assert verdict.outcome == protocol.UNRESOLVED
    assert (calc.repo / "conf.ini").read_text() == "strict\n"
    assert not (calc.repo / "conftest.py").exists()
    assert not (calc.repo / "t" / "sub" / "extra.txt").exists()


def test_a_link_in_place_of_a_test_file_is_replaced_not_followed(calc, tmp_path):
    outside = tmp_path / "outside"
    put(outside, {"run_tests.py": "untouched\n"})
    patch = "diff --git a/d b/d\nnew file mode 120000\n--- /dev/null\n+++ b/d\n"
    patch += f"@@ -0,0 +1 @@\n+{outside}\n\\ No newline at end of file\n"
    spec = calc.grade_spec(
        test_command="true", test_files=(TestFileEntry("d/run_tests.py", executable=True),)
    )
    assert calc.grade(spec, patch, JUNIT_FILES).outcome == protocol.RESOLVED
    assert (outside / "run_tests.py").read_text() == "untouched\n"
    assert os.access(calc.repo / "d" / "run_tests.py", os.X_OK)


def test_the_tests_patch_wins_over_the_agents(calc):
    agents = FIX + "--- a/t/x.txt\n+++ b/t/x.txt\n@@ -1 +1 @@\n-x\n+agent\n"
    tests = "--- a/t/x.txt\n+++ b/t/x.txt\n@@ -1 +1 @@\n-x\n+tests\n"
    spec = calc.grade_spec(test_command="grep -q tests t/x.txt && grep -q 'a + b' calc.py")
    verdict = calc.grade(spec, agents, {"test.patch": tests})
    assert verdict.outcome == protocol.RESOLVED


def test_a_tests_patch_that_does_not_apply_is_our_error(calc):
    tests = "--- a/t/x.txt\n+++ b/t/x.txt\n@@ -1 +1 @@\n-other\n+tests\n"
    verdict = calc.grade(calc.grade_spec(), FIX, {"test.patch": tests})
    assert verdict.outcome == protocol.GRADER_ERROR
    assert "tests' patch" in verdict.reason


def test_the_setup_runs_first_and_its_failure_is_told(calc):
    spec = calc.grade_spec(setup_command="touch made; exit 7", test_command="test -e made")
    assert calc.grade(spec, FIX).outcome == protocol.RESOLVED
    spec = calc.grade_spec(setup_command="exit 7", test_command="false")
    assert "setup exited with 7" in calc.grade(spec, FIX).reason


def test_a_run_past_its_time_is_a_grader_error_and_leaves_nothing(calc):
    pids = calc.folder / "pids"
    command = f"(setsid sh -c 'echo $$ > {pids}; exec sleep 600' &); sleep 600"
    begun = time.monotonic()
    verdict = calc.grade(calc.grade_spec(test_command=command, timeout_seconds=1), FIX)
    assert (verdict.outcome, verdict.reason) == ("grader_error", protocol.REASON_GRADE_TIMEOUT)
    assert time.monotonic() - begun < 20
    assert not os.path.exists(f"/proc/{pids.read_text().strip()}")


def test_tests_that_eat_the_memory_are_ended(calc):
    program = "import time; x = bytearray(200 << 20); time.sleep(60)"
    spec = calc.grade_spec(
        test_command=f'{sys.executable} -c "{program}"', memory_limit_bytes=128 << 20
    )
    assert calc.grade(spec, FIX).outcome == protocol.AGENT_OOM


def test_a_missing_test_command_is_our_error(calc):
    spec = junit(calc)
    verdict = calc.grade(replace(spec, test_command="no-such-runner"), FIX, JUNIT_FILES)
    assert verdict.outcome == protocol.GRADER_ERROR
    assert "not found" in verdict.reason


def test_a_run_that_leaves_no_report_is_unresolved(calc):
    verdict = calc.grade(replace(junit(calc), test_command="exit 1"), FIX, JUNIT_FILES)
    assert verdict.outcome == protocol.UNRESOLVED
    assert "no JUnit report" in verdict.reason


def test_a_report_that_the_patch_brings_is_not_believed(calc):
    cases = [
        f'<testcase classname="test_calc" name="{name}"/>' for name in ("test_add", "test_zero")
    ]
    forged = f"<testsuite>{''.join(cases)}</testsuite>"
    patch = FIX + f"--- /dev/null\n+++ b/out.xml\n@@ -0,0 +1 @@\n+{forged}\n"
    verdict = calc.grade(replace(junit(calc), test_command="exit 1"), patch, JUNIT_FILES)
    assert verdict.outcome == protocol.UNRESOLVED
    assert "no JUnit report" in verdict.reason


def test_a_report_with_entities_or_behind_a_link_is_not_read(calc):
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>'
    spec = replace(junit(calc), test_command=f"echo '{bomb}' > out.xml")
    assert "document type" in calc.grade(spec, FIX, JUNIT_FILES).reason
    spec = replace(junit(calc), test_command="ln -s /etc/passwd out.xml")
    assert calc.grade(spec, FIX, JUNIT_FILES).outcome == protocol.UNRESOLVED


def test_tap_from_the_output_or_a_file(calc):
    tap = "TAP version 13\n1..2\nok 1 - adds\nnot ok 2 - subtracts\n"
    put(calc.repo, {"out.tap": "stale\n"})
    for kind, command in ((ParserSpec("tap"), "cat"), (ParserSpec("tap", "o.tap"), "cat > o.tap")):
        spec = calc.grade_spec(
            parser=kind,
            test_command=f"{command} <<'END'\n{tap}END",
            fail_to_pass=("adds",),
            pass_to_pass=("subtracts",),
        )
        verdict = calc.grade(spec, FIX)
        assert (verdict.fail_to_pass, verdict.pass_to_pass) == ((1, 1), (0, 1))


PARSER = """
import json, sys
out, err, target = sys.argv[1:]
tests = [dict(zip(("name", "status"), line.split())) for line in open(out)]
tests += [{"name": "from-stderr", "status": "passed"} for line in open(err)]
json.dump({"tests": tests}, open(target, "w"))
"""


def script_spec(place, **fields):
    return place.grade_spec(
        parser=ParserSpec("script"),
        test_command="echo a PASSED; echo b SKIPPED; echo noise >&2",
        fail_to_pass=("a", "from-stderr"),
        pass_to_pass=("b",),
        **fields,
    )


def test_a_parser_script_reads_the_outputs(calc):
    files = {"parser.py": PARSER}
    verdict = calc.grade(script_spec(calc), FIX, files)
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == ((2, 2), (0, 1))
    verdict = calc.grade(script_spec(calc, skipped_counts_as_pass=True), FIX, files)
    assert verdict.outcome == protocol.RESOLVED


@pytest.mark.parametrize(
    "script", ["raise SystemExit(3)", "", "import sys; open(sys.argv[3], 'w')"]
)
def test_a_parser_script_that_fails_is_our_error(calc, script):
    verdict = calc.grade(script_spec(calc), FIX, {"parser.py": script})
    assert verdict.outcome == protocol.GRADER_ERROR
    assert "parser script" in verdict.reason


def test_a_task_without_tests_is_our_error(calc):
    spec = calc.grade_spec(parser=ParserSpec("tap"), test_command="echo ok 1 - x")
    assert calc.grade(spec, FIX).outcome == protocol.GRADER_ERROR


def test_the_verdict_of_a_full_batch_fits_its_small_message(calc):
    verdict = calc.grade(junit(calc), BAD, JUNIT_FILES, message_bytes=455)
    assert verdict.outcome == protocol.UNRESOLVED


def test_code_under_test_cannot_write_the_verdict(calc):
    spec = calc.grade_spec(
        test_command=f"""
        rm -f {calc.message_path}; echo '{{"outcome":"resolved"}}' > {calc.message_path}
        (setsid sh -c 'while :; do echo forged > {calc.message_path}; sleep 0.01; done' &)
        exit 1"""
    )
    verdict = calc.grade(spec, FIX)
    assert verdict.outcome == protocol.UNRESOLVED
    time.sleep(0.1)
    assert protocol.decode(calc.message_path.read_text()) == verdict


def test_code_under_test_has_no_descriptor_but_its_own_three(calc):
    spec = calc.grade_spec(test_command="ls /proc/self/fd > fds", setup_command="true")
    calc.grade(spec, FIX)
    assert (calc.repo / "fds").read_text().split() == ["0", "1", "2", "3"]  # 3: ls reading it


def test_the_image_tree_is_reset_to_the_base(calc):
    base = git(calc.repo, "rev-parse", "HEAD")
    put(calc.repo, {"calc.py": "broken(\n", "untracked.txt": "of the image\n"})
    git(calc.repo, "commit", "--quiet", "--all", "-m", "later")
    verdict = calc.grade(exit_code(calc, base_commit=base), FIX)
    assert verdict.outcome == protocol.RESOLVED
    assert (calc.repo / "untracked.txt").exists()


CAN_UNSHARE = (
    os.geteuid() == 0
    and subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False
    ).returncode
    == 0
)


@pytest.mark.root
@pytest.mark.skipif(not CAN_UNSHARE, reason="needs root and PID namespaces")
def test_as_pid_one_nothing_survives_that_could_touch_the_verdict(calc):
    wrap = ("unshare", "--pid", "--fork", "--mount-proc", "--ipc", "--kill-child")
    attack = f"""
        trap '' INT TERM HUP
        for i in 1 2 3; do
          (setsid sh -c 'while :; do : > {calc.message_path}; sleep 0.005; done' >/dev/null 2>&1 &)
        done
        kill -9 1; kill -STOP 1; kill -TERM 1; kill -INT 1; sleep 0.3
        ls -l /proc/1/fd > {calc.folder}/fds 2>&1
        exit 1"""
    spec = replace(calc.grade_spec(test_command=attack), local=False)
    verdict = calc.grade(spec, FIX, wrap=wrap)
    assert verdict.outcome == protocol.UNRESOLVED


@pytest.mark.root
@pytest.mark.skipif(not CAN_UNSHARE, reason="needs root and PID namespaces")
def test_as_pid_one_a_signal_from_outside_ends_it_at_once(calc):
    spec = replace(calc.grade_spec(test_command="touch started; sleep 600"), local=False)
    script = f"""
        "$@" & while ! [ -e {calc.repo}/started ]; do sleep 0.05; done
        kill -TERM $(cat /proc/$!/task/$!/children); wait $!"""
    wrap = ("sh", "-c", script, "sh", "unshare", "--pid", "--fork", "--mount-proc", "--ipc")
    begun = time.monotonic()
    verdict = calc.grade(spec, FIX, wrap=wrap)
    assert (verdict.outcome, verdict.reason) == ("grader_error", "the pod was told to stop")
    assert time.monotonic() - begun < 20


@pytest.mark.root
@pytest.mark.skipif(not CAN_UNSHARE, reason="needs root and PID namespaces")
def test_shared_memory_of_an_earlier_container_is_cleared(calc):
    script = calc.folder / "poison.sh"
    script.write_text(
        'ipcmk -M 1024 >/dev/null; ipcmk -Q >/dev/null; ipcmk -S 2 >/dev/null; exec "$@"'
    )
    wrap = ("unshare", "--pid", "--fork", "--mount-proc", "--ipc", "sh", str(script))
    spec = replace(calc.grade_spec(test_command="test $(ipcs | grep -c ^0x) = 0"), local=False)
    assert calc.grade(spec, FIX, wrap=wrap).outcome == protocol.RESOLVED
