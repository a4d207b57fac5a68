"""SWE-bench Pro graded for real by the runner, beside the official steps on the same patches."""

import ast
import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.builders import run_view
from tests.unit.runner.builders import PYTHON, Place, git
from tests.unit.suites.pro_rows import (
    CODE,
    FIXED,
    PARSER,
    RUN_SCRIPT,
    Demo,
    demo,
)

from benchwarden.manifests import documents
from benchwarden.results.official import officially_resolved
from benchwarden.results.row import Row
from benchwarden.suites import swebench_pro
from benchwarden.suites.instance import Instance
from benchwarden.suites.rows import collect, numbered
from benchwarden_runner import protocol

OFFICIAL = Path(__file__).with_name("official_pro.sh")
PRINTS = FIXED + "\n\nprint({!r})\n"
GOLD = {"calc": FIXED}
PATCHES: dict[str, dict[str, str]] = {
    "gold": GOLD,
    "partial": {"calc": CODE.replace("a - b", "a + b")},
    "breaks what passed": {"calc": FIXED.replace("a // 2", "a // 2 + 1")},
    "rewrites the tests": {"check": "checks = {'test_add': True, 'test_half': True}\n"},
    "gold and other tests": {"calc": FIXED, "check": "checks = {}\n"},
    "fails to import": {"calc": FIXED + "raise SystemExit(3)\n"},
    "prints passes of its own": {"calc": PRINTS.format("ok tests/check.py | test_add")},
    "prints failures of its own": {"calc": PRINTS.format("not ok tests/check.py | test_add")},
    "prints what crashes the parser": {"calc": PRINTS.format("crash the parser")},
    "prints what silences the parser": {"calc": PRINTS.format("write nothing")},
    "skips": {"calc": CODE + "\n\nprint('skip tests/check.py | test_add')\n"},
}
OUTCOMES = {
    "gold": "resolved",
    "gold and other tests": "resolved",
    "prints passes of its own": "resolved",
    "prints failures of its own": "resolved",  # one report of a pass is enough, as officially
    "prints what crashes the parser": "grader_error",
    "prints what silences the parser": "grader_error",
    "nop": "empty_patch",
    "does not apply": "patch_does_not_apply",
    "applies with fuzz only": "patch_does_not_apply",
    "gold with a binary file": "resolved",
    "gold with a binary file left out": "resolved",
}


@pytest.fixture
def bench(place) -> Demo:
    return demo(place.repo)


def patches(bench: Demo) -> dict[str, bytes]:
    """Every patch by name, those that no edit makes included."""
    found = {name: bench.patch(**files) for name, files in PATCHES.items()}
    gold = found["gold"]
    (bench.repo / "logo.bin").write_bytes(b"\0\2")
    binary = git(bench.repo, "diff", "--binary", bench.base).encode() + b"\n\n"
    mark = git(bench.repo, "diff", bench.base).encode() + b"\n"
    git(bench.repo, "reset", "--quiet", "--hard", bench.base)
    return {
        **found,
        "nop": b"",
        "does not apply": gold.replace(b"a - b", b"something else"),
        "applies with fuzz only": gold.replace(b" def add(a, b):", b" def add(a, b):  # other"),
        "gold with a binary file": binary + gold,
        "gold with a binary file left out": gold + mark,
    }


def instance(bench: Demo, **changes: Any) -> Instance:
    (made,) = collect(numbered([bench.row(**changes)]), swebench_pro.reader())
    made = swebench_pro.with_scripts(made, RUN_SCRIPT.encode(), PARSER)
    return replace(made, workdir=str(bench.repo))


def grade(place: Place, made: Instance, patch: bytes, **changes: Any) -> protocol.Verdict:
    spec = run_view(suite={"tasks": {"source": {"path": "/x"}}}).spec
    document = replace(documents.grade_document(spec, made), local=True, **changes)
    return place.grade(document, patch, documents.grade_files(document, made))


