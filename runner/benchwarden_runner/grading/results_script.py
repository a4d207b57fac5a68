"""Runs a task's own parser, as SWE-bench Pro brings them: `parser.py STDOUT STDERR OUTPUT` writes JSON."""

import json
import os
from typing import Any, Dict, List

from benchwarden_runner import interpreter, protocol, safe_files
from benchwarden_runner.grading.results import NoResultsError, ResultsError, merge
from benchwarden_runner.grading.test_run import TestRun
from benchwarden_runner.processes import ProcessTree
from benchwarden_runner.specs import GradeSpec
from benchwarden_runner.supervision import Command, deadline, supervise

_SECONDS = 300.0
_MAX_BYTES = 64 * 1024 * 1024
_TASK = "task.json"


def parse(
    script: bytes, spec: GradeSpec, run: TestRun, scratch: str, tree: ProcessTree
) -> Dict[str, str]:
    """Status by test name, as the parser wrote `{"tests": [{"name": ..., "status": ...}]}`.

    It runs under the runner's own Python, so that the code under test has no say in it. The variable
    protocol.ENV_TASK names a JSON file with the task's tests and the exit code of the run. Bytes that are
    not UTF-8 are replaced: what a test prints must not be able to crash a parser.

    Raises:
        NoResultsError: it found nothing to read and says why: `{"tests": [], "reason": ...}`.
        ResultsError: it fails, takes too long, or writes something else.
    """
    files = {"parser.py": script, "stdout.txt": _text(run.stdout), "stderr.txt": _text(run.stderr)}
    for name, content in {**files, _TASK: _task(spec, run)}.items():
        safe_files.write_inside(scratch, name, content)
    output = os.path.join(scratch, "output.json")
    words = [*interpreter.command(), "-I"]
    words += [os.path.join(scratch, name) for name in files] + [output]
    _supervised(words, scratch, tree)
    try:
        document = json.loads(safe_files.read_regular(output, _MAX_BYTES))
        reports = _reports(document)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResultsError(f"the parser script wrote no usable output: {error!r}") from error
    if not reports and document.get("reason"):
        raise NoResultsError(str(document["reason"]))
    return merge(reports, any_pass_counts=spec.any_pass_counts)


def _supervised(words: List[str], scratch: str, tree: ProcessTree) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C.UTF-8",
        "HOME": scratch,
        protocol.ENV_TASK: os.path.join(scratch, _TASK),
    }
    log = os.open(os.path.join(scratch, "parser.log"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        command = Command(words, scratch, environment, stdout=log, stderr=log)
        ending = supervise(tree, command, [deadline(_SECONDS)])
        tail = os.pread(log, 65536, 0).decode("utf-8", "replace").strip()[-300:]
    finally:
        os.close(log)
    if ending.cause or ending.returncode:
        how = ending.cause or f"exit code {ending.returncode}"
        raise ResultsError(f"the parser script failed ({how}): {tail}")


def _task(spec: GradeSpec, run: TestRun) -> bytes:
    task = {
        "failToPass": spec.fail_to_pass,
        "passToPass": spec.pass_to_pass,
        "exitCode": run.ending.returncode,
    }
    return json.dumps(task).encode()


def _text(output: bytes) -> bytes:
    return output.decode("utf-8", "replace").encode()


def _reports(document: Any) -> "list[tuple[str, str]]":
    return [(str(test["name"]), str(test["status"]).upper()) for test in document["tests"]]
