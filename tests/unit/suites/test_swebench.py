"""SWE-bench rows, and their grading beside the swebench package's own verdict on the same patches."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.builders import run_view
from tests.swebench_wheel import ensure_swebench
from tests.unit.runner.builders import PYTHON, Place, commit, git, repository
from tests.unit.suites.rows import jsonl
from tests.unit.suites.test_load import MemorySources, ids

from benchwarden import names
from benchwarden.api.suite import SuiteSpec
from benchwarden.errors import InvalidInputError
from benchwarden.manifests import documents
from benchwarden.suites import swebench, swebench_package
from benchwarden.suites.load import load_panel
from benchwarden.suites.rows import collect, numbered
from benchwarden_runner import protocol

OFFICIAL = Path(__file__).with_name("official_swebench.py")
CODE = "def add(a, b):\n    return a - b\n\n\nskipped = ()\n\n\ndef zero():\n    return 0\n"
FIXED = CODE.replace("a - b", "a + b")
CHECK = """\
import sys
sys.path.insert(0, ".")
import calc
checks = {"add": calc.add(2, 2) == 4, "add[a": calc.add(1, 1) == 2, "zero": calc.zero() == 0}
for name, good in checks.items():
    status = "SKIPPED" if name in calc.skipped else "PASSED" if good else "FAILED"
    print(status, f"check.py::{name}" + ("-b]" if "[" in name else ""))
