"""Runs a task's own parser, as SWE-bench Pro brings them: `parser.py STDOUT STDERR OUTPUT` writes JSON."""

import json
import os
from typing import Any, Dict

from benchwarden_runner import interpreter, safe_files
from benchwarden_runner.grading.results import ResultsError, merge
from benchwarden_runner.processes import ProcessTree
from benchwarden_runner.supervision import Command, deadline, supervise

_SECONDS = 300.0
_MAX_BYTES = 64 * 1024 * 1024


def parse(
    script: bytes, stdout: bytes, stderr: bytes, scratch: str, tree: ProcessTree
) -> Dict[str, str]:
    """Status by test name, as the parser wrote `{"tests": [{"name": ..., "status": ...}]}`.

    It runs under the runner's own Python, so that the code under test has no say in it.

    Raises:
        ResultsError: it fails, takes too long, or writes something else.
    """
    files = {"parser.py": script, "stdout.txt": stdout, "stderr.txt": stderr}
    for name, content in files.items():
        safe_files.write_inside(scratch, name, content)
    output = os.path.join(scratch, "output.json")
    words = [*interpreter.command(), "-I"]
    words += [os.path.join(scratch, name) for name in files] + [output]
    log = os.open(os.path.join(scratch, "parser.log"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": scratch}
        command = Command(words, scratch, environment, stdout=log, stderr=log)
        ending = supervise(tree, command, [deadline(_SECONDS)])
        tail = os.pread(log, 65536, 0).decode("utf-8", "replace").strip()[-300:]
    finally:
        os.close(log)
    if ending.cause or ending.returncode:
        how = ending.cause or f"exit code {ending.returncode}"
        raise ResultsError(f"the parser script failed ({how}): {tail}")
    try:
        return merge(_reports(json.loads(safe_files.read_regular(output, _MAX_BYTES))))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ResultsError(f"the parser script wrote no usable output: {error!r}") from error


def _reports(document: Any) -> "list[tuple[str, str]]":
    return [(str(test["name"]), str(test["status"]).upper()) for test in document["tests"]]
