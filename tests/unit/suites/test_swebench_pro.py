"""Rows of SWE-bench Pro as they are published, and what may be wrong with them."""

import ast
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.suites.pro_rows import PARSER, pro_row, published_rows, write_scripts
from tests.unit.suites.rows import jsonl
from tests.unit.suites.test_load import MemorySources, ids

from benchwarden import names
from benchwarden.api.suite import SuiteSpec
from benchwarden.errors import InvalidInputError
from benchwarden.suites import prompt, swebench_pro
from benchwarden.suites.columns import parse_list
from benchwarden.suites.load import load_panel
from benchwarden.suites.rows import collect, numbered

ID = "instance_Demo__Calc-1a2b"


def instance(**changes: Any):
    (made,) = collect(numbered([pro_row(**changes)]), swebench_pro.reader())
    return made


def pro_suite(source: dict[str, Any], scripts: dict[str, Any], **more: Any) -> SuiteSpec:
    selection = more.pop("selection", {})
    suite = {"source": source, "runScripts": scripts, **more}
    return SuiteSpec.model_validate({"swebenchPro": suite, "selection": selection})


def load(rows: list[dict[str, Any]], scripts: Path, tmp_path: Path, **more: Any):
    path = tmp_path / "pro.jsonl"
    path.write_bytes(jsonl(*rows))
    suite = pro_suite({"path": str(path)}, {"path": str(scripts)}, **more)
    return load_panel(suite, MemorySources())


def test_every_published_row_becomes_an_instance_with_its_lists_as_published():
    rows = published_rows()
    full = [{**row, "problem_statement": "x"} for row in rows]
    made = collect(numbered(full), swebench_pro.reader())
    assert [each.id for each in made] == [row["instance_id"] for row in rows]
    for each, row in zip(made, rows, strict=True):
        assert set(each.fail_to_pass) == set(ast.literal_eval(row["fail_to_pass"]))
        assert set(each.pass_to_pass) == set(ast.literal_eval(row["pass_to_pass"]))
        files = ast.literal_eval(row["selected_test_files_to_run"])
        assert each.test_command.endswith(f'run_script.sh" {",".join(files)}')
        assert len(each.image.partition(":")[2]) <= 128


def test_both_spellings_of_the_lists_mean_the_same():
    rows = [{**row, "problem_statement": "x"} for row in published_rows()]
    lists = ("fail_to_pass", "pass_to_pass", "selected_test_files_to_run")
    python = [{**row, **{key: repr(json.loads(row[key])) for key in lists}} for row in rows]
    assert [row["fail_to_pass"] for row in python] != [row["fail_to_pass"] for row in rows]
    reader = swebench_pro.reader()
    assert collect(numbered(rows), reader) == collect(numbered(python), reader)


@given(st.lists(st.text()))
def test_any_list_of_text_is_read_back_in_either_spelling(items):
    wanted = list(dict.fromkeys(items))
    assert parse_list(json.dumps(items)) == wanted
    assert parse_list(repr(items)) == wanted
    assert parse_list(items) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/x')",
        "['a' + 'b']",
        "[1]",
        "{'a': 1}",
        "['a'",
        "[" * 100_000,
        "a",
        "",
        "None",
        "f'{1}'",
    ],
)
def test_a_list_that_is_none_is_refused_and_never_evaluated(text):
    with pytest.raises(InvalidInputError, match="row 1: fail_to_pass: must be a list of text"):
        instance(fail_to_pass=text)


@pytest.mark.parametrize(
    ("id", "repo", "tag"),
    [
        (
            "instance_NodeBB__NodeBB-0c81-vf2cf",
            "NodeBB/NodeBB",
            "nodebb.nodebb-NodeBB__NodeBB-0c81-vf2cf",
        ),
        (
            "instance_ansible__ansible-0ea4-vnan",
            "ansible/ansible",
            "ansible.ansible-ansible__ansible-0ea4",
        ),
        (
            "instance_element-hq__element-web-1216-vnan",
            "element-hq/element-web",
            "element-hq.element-element-hq__element-web-1216",
        ),
        (
            "instance_element-hq__element-web-f143",
            "element-hq/element-web",
            "element-hq.element-element-hq__element-web-f143",
        ),
        (
            "instance_element-hq__element-web-ec0f940ef0e8e3b61078f145f34dc40d1938e6c5-vnan",
            "element-hq/element-web",
            "element-hq.element-web-element-hq__element-web-ec0f940ef0e8e3b61078f145f34dc40d1938e6c5-vnan",
        ),
        (f"instance_{'a' * 150}", "Owner/Name", f"owner.name-{'a' * 117}"),
    ],
)
def test_an_image_is_named_by_the_rule_it_was_pushed_with(id, repo, tag):
    assert swebench_pro.image_tag(id, repo) == tag
    assert instance(instance_id=id, repo=repo).image == f"jefzda/sweap-images:{tag}"


def test_a_row_that_names_its_tag_is_believed():
    assert instance(dockerhub_tag="some.tag-1").image == "jefzda/sweap-images:some.tag-1"
    with pytest.raises(InvalidInputError, match="dockerhub_tag"):
        instance(dockerhub_tag="not a tag")


def test_only_the_last_line_before_the_tests_is_run():
    before = "git reset --hard abc\ngit clean -fd \ngit checkout abc \ngit checkout def -- a.py \n"
    assert instance(before_repo_set_cmd=before).setup_command == "git checkout def -- a.py"
    assert instance(before_repo_set_cmd=...).setup_command == ""


def test_the_prompt_is_the_official_one():
    assert instance().prompt == (
        "add() subtracts.\n\nRequirements:\nadd(2, 2) is 4\n\nNew interfaces introduced:\nNone"
    )