sys.exit(not all(checks.values()))
"""
EVAL = """\
#!/bin/bash
set -uxo pipefail
cd {repo}
git status
git checkout {base} check.py
git apply -v - <<'EOF_1'
{tests}
EOF_1
: '>>>>> Start Test Output'
{python} check.py
: '>>>>> End Test Output'
git checkout {base} check.py
"""
F2P = ["check.py::add", "check.py::add[a"]  # the second is cut short, as some published names are
P2P = ["check.py::zero"]
PATCHES = {
    "gold": FIXED,
    "wrong": CODE.replace("a - b", "a * b * 2"),
    "skips what must pass": CODE.replace("= ()", "= " + '("add", "add[a")'),
    "skips what passed": FIXED.replace("= ()", "= " + '("zero",)'),
    "breaks what passed": FIXED.replace("return 0", "return 1"),
    "fails to import": FIXED + "raise RuntimeError\n",
    "prints results of its own": CODE
    + "for n in ('add', 'add[a-b]', 'zero'):\n    print('PASSED check.py::' + n)\nraise SystemExit(1)\n",
    "kills the script": FIXED + "import os\nos.kill(os.getppid(), 9)\n",
}
OUTCOMES = {
    "gold": "resolved",
    "skips what passed": "resolved",
    "applies with fuzz only": "resolved",
    "does not apply": "patch_does_not_apply",
    "made against another version": "patch_does_not_apply",
    "made against a longer version": "resolved",
    "nop": "empty_patch",
}


class Bench:
    """A repository, and the row of an instance in it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        old = "print('PASSED check.py::zero')\n"
        self.base = repository(place.repo, {"calc.py": CODE, "check.py": old})
        (place.repo / "check.py").write_text(CHECK)
        self.tests = git(place.repo, "diff") + "\n"
        git(place.repo, "reset", "--quiet", "--hard")

    def row(self, **changes: Any) -> dict[str, Any]:
        script = EVAL.format(repo=self.place.repo, base=self.base, tests=self.tests, python=PYTHON)
        row = {
            "instance_id": "demo__calc-1",
            "repo": "demo/calc",
            "base_commit": self.base,
            "problem_statement": "add() subtracts",
            "FAIL_TO_PASS": json.dumps(F2P),
            "PASS_TO_PASS": json.dumps(P2P),
            "version": "1",
            "image": "example.test/demo:1",
            "eval_script": script,
            "log_parser": "parse_log_pytest",
            "eval_type": "pass_and_fail",
            "hints_text": None,
            **changes,
        }
        return {key: value for key, value in row.items() if value is not ...}

    def patch(self, code: str) -> bytes:
        (self.place.repo / "calc.py").write_text(code)
        patch = git(self.place.repo, "diff") + "\n"
        git(self.place.repo, "reset", "--quiet", "--hard")
        return patch.encode()

    def foreign(self, other: str) -> bytes:
        """The gold change made to a version that the repository knows and the base is not."""
        repo = self.place.repo
        commit(repo, {"calc.py": other}, "another version")
        (repo / "calc.py").write_text(other.replace("b - a", "a + b").replace("a - b", "a + b"))
        patch = git(repo, "diff") + "\n"
        git(repo, "reset", "--quiet", "--hard", self.base)
        return patch.encode()

    def patches(self) -> dict[str, bytes]:
        found = {name: self.patch(code) for name, code in PATCHES.items()}
        gold = found["gold"]
        return {
            **found,
            "nop": b"",
            "made against another version": self.foreign(CODE.replace("a - b", "b - a")),
            "made against a longer version": self.foreign("# note\n" * 9 + CODE),
            "does not apply": gold.replace(b"a - b", b"something else"),
            "applies with fuzz only": gold.replace(b" def add(a, b):", b" def add(a, b):  # o"),
        }

    def grade(self, patch: bytes, **changes: Any) -> protocol.Verdict:
        panel = load_panel(
            suite(), MemorySources({("rows", "tasks.jsonl"): jsonl(self.row(**changes))})
        )
        made = replace(panel.instances[0], workdir=str(self.place.repo))
        spec = run_view(suite={"tasks": {"source": {"path": "/x"}}}).spec
        document = replace(documents.grade_document(spec, made), local=True)
        return self.place.grade(document, patch, documents.grade_files(document, made))

    def officially(self, folder: Path, patch: bytes) -> bool:
        """The package's steps and its verdict: four attempts to apply, its script, its report."""
        folder.mkdir()
        file = folder / "patch.diff"
        file.write_bytes(patch)
        repo = self.place.repo
        attempts = (
            ("git", "apply", "--verbose"),
            ("git", "apply", "--verbose", "--3way"),
            ("git", "apply", "--verbose", "--reject"),
            ("patch", "--batch", "--forward", "--fuzz=5", "-p1", "-i"),
        )
        for number, words in enumerate(attempts):
            if number:
                subprocess.run(
                    "git checkout -- . ; git clean -fdq", shell=True, cwd=repo, check=False
                )
            if not subprocess.run(
                [*words, file], cwd=repo, check=False, capture_output=True
            ).returncode:
                break
        else:
            return False
        (folder / "eval.sh").write_text(official(folder, "-", self.row()))
        log = subprocess.run(
            ["bash", folder / "eval.sh"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        ).stdout
        (folder / "log").write_bytes(log)
        git(repo, "reset", "--quiet", "--hard", self.base)
        row = {**self.row(), "FAIL_TO_PASS": F2P, "PASS_TO_PASS": P2P}
        return bool(json.loads(official(folder, str(folder / "log"), row)))


def official(folder: Path, log: str, row: dict[str, Any]) -> str:
    words = [sys.executable, str(OFFICIAL), str(ensure_swebench()), log, json.dumps(row)]
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout


def suite(**more: Any) -> SuiteSpec:
    source = {"configMap": {"name": "rows"}}
    return SuiteSpec.model_validate({"swebench": {"variant": "verified", "source": source}, **more})


@pytest.fixture
def package(monkeypatch):
    monkeypatch.syspath_prepend(str(ensure_swebench()))


@pytest.fixture
def bench(place, package) -> Bench:
    return Bench(place)


@pytest.mark.parametrize("name", sorted({*PATCHES, *OUTCOMES}))
def test_verdict_and_the_packages_verdict_agree_on(name, bench, tmp_path):
    patch = bench.patches()[name]
    verdict = bench.grade(patch)
    assert verdict.outcome == OUTCOMES.get(name, "unresolved"), verdict
    assert (verdict.outcome == protocol.RESOLVED) == bench.officially(tmp_path / "official", patch)


def test_results_that_a_patch_prints_itself_are_not_believed(bench):
    verdict = bench.grade(bench.patches()["prints results of its own"])
    assert (verdict.outcome, verdict.fail_to_pass) == ("unresolved", (0, 2))
    assert "can be trusted" in verdict.reason


def test_an_evaluation_that_never_reaches_the_tests_is_no_failure_of_the_patch(bench):
    script = "#!/bin/bash\necho no conda here\nexit 1\n"
    verdict = bench.grade(bench.patches()["gold"], eval_script=script)
    assert verdict.outcome == protocol.GRADER_ERROR
    assert "did not reach the tests" in verdict.reason


def test_a_suite_that_prints_failures_only_is_graded_by_its_failures(bench):
    row = {"eval_type": "fail_only", "FAIL_TO_PASS": '["never printed"]', "PASS_TO_PASS": "[]"}
    assert bench.grade(bench.patches()["gold"], **row).outcome == protocol.RESOLVED


def test_a_row_that_names_no_type_is_graded_by_passes_and_failures(bench):
    assert bench.grade(bench.patches()["gold"], eval_type=...).outcome == protocol.RESOLVED
    assert bench.grade(bench.patches()["wrong"], eval_type=...).outcome == protocol.UNRESOLVED


def test_every_parser_of_the_package_can_be_brought_along(bench):
    known = swebench_package.package_sources("source")
    parsers = [
        line.split("(")[0].removeprefix("def ")
        for module, text in known.items()
        if module.startswith("swebench.harness.log_parsers.")
        for line in text.splitlines()
        if line.startswith("def parse_log_")
    ]
    assert len(parsers) > 40
    rows = [bench.row(instance_id=f"i-{name}", log_parser=name) for name in parsers]
    panel = load_panel(suite(), MemorySources({("rows", "tasks.jsonl"): jsonl(*rows)}))
    for each in panel.instances:
        compile(each.parser.script, each.id, "exec")
        assert len(each.parser.script) < 64 * 1024


def test_an_image_is_the_rows_or_the_published_one(bench):
    def image(**changes: Any) -> str:
        rows = numbered([bench.row(**changes)])
        (made,) = collect(rows, swebench.reader(swebench_package.columns_of))
        return made.image

    assert image() == "example.test/demo:1"
    name = "Django__django-11099"
    wanted = "swebench/sweb.eval.x86_64.django_1776_django-11099:latest"
    assert image(image=..., instance_id=name) == wanted


def test_the_exit_code_is_recorded_once_and_only_where_the_tests_end(bench):
    script = bench.row()["eval_script"]
    once = swebench.recording_exit_code(script)
    lines = once.splitlines()
    end = lines.index(": '>>>>> End Test Output'")
    assert lines[end - 1].endswith("=$?")
    assert lines[end + 1].startswith('echo ">>>>> Test Exit Code: ')
    assert swebench.recording_exit_code(once) == once
    assert swebench.recording_exit_code("exit 0\n") == "exit 0\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log_parser": ...}, "log_parser: is required"),
        ({"FAIL_TO_PASS": "[]", "PASS_TO_PASS": "[]"}, "fail_to_pass: names no test"),
        ({"image_assets": '{"patch": [{"path": "a.png"}]}'}, "image_assets: is not supported"),
        ({"base_commit": "main"}, "base_commit: must be"),
        ({"log_parser": "parse_log_nobody"}, "has no log parser 'parse_log_nobody'"),
        ({"log_parser": "x(): pass #"}, "has no log parser"),
    ],
)
def test_a_bad_row_is_refused_by_column_and_reason(bench, changes, message):
    content = jsonl(bench.row(**changes))
    with pytest.raises(InvalidInputError, match=message) as caught:
        load_panel(suite(), MemorySources({("rows", "tasks.jsonl"): content}))
    assert caught.value.reason == names.REASON_SUITE_INVALID


