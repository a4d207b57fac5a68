"""Which tests an instance turns from failing to passing: found by running them, never assumed."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchwarden.errors import BenchwardenError
from benchwarden.minisuite.repository import git
from benchwarden.suites.instance import TestFile

REPORT = ".mini-suite-report.xml"
PASSED = "passed"
_RUN_SECONDS = 240
_REPEATS = 2


@dataclass(frozen=True, slots=True)
class Hidden:
    """The hidden tests of an instance and the command that runs them."""

    files: tuple[TestFile, ...]
    patch: str
    command: str


def find_tests(
    repository: Path, gold_patch: str, hidden: Hidden, tools: Path, scratch: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of tests that the gold patch turns from failing to passing, and of those that always pass.

    Everything is run twice before and twice after the gold patch; a test whose outcome differs
    between two equal runs is in neither list.

    Args:
        repository: work tree at the base commit; it is copied, not touched.
        gold_patch: unified diff of the solution.
        hidden: the tests and their command.
        tools: folder put in front of PATH.
        scratch: empty folder.

    Raises:
        BenchwardenError: a patch does not apply, or a run gives no report.
    """
    before = [
        _outcomes(repository, "", hidden, tools, scratch / f"before-{i}") for i in range(_REPEATS)
    ]
    after = [
        _outcomes(repository, gold_patch, hidden, tools, scratch / f"after-{i}")
        for i in range(_REPEATS)
    ]
    good = {name for name in after[0] if all(run.get(name) == PASSED for run in after)}
    never = {name for name in good if all(run.get(name) != PASSED for run in before)}
    always = {name for name in good if all(run.get(name) == PASSED for run in before)}
    return tuple(sorted(never)), tuple(sorted(always))


def read_report(content: bytes) -> dict[str, str]:
    """Outcome of each test of a JUnit report, by `classname::name`; a name seen twice keeps its worst."""
    outcomes: dict[str, str] = {}
    for case in ET.fromstring(content).iter("testcase"):  # noqa: S314 - our own pytest wrote it
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        bad = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        outcome = bad[0] if bad else PASSED
        if outcomes.get(name, PASSED) == PASSED:
            outcomes[name] = outcome
    return outcomes


def write_test_files(folder: Path, files: Sequence[TestFile]) -> None:
    """Write hidden test files into a work tree, as the grader does."""
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


def _outcomes(
    repository: Path, gold_patch: str, hidden: Hidden, tools: Path, folder: Path
) -> dict[str, str]:
    shutil.copytree(repository, folder, symlinks=True)
    for number, patch in enumerate((gold_patch, hidden.patch)):
        if patch:
            file = folder / ".git" / f"patch-{number}"
            file.write_bytes(patch.encode())
            git(folder, "apply", str(file))
    write_test_files(folder, hidden.files)
    said = _run(hidden.command, folder, _environment(tools, folder))
    report = folder / REPORT
    if not report.is_file():
        raise BenchwardenError(f"{repository.name}: no test report; the run said:\n{said[-1500:]}")
    outcomes = read_report(report.read_bytes())
    shutil.rmtree(folder)
    return outcomes


def _run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchwardenError(f"{folder.parent.name}: tests did not end") from error
    return done.stdout


def _environment(tools: Path, folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
