"""From what a test run left to the status of each test that the task names."""

from typing import AbstractSet, Callable, Dict, List

from benchwarden_runner import protocol, safe_files
from benchwarden_runner.grading import results_tap
from benchwarden_runner.grading.results import FAILED, PASSED, NoResultsError
from benchwarden_runner.grading.results_junit import read_reports, report_files
from benchwarden_runner.grading.test_run import TestRun
from benchwarden_runner.specs import GradeSpec, SpecError

EXIT_CODE_TEST = "exit code"  # what the one test is called where the task names none
_TAP_BYTES = 64 * 1024 * 1024


def remove_stale_reports(spec: GradeSpec, tracked: AbstractSet[str]) -> None:
    """Remove reports that an image or a patch has brought: only the run about to start may write them."""
    if spec.parser.kind == protocol.PARSER_JUNIT:
        for path in report_files(spec.workdir, spec.parser.path, tracked):
            safe_files.clear_way(spec.workdir, path).unlink()
    elif spec.parser.kind == protocol.PARSER_TAP and spec.parser.path not in ("", *tracked):
        safe_files.remove_inside(spec.workdir, spec.parser.path)


def statuses(
    spec: GradeSpec, run: TestRun, tracked: AbstractSet[str], parse: Callable[[], Dict[str, str]]
) -> Dict[str, str]:
    """Status by test name.

    Args:
        spec: says which parser.
        run: the run to read.
        tracked: paths in the base commit.
        parse: runs the task's own parser.

    Raises:
        NoResultsError: the run left nothing to read.
        ResultsError: the task's own parser failed.
        SpecError: an unknown parser.
    """
    names: List[str] = [*spec.fail_to_pass, *spec.pass_to_pass]
    kind = spec.parser.kind
    if kind == protocol.PARSER_EXIT_CODE:
        status = PASSED if run.ending.returncode == 0 else FAILED
        return dict.fromkeys(names or [EXIT_CODE_TEST], status)
    if kind == protocol.PARSER_JUNIT:
        return read_reports(spec.workdir, spec.parser.path, tracked).statuses(names)
    if kind == protocol.PARSER_TAP:
        return results_tap.parse(_tap_text(spec, run))
    if kind == protocol.PARSER_SCRIPT:
        return parse()
    raise SpecError(f"grade.parser.kind: {kind} is not known to this runner")


def _tap_text(spec: GradeSpec, run: TestRun) -> str:
    if not spec.parser.path:
        return run.stdout.decode("utf-8", "replace")
    try:
        data = safe_files.read_inside(spec.workdir, spec.parser.path, _TAP_BYTES)
    except OSError as error:
        raise NoResultsError(f"no TAP file {spec.parser.path}: {error.strerror}") from error
    return data.decode("utf-8", "replace")