def test_a_row_without_a_script_needs_a_package_that_builds_one(bench):
    content = jsonl(bench.row(eval_script=...))
    with pytest.raises(
        InvalidInputError, match=r"demo__calc-1 has no eval_script; .*swebench>=4\.1"
    ) as e:
        load_panel(suite(), MemorySources({("rows", "tasks.jsonl"): content}))
    assert (e.value.reason, e.value.field) == (
        names.REASON_UNSUPPORTED,
        "spec.suite.swebench.source.configMap",
    )


def test_without_the_package_the_extra_is_named(place, monkeypatch):
    monkeypatch.setattr(swebench_package, "PACKAGE", "swebench_is_not_here")
    content = jsonl(Bench(place).row())
    with pytest.raises(InvalidInputError, match=r"pip install 'benchwarden\[swebench\]'") as caught:
        load_panel(suite(), MemorySources({("rows", "tasks.jsonl"): content}))
    assert caught.value.reason == names.REASON_UNSUPPORTED


@pytest.mark.parametrize("variant", ["verified", "lite", "full", "multilingual"])
def test_a_variant_has_its_own_data_set(variant, bench):
    asked = []

    class Hub(MemorySources):
        def read_dataset(self, dataset):
            asked.append(dataset.id)
            yield bench.row()

    panel = load_panel(SuiteSpec.model_validate({"swebench": {"variant": variant}}), Hub())
    assert (ids(panel), panel.suite) == (["demo__calc-1"], f"swebench-{variant}")
    assert asked[0].startswith("SWE-bench/SWE-bench")
