"""SWE-bench: a row of its data sets becomes an instance that its own evaluation script and log parser grade."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from benchwarden.api.suite import Dataset
from benchwarden.suites.columns import (
    Columns,
    Commit,
    InstanceName,
    TextList,
    converter,
    local_workspace,
)
from benchwarden.suites.instance import Instance, ResultParser, TestFile
from benchwarden.suites.rows import Convert, RowError
from benchwarden.suites.schema import LocalRow
from benchwarden_runner import protocol

WORKDIR: Final = "/testbed"
EVAL_SCRIPT: Final = "eval.sh"
END_MARKER: Final = ">>>>> End Test Output"
EXIT_CODE_MARKER: Final = ">>>>> Test Exit Code"
LABEL_PARSER: Final = "log_parser"
LABEL_TYPE: Final = "eval_type"
LABEL_VERSION: Final = "version"

_DATASETS: Final = {
    "full": "SWE-bench/SWE-bench",
    "lite": "SWE-bench/SWE-bench_Lite",
    "verified": "SWE-bench/SWE-bench_Verified",
    "multilingual": "SWE-bench/SWE-bench_Multilingual",
}
_MOVING_REVISION: Final = "main"
# The script starts tracing to standard error, and its markers are traces: both are one log.
_RUN: Final = f'bash "${protocol.ENV_SCRIPTS}/{EVAL_SCRIPT}" 2>&1'

BuildColumns = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""Makes `eval_script`, `log_parser` and `eval_type` for a row that lacks them."""

ParserScript = Callable[[Instance], str]
"""Makes the parser of an instance from its labels."""


class SwebenchRow(Columns):
    """The columns of a row that decide something; `local` is an addition for runs without images."""

    instance_id: InstanceName
    repo: str
    base_commit: Commit
    problem_statement: str
    fail_to_pass: TextList
    pass_to_pass: TextList = Field(default_factory=list)
    patch: str = ""
    test_patch: str = ""
    version: str = ""
    image: str = ""
    eval_script: str = ""
    log_parser: str = ""
    eval_type: str = ""
    image_assets: Any = None
    local: LocalRow | None = None


def dataset(variant: str) -> Dataset:
    """The data set of a variant as it is now; the panel's digest says when it has changed."""
    return Dataset(id=_DATASETS[variant], revision=_MOVING_REVISION)


def reader(build: BuildColumns) -> Convert:
    """Makes instances of rows; their parser is added by `with_parser` once it is known whose are needed."""
    return converter(SwebenchRow, lambda row: _instance(row, build))


def with_parser(instance: Instance, script: ParserScript) -> Instance:
    """The instance with the parser that its labels ask for."""
    return replace(instance, parser=ResultParser(protocol.PARSER_SCRIPT, script=script(instance)))


def image(instance_id: str) -> str:
    """The published image of an instance whose row names none."""
    return f"swebench/sweb.eval.x86_64.{instance_id}:latest".lower().replace("__", "_1776_")


def recording_exit_code(eval_script: str) -> str:
    """The script, made to print the exit code of its tests after their end marker.

    A patch can print test results of its own; it is harder to make a failing run exit with 0 as well.
    """
    if EXIT_CODE_MARKER in eval_script:
        return eval_script
    before, marker, after = eval_script.partition(END_MARKER)
    if not marker:
        return eval_script
    start, newline, line = before.rpartition("\n")
    rest, _, tail = after.partition("\n")
    return (
        f"{start}{newline}BENCHWARDEN_TESTS_EXIT=$?\n{line}{marker}{rest}\n"
        f'echo "{EXIT_CODE_MARKER}: $BENCHWARDEN_TESTS_EXIT"\n{tail}'
    )


def _instance(row: SwebenchRow, build: BuildColumns) -> Instance:
    if not (row.fail_to_pass or row.pass_to_pass):
        raise RowError(("fail_to_pass", "names no test, and neither does pass_to_pass"))
    if row.image_assets and row.image_assets != "{}":
        raise RowError(("image_assets", "is not supported: a text patch cannot bring binary files"))
    if not row.eval_script:
        row = row.model_copy(update=dict(build(row.model_dump())))
    if not row.log_parser:
        raise RowError(("log_parser", "is required beside eval_script"))
    return Instance(
        id=row.instance_id,
        image=row.image or image(row.instance_id),
        workdir=WORKDIR,
        base_commit=row.base_commit,
        prompt=row.problem_statement,
        test_command=_RUN,
        parser=ResultParser(protocol.PARSER_SCRIPT),
        scripts=(TestFile(EVAL_SCRIPT, recording_exit_code(row.eval_script).encode()),),
        fail_to_pass=tuple(row.fail_to_pass),
        pass_to_pass=tuple(row.pass_to_pass),
        gold_patch=row.patch,
        repo=row.repo,
        local=local_workspace(row.local),
        skipped_counts_as_pass=True,
        apply=protocol.APPLY_SWEBENCH,
        labels=(
            (LABEL_PARSER, row.log_parser),
            (LABEL_TYPE, row.eval_type),
            (LABEL_VERSION, row.version),
        ),
    )
