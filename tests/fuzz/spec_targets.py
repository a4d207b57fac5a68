"""Targets of the doors for users: specs as the API server or a file gives them, task rows, rows of data sets."""

import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from benchwarden.api.parse import parse_run, parse_schedule
from benchwarden.api.semantics.check import check
from benchwarden.errors import InvalidInputError
from benchwarden.local.runfile import read_run_file
from benchwarden.suites import run_scripts
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden.suites.rows import collect, json_lines, numbered
from benchwarden.suites.swebench import reader as swebench_reader
from benchwarden.suites.swebench_pro import reader as pro_reader
from benchwarden.suites.tasks import parse_tasks
from tests.fuzz.reading import check_refusal, check_text, json_of, split

_BUILT = {"eval_script": "true\n", "log_parser": "parse_log_pytest", "eval_type": "pass_and_fail"}


def run_spec(data: bytes) -> None:
    """A run is parsed and checked, or refused with the field."""
    way, body = split(data)
    try:
        run = parse_run(json_of(body), strict=bool(way % 2))
        check(run.spec)
    except InvalidInputError as error:
        check_refusal(error)
        return
    # What the operator has read it may write back (as a schedule does with its template).
    again = run.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert parse_run(again).spec == run.spec


def schedule_spec(data: bytes) -> None:
    """A schedule is parsed or refused with the field."""
    way, body = split(data)
    try:
        schedule = parse_schedule(json_of(body), strict=bool(way % 2))
    except InvalidInputError as error:
        check_refusal(error)
        return
    again = schedule.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert parse_schedule(again).spec == schedule.spec


def run_file(data: bytes) -> None:
    """A YAML file with a run and ConfigMaps."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(data)
        file.flush()
        try:
            found = read_run_file(Path(file.name))
        except InvalidInputError as error:
            check_refusal(error)
            return
    assert found.run.metadata.name
    try:
        for name, content in found.config_maps.items():
            for key in content:
                assert isinstance(found.read_config_map(name, key), bytes)
            found.read_config_map(name, "not there")
    except InvalidInputError as error:
        check_refusal(error)


def task_rows(data: bytes) -> None:
    """Own tasks; whatever is accepted stays inside its work tree."""
    try:
        instances = parse_tasks(data)
    except InvalidInputError as error:
        check_refusal(error)
        return
    _check_instances(instances)


def dataset_rows(data: bytes) -> None:
    """Rows of SWE-bench and SWE-bench Pro, as JSONL or as a table gives them."""
    way, body = split(data)
    convert = pro_reader() if way % 2 else swebench_reader(lambda row: _BUILT)
    try:
        if way & 2:
            table = json_of(body)
            rows = table if isinstance(table, list) else [table]
            instances = collect(numbered(rows), convert)
        else:
            instances = collect(json_lines(body), convert)
    except InvalidInputError as error:
        check_refusal(error)
        return
    _check_instances(instances)


def script_archives(data: bytes) -> None:
    """Archives of run scripts: only files of asked instances, each of bounded size."""
    wanted = ["one", "two"]
    try:
        found: Any = run_scripts.from_archive(data, wanted, "spec.suite.swebenchPro.runScripts.url")
    except InvalidInputError as error:
        check_refusal(error)
        return
    known = [Instance(each, "i", "/w", "", "p", "t", ResultParser("script"), ()) for each in wanted]
    try:
        run_scripts.scripts_of(known, found, "spec")
        run_scripts.scripts_of(known[: len(found) // 2], found, "spec")
    except InvalidInputError as error:
        check_refusal(error)
    for (instance, name), content in found.items():
        assert instance in wanted
        assert name in (run_scripts.RUN_SCRIPT, run_scripts.PARSER)
        assert len(content) <= run_scripts.FILE_BYTES


def _check_instances(instances: tuple[Instance, ...]) -> None:
    assert instances
    assert len({each.id for each in instances}) == len(instances)
    for each in instances:
        check_text(each.id, each.prompt, each.test_command, each.image, each.gold_patch)
        assert not any(character.isspace() for character in each.id)
        assert each.workdir.startswith("/")
        assert each.workdir.strip("/")
        assert ".." not in each.workdir.split("/")
        assert each.fail_to_pass or each.pass_to_pass
        for file in each.test_files:
            parts = PurePosixPath(file.path).parts
            assert parts
            assert not file.path.startswith("/"), file.path
            assert not {"..", ".git"} & {part.lower() for part in parts}, file.path
