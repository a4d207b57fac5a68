"""The grader container from start to verdict.

Order is the point: the patch first, then everything that judges it (restored paths, the tests' patch, test
files), then the run, then the end of every other process, and only then is anything read or written.
"""

import hashlib
import os
import shutil
import tempfile
import time
import traceback
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import AbstractSet, Callable, Dict, Iterator, Optional

from benchwarden_runner import inputs, ipc, protocol, safe_files
from benchwarden_runner.grading import attempts, keeping, reading, results, results_script
from benchwarden_runner.grading.patched_tree import PatchedTree, PatchError
from benchwarden_runner.grading.results import NoResultsError, ResultsError, Score
from benchwarden_runner.grading.test_run import TestRun, run_tests
from benchwarden_runner.processes import ProcessTree, become_undumpable
from benchwarden_runner.protocol import Verdict
from benchwarden_runner.redaction import Redactor
from benchwarden_runner.specs import GradeSpec, SpecError
from benchwarden_runner.supervision import MEMORY, OUTPUT, TERMINATED, TIMEOUT, Termination
from benchwarden_runner.workspace.git import GitError

_LOG_TAIL_BYTES = 64 * 1024
_COMMAND_MISSING = (126, 127)


class Grader:
    """Grades one patch; `verdict()` never raises."""

    def __init__(self, input_folder: Path, work: Path, redactor: Redactor, log: str = "") -> None:
        self._input_folder = input_folder
        self._work = work
        self._redactor = redactor
        self._log = log
        self._begun = time.monotonic()
        self._patched = False
        self._facts: Dict[str, object] = {}

    def verdict(self) -> Verdict:
        """What the patch is worth; everything that goes wrong on our side is `grader_error`."""
        become_undumpable()
        scratch = tempfile.mkdtemp(prefix="benchwarden-grade-")
        try:
            found = self._grade(scratch)
        except (inputs.InputError, SpecError, GitError, ResultsError, OSError) as error:
            found = self._failed(str(error))
        except Exception as error:  # a bug of ours must not count against the patch at once
            print(self._redactor.text(traceback.format_exc()), flush=True)
            found = self._failed(f"{type(error).__name__}: {error}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        self._leave_sums()
        seconds = time.monotonic() - self._begun
        return replace(found, seconds=seconds, **self._facts)  # type: ignore[arg-type]  # fields by name

    def _failed(self, reason: str) -> Verdict:
        """No judgement; what a patch can be the cause of is said to be so."""
        mark = f"{protocol.REASON_SPOILED}: " if self._patched else ""
        return Verdict(protocol.GRADER_ERROR, reason=mark + reason)

    def _grade(self, scratch: str) -> Verdict:
        files = inputs.read_archive(self._input_folder, "grade.tgz")
        spec = GradeSpec.from_json(inputs.require(files, protocol.FILE_GRADE_SPEC).decode())
        if not spec.local:
            ipc.clear()
        try:
            patch = safe_files.read_regular(self._work / protocol.FILE_PATCH, spec.max_patch_bytes)
        except FileNotFoundError:
            return Verdict(protocol.HARNESS, reason="the agent's container handed over no patch")
        except safe_files.TooLargeError as error:
            return Verdict(protocol.PATCH_DOES_NOT_APPLY, reason=f"the patch is {error.strerror}")
        except safe_files.UnsafeFileError as error:
            return Verdict(protocol.EMPTY_PATCH, reason=f"the patch is {error.strerror}")
        digest = hashlib.sha256(patch).hexdigest()
        self._facts.update(patch_sha256=digest, patch_bytes=len(patch))
        if spec.apply == protocol.APPLY_SWEBENCH_PRO:
            patch = attempts.text_hunks(patch)
        tree = PatchedTree(spec.workdir, spec.base_commit)
        if patch.strip():
            try:
                tree.apply(patch, spec.apply)
                self._patched = True
            except PatchError as error:
                return Verdict(protocol.PATCH_DOES_NOT_APPLY, reason=str(error))
        _bring_tests(tree, spec, files)
        reading.remove_stale_reports(spec, tree.tracked)
        processes = ProcessTree(local=spec.local)
        with _scripts(spec, files) as scripts:
            run = run_tests(spec, processes, Termination(local=spec.local), scripts)
        self._keep_log(run)
        script = files.get(protocol.FILE_PARSER, b"")

        def parse() -> Dict[str, str]:
            return results_script.parse(script, spec, run, scratch, processes)

        return _judge(spec, run, tree.tracked, parse, empty=not patch.strip())

    def _leave_sums(self) -> None:
        if self._log:
            with self._without_fail():
                self._facts["artifact"] = keeping.leave_sums(self._work, Path(self._log))

    def _keep_log(self, run: TestRun) -> None:
        log = self._redactor.data(run.log)
        self._facts["log_sha256"] = hashlib.sha256(log).hexdigest()
        print(log[-_LOG_TAIL_BYTES:].decode("utf-8", "replace"), flush=True)
        if self._log:
            with self._without_fail():
                safe_files.replace_file(Path(self._log), [log])

    @contextmanager
    def _without_fail(self) -> Iterator[None]:
        """Nothing that is kept beside a verdict is worth losing the verdict."""
        try:
            yield
        except OSError as error:
            print(self._redactor.text(f"not kept: {error}"), flush=True)


def _bring_tests(tree: PatchedTree, spec: GradeSpec, files: Dict[str, bytes]) -> None:
    tree.restore(spec.restore_paths)
    test_patch = files.get(protocol.FILE_TEST_PATCH, b"")
    if test_patch.strip():
        try:
            tree.apply_tests(test_patch)
        except PatchError as error:
            raise ResultsError(f"the tests' patch does not apply: {error}") from error
    for number, entry in enumerate(spec.test_files):
        name = os.path.join(protocol.DIRECTORY_TEST_FILES, str(number))
        tree.write(entry.path, inputs.require(files, name), executable=entry.executable)


@contextmanager
def _scripts(spec: GradeSpec, files: Dict[str, bytes]) -> Iterator[str]:
    """A folder with the task's scripts, where git does not see them; empty if it has none."""
    if not spec.scripts:
        yield ""
        return
    folder = tempfile.mkdtemp(prefix="benchwarden-scripts-")
    os.chmod(folder, 0o755)  # noqa: S103  # a script may run parts of itself as another user
    try:
        for number, entry in enumerate(spec.scripts):
            content = inputs.require(files, os.path.join(protocol.DIRECTORY_SCRIPTS, str(number)))
            safe_files.write_inside(folder, entry.path, content, executable=entry.executable)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(
    spec: GradeSpec,
    run: TestRun,
    tracked: AbstractSet[str],
    parse: Callable[[], Dict[str, str]],
    *,
    empty: bool,
) -> Verdict:
    ended = _ended_by_us(run)
    if ended is not None:
        return ended
    reason = ""
    try:
        found = reading.statuses(spec, run, tracked, parse)
    except NoResultsError as error:
        if run.ending.returncode in _COMMAND_MISSING:
            raise ResultsError(f"the test command was not found: {error}") from error
        found, reason = {}, str(error)
    score = _score(spec, found)
    if score.resolved and not empty:
        outcome = protocol.RESOLVED
    elif empty:
        outcome = protocol.EMPTY_PATCH
        reason = "the tests pass without a patch" if score.resolved else reason
    else:
        outcome = protocol.UNRESOLVED
        reason = reason or _explain(spec, run, found)
    return Verdict(outcome, score.fail_to_pass, score.pass_to_pass, reason=reason)


def _ended_by_us(run: TestRun) -> Optional[Verdict]:
    cause = run.ending.cause
    if cause == TIMEOUT:
        return Verdict(protocol.GRADER_ERROR, reason=protocol.REASON_GRADE_TIMEOUT)
    if cause == MEMORY:
        return Verdict(protocol.AGENT_OOM, reason="the tests reached the memory limit")
    if cause == OUTPUT:
        return Verdict(protocol.UNRESOLVED, reason="the tests printed more than can be kept")
    if cause == TERMINATED:
        return Verdict(protocol.GRADER_ERROR, reason="the pod was told to stop")
    return None


def _score(spec: GradeSpec, found: Dict[str, str]) -> Score:
    wanted = spec.fail_to_pass
    if not (wanted or spec.pass_to_pass):
        if spec.parser.kind != protocol.PARSER_EXIT_CODE:
            raise SpecError("grade.fail_to_pass: the task names no test")
        wanted = (reading.EXIT_CODE_TEST,)
    return results.score(
        found, wanted, spec.pass_to_pass, skipped_counts_as_pass=spec.skipped_counts_as_pass
    )


def _explain(spec: GradeSpec, run: TestRun, found: Dict[str, str]) -> str:
    """The first tests that did not pass, and a failed setup, in few words."""
    names = [*spec.fail_to_pass, *spec.pass_to_pass]
    failed = [
        f"{name} {found.get(name, 'not run').lower()}"
        for name in names
        if found.get(name) != results.PASSED
    ]
    if failed and spec.parser.kind == protocol.PARSER_EXIT_CODE:
        failed = [f"the test command ended with {run.ending.returncode}"]
    setup = [f"setup exited with {run.setup_code}"] if run.setup_code else []
    more = [f"{len(failed) - 3} more"] if len(failed) > 3 else []
    return "; ".join([*setup, *failed[:3], *more])