def test_a_template_replaces_placeholders_once_and_nothing_else():
    columns = {"problem_statement": "{interface} {x}", "interface": "I"}
    text = prompt.fill("{problem_statement}|{interface}|{requirements}|{0}|{", columns)
    assert text == "{interface} {x}|I||{0}|{"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem_statement": ...}, "problem_statement: is required"),
        ({"instance_id": "../../etc"}, "instance_id: must be letters"),
        ({"instance_id": "a/b"}, "instance_id: must be letters"),
        ({"base_commit": "HEAD"}, "base_commit: must be 7-64"),
        ({"repo": "calc"}, "repo: must be owner/name"),
        ({"fail_to_pass": "[]", "pass_to_pass": "[]"}, "fail_to_pass: names no test"),
        ({"patch": 7}, "patch: Input should be a valid string"),
        ({"problem_statement": "\ud800"}, "problem_statement: holds half a character"),
        ({"pass_to_pass": '["\\ud800"]'}, "pass_to_pass: holds half a character"),
    ],
)
def test_a_bad_row_is_refused_by_place_column_and_reason(changes, message):
    with pytest.raises(InvalidInputError, match=f"row 1: {message}") as caught:
        instance(**changes)
    assert caught.value.reason == names.REASON_SUITE_INVALID


def test_columns_in_capitals_are_the_same_columns():
    row = {key.upper(): value for key, value in pro_row().items()}
    (made,) = collect(numbered([row]), swebench_pro.reader())
    assert made == instance()


def test_an_instance_gets_its_own_scripts_and_nobody_elses(tmp_path):
    scripts = write_scripts(tmp_path, ID)
    (scripts / "instance_other").mkdir()
    panel = load([pro_row()], scripts, tmp_path)
    (made,) = panel.instances
    assert [file.path for file in made.scripts] == ["run_script.sh"]
    assert made.parser.script == PARSER


@pytest.mark.parametrize("place", ["run_scripts", "."])
def test_the_folder_may_be_the_scripts_or_the_repository_around_them(tmp_path, place):
    write_scripts(tmp_path, ID)
    assert ids(load([pro_row()], tmp_path / place, tmp_path)) == [ID]


def packed(folder: Path, kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w") as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, f"repository-main/run_scripts/{path.relative_to(folder)}")
        return stream.getvalue()
    with tarfile.open(fileobj=stream, mode=f"w:{kind}") as tar:
        tar.add(folder, "repository-main/run_scripts")
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["zip", "gz", "xz", ""])
def test_scripts_come_from_an_archive_in_a_config_map_as_well(tmp_path, kind):
    content = packed(write_scripts(tmp_path, ID), kind)
    sources = MemorySources({("rows", "r.jsonl"): jsonl(pro_row()), ("scripts", "all"): content})
    suite = pro_suite(
        {"configMap": {"name": "rows", "key": "r.jsonl"}},
        {"configMap": {"name": "scripts", "key": "all"}},
    )
    (made,) = load_panel(suite, sources).instances
    assert made.parser.script == PARSER


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK\x03\x04 broken", b"\x1f\x8b broken", b"plain text"),
        b"\x1f\x8b\x08\x1f\x8b\x08\0\0\0\0",  # ends within its header
    ],
)
def test_what_is_no_archive_is_refused_by_its_field(tmp_path, content):
    file = tmp_path / "scripts.tgz"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        load([pro_row()], file, tmp_path)
    assert caught.value.field == "spec.suite.swebenchPro.runScripts.path"


def test_missing_scripts_matter_only_to_selected_instances(tmp_path):
    scripts = write_scripts(tmp_path, ID)
    rows = [pro_row(), pro_row(instance_id="instance_b")]
    with pytest.raises(InvalidInputError, match=r"has no instance_b/run_script\.sh"):
        load(rows, scripts, tmp_path)
    assert ids(load(rows, scripts, tmp_path, selection={"include": [ID]})) == [ID]


def test_script_and_template_and_list_order_are_part_of_the_panels_identity(tmp_path):
    scripts = write_scripts(tmp_path, ID)
    first = load([pro_row()], scripts, tmp_path).digest
    assert load([pro_row(issue_specificity="other")], scripts, tmp_path).digest == first
    template = "{problem_statement} Be brief."
    digests = {first, load([pro_row()], scripts, tmp_path, promptTemplate=template).digest}
    (scripts / ID / "run_script.sh").write_text("exit 1\n")
    digests.add(load([pro_row()], scripts, tmp_path).digest)
    (scripts / ID / "parser.py").write_text("pass\n")
    digests.add(load([pro_row()], scripts, tmp_path).digest)
    assert len(digests) == 4


def test_rows_may_come_as_parquet(tmp_path):
    scripts = write_scripts(tmp_path, ID)
    rows = [pro_row(dockerhub_tag=None), pro_row(instance_id="instance_b", dockerhub_tag="t")]
    path = tmp_path / "pro.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    suite = pro_suite({"path": str(path)}, {"path": str(scripts)}, selection={"include": [ID]})
    assert ids(load_panel(suite, MemorySources())) == [ID]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidInputError, match="not readable Parquet") as caught:
        load_panel(suite, MemorySources())
    assert caught.value.field == "spec.suite.swebenchPro.source.path"


def test_rows_may_come_from_the_hub(tmp_path):
    sources = MemorySources(rows=[pro_row(patch=None)])
    source = {"dataset": {"id": "ScaleAI/SWE-bench_Pro", "revision": "a" * 40}}
    suite = pro_suite(source, {"path": str(write_scripts(tmp_path, ID))})
    panel = load_panel(suite, sources)
    assert (ids(panel), panel.suite) == ([ID], "swebenchPro")