def officially(bench: Demo, folder: Path, patch: bytes) -> bool:
    """What the official scorer says of a patch: its steps, and its way of reading their output."""
    folder.mkdir()
    # The published scorer drops binary files before it writes the patch.
    parts = re.split(r"(?=^diff --git )", patch.decode(), flags=re.MULTILINE)
    kept = [
        p for p in parts if not re.search(r"^(GIT binary patch|Binary files .*)$", p, re.MULTILINE)
    ]
    files = {"patch.diff": "".join(kept), "run_script.sh": RUN_SCRIPT, "parser.py": PARSER}
    for name, content in files.items():
        (folder / name).write_text(content)
    row = bench.row()
    setup = row["before_repo_set_cmd"].strip().split("\n")[-1]
    tests = ",".join(ast.literal_eval(row["selected_test_files_to_run"]))
    subprocess.run(
        ["bash", str(OFFICIAL), str(bench.repo), bench.base, str(folder), setup, tests],
        env={"PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    git(bench.repo, "reset", "--quiet", "--hard", bench.base)
    output = folder / "output.json"
    if not output.exists():
        return False
    tests_run = json.loads(output.read_text())["tests"]
    passed = {test["name"] for test in tests_run if test["status"] == "PASSED"}
    wanted = {*ast.literal_eval(row["fail_to_pass"]), *ast.literal_eval(row["pass_to_pass"])}
    return wanted <= passed


def row_of(verdict: protocol.Verdict) -> Row:
    tests = (*verdict.fail_to_pass, *verdict.pass_to_pass)
    return Row("i", 0, 1, "verdict", verdict.outcome, "b", "2026-03-01T12:00:00Z", tests=tests)


@pytest.mark.parametrize("name", sorted({*PATCHES, *OUTCOMES}))
def test_verdict_and_official_verdict_agree_on(name, bench, place, tmp_path):
    patch = patches(bench)[name]
    verdict = grade(place, instance(bench), patch)
    assert verdict.outcome == OUTCOMES.get(name, "unresolved"), verdict
    official = officially(bench, tmp_path / "official", patch)
    assert (verdict.outcome == protocol.RESOLVED) == official
    assert officially_resolved(row_of(verdict)) == official


def test_a_repository_where_nothing_needs_mending_is_told_from_a_solved_one(bench, place, tmp_path):
    row = {"fail_to_pass": '["tests/check.py | test_zero"]', "pass_to_pass": "[]"}
    verdict = grade(place, instance(bench, **row), b"")
    assert (verdict.outcome, verdict.reason) == ("empty_patch", "the tests pass without a patch")
    assert officially_resolved(row_of(verdict))


def test_a_grader_that_takes_too_long_is_no_failure_of_the_patch(bench, place):
    patch = bench.patch(calc=FIXED + "\nimport time\ntime.sleep(60)\n")
    verdict = grade(place, instance(bench), patch, timeout_seconds=1.0)
    assert (verdict.outcome, verdict.reason) == ("grader_error", protocol.REASON_GRADE_TIMEOUT)
    assert not officially_resolved(row_of(verdict))


def test_output_that_is_not_text_cannot_crash_a_parser(bench, place):
    patch = bench.patch(calc=FIXED + "\nimport os\nos.write(1, b'\\xff\\xfe\\n')\n")
    assert grade(place, instance(bench), patch).outcome == protocol.RESOLVED


def test_the_scripts_lie_where_the_tests_cannot_take_them_for_the_repository(bench, place):
    made = replace(
        instance(bench),
        test_command='test -x "$BENCHWARDEN_SCRIPTS/run_script.sh" && git status --porcelain',
        parser=replace(
            instance(bench).parser,
            script="import sys, json\n"
            "out = open(sys.argv[1]).read()\n"
            "tests = [{'name': 'clean', 'status': 'PASSED' if '??' not in out else 'FAILED'}]\n"
            "json.dump({'tests': tests}, open(sys.argv[3], 'w'))\n",
        ),
        fail_to_pass=("clean",),
        pass_to_pass=(),
    )
    assert grade(place, made, bench.patch(**GOLD)).outcome == protocol.RESOLVED


def test_a_parser_can_know_the_tests_and_the_exit_code(bench, place):
    script = (
        "import json, os, sys\n"
        "task = json.load(open(os.environ['BENCHWARDEN_TASK']))\n"
        "tests = [{'name': n, 'status': 'PASSED'} for n in task['failToPass'] + task['passToPass']]\n"
        "json.dump({'tests': tests if task['exitCode'] == 7 else []}, open(sys.argv[3], 'w'))\n"
    )
    made = instance(bench)
    made = replace(made, test_command="exit 7", parser=replace(made.parser, script=script))
    assert grade(place, made, bench.patch(**GOLD)).outcome == protocol.RESOLVED


def test_a_parser_that_finds_nothing_may_say_why(bench, place):
    script = (
        "import json, sys\njson.dump({'tests': [], 'reason': 'dark'}, open(sys.argv[3], 'w'))\n"
    )
    made = instance(bench)
    made = replace(made, parser=replace(made.parser, script=script))
    verdict = grade(place, made, bench.patch(**GOLD))
    assert (verdict.outcome, verdict.reason) == ("unresolved", "dark")


def test_the_setup_is_heard_of_in_the_log_and_not_by_the_parser(bench, place):
    made = instance(bench)
    made = replace(made, setup_command=f"{made.setup_command}; echo crash the parser")
    assert grade(place, made, bench.patch(**GOLD)).outcome == protocol.RESOLVED
    assert "crash the parser" in place.done.stdout
