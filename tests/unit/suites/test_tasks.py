"""Own tasks: good rows become instances, bad ones are named with line, field and fix."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.suites.rows import full_row, jsonl, task_row

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.suites.instance import (
    InstanceResources,
    LocalWorkspace,
    ResultParser,
    TestFile,
)
from benchwarden.suites.schema import TEST_FILES_BYTES, TaskRow
from benchwarden.suites.tasks import parse_tasks


def refusal(content: bytes) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        parse_tasks(content)
    return caught.value


def test_every_key_of_a_row_reaches_the_instance():
    (instance,) = parse_tasks(jsonl(full_row()))
    assert instance.id == "demo-1"
    assert instance.image == "registry.example/team/demo:1.0"
    assert instance.workdir == "/app"
    assert instance.base_commit == "a" * 40
    assert instance.prompt == "Make add() add."
    assert instance.test_command == "pytest --junitxml=report.xml"
    assert instance.parser == ResultParser("junit", "report.xml", "")
    assert instance.fail_to_pass == ("tests.test_add::test_add",)
    assert instance.pass_to_pass == ("tests.test_add::test_zero",)
    assert instance.gold_patch == "--- a/add.py\n+++ b/add.py\n"
    assert instance.test_patch == "--- a/test_add.py\n+++ b/test_add.py\n"
    assert instance.test_files == (
        TestFile("tests/test_add.py", b"assert True\n", executable=True),
        TestFile("tests/data.bin", b"\x00\x01\x02"),
    )
    assert instance.setup_command == "make deps"
    assert instance.restore_paths == ("pytest.ini", "tests/**")
    assert instance.env == (("A", "1"), ("LANG", "C.UTF-8"))
    assert (instance.repo, instance.language) == ("team/demo", "python")
    assert (instance.agent_timeout_seconds, instance.grade_timeout_seconds) == (600, 60)
    assert instance.resources == InstanceResources("500m", "2", "1Gi", "2Gi", "5Gi")
    assert instance.local == LocalWorkspace("repos/demo.tar", ("bin",))
    assert instance.skipped_counts_as_pass
    assert instance.grader_needs_network


def test_the_full_row_of_these_tests_uses_every_key_there_is():
    assert set(full_row()) == set(TaskRow.model_fields)


def test_keys_that_are_left_out_get_the_instances_own_defaults():
    (instance,) = parse_tasks(jsonl(task_row()))
    assert (instance.base_commit, instance.gold_patch, instance.test_files) == ("", "", ())
    assert instance.agent_timeout_seconds is None
    assert instance.resources is None
    assert instance.local is None
    assert not instance.grader_needs_network


def test_rows_keep_their_order_and_blank_lines_do_not_count_as_rows():
    content = b"\n" + jsonl(task_row(id="b")) + b"   \r\n" + jsonl(task_row(id="a"))
    assert [instance.id for instance in parse_tasks(content)] == ["b", "a"]


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    content = b"\xef\xbb\xbf" + jsonl(task_row()).replace(b"\n", b"\r\n")
    assert len(parse_tasks(content)) == 1


def test_a_line_separator_inside_a_string_does_not_end_the_row():
    row = json.dumps(task_row(prompt="one\u2028two"), ensure_ascii=False).encode()
    assert parse_tasks(row)[0].prompt == "one\u2028two"


BAD_FIELDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("missing id", {"id": ...}, "id", "is required"),
    ("empty id", {"id": ""}, "id", "1-200 printable"),
    ("id with a space", {"id": "a b"}, "id", "1-200 printable"),
    ("long id", {"id": "x" * 201}, "id", "1-200 printable"),
    ("id as a number", {"id": 7}, "id", "string"),
    ("image with a space", {"image": "a b"}, "image", "image reference"),
    ("image in capitals", {"image": "Demo/App:1"}, "image", "image reference"),
    ("image with an empty tag", {"image": "demo:"}, "image", "image reference"),
    ("relative workdir", {"workdir": "app"}, "workdir", "absolute path"),
    ("climbing workdir", {"workdir": "/app/../etc"}, "workdir", "absolute path"),
    ("root workdir", {"workdir": "/"}, "workdir", "root of the image"),
    ("commit as a branch", {"base_commit": "main"}, "base_commit", "hex digits"),
    ("commit as an option", {"base_commit": "--all"}, "base_commit", "hex digits"),
    ("empty prompt", {"prompt": ""}, "prompt", "at least 1"),
    ("NUL in the prompt", {"prompt": "a\0b"}, "prompt", "NUL"),
    ("empty test command", {"test_command": ""}, "test_command", "at least 1"),
    ("no tests", {"fail_to_pass": []}, "fail_to_pass", "at least 1"),
    ("tests as text", {"fail_to_pass": "test_a"}, "fail_to_pass", "list"),
    ("empty test name", {"fail_to_pass": [""]}, "fail_to_pass[0]", "at least 1"),
    ("test twice", {"fail_to_pass": ["a", "a"]}, "", "lists a test twice"),
    ("test in both", {"pass_to_pass": ["tests.test_add::test_add"]}, "", "remove one"),
    ("unknown parser", {"parser": {"kind": "nose"}}, "parser.kind", "junit"),
    ("junit without path", {"parser": {"kind": "junit"}}, "parser", "needs path"),
    ("exitCode with path", {"parser": {"kind": "exitCode", "path": "x"}}, "parser", "remove it"),
    ("script without script", {"parser": {"kind": "script"}}, "parser", "Python source"),
    ("script for tap", {"parser": {"kind": "tap", "script": "x"}}, "parser", "only with it"),
    ("climbing report", {"parser": {"kind": "tap", "path": "../x"}}, "parser.path", "'..'"),
    ("zero seconds", {"timeouts": {"agent_seconds": 0}}, "timeouts.agent_seconds", "1"),
    ("quoted seconds", {"timeouts": {"agent_seconds": "9"}}, "timeouts.agent_seconds", "integer"),
    ("float seconds", {"timeouts": {"agent_seconds": 1.5}}, "timeouts.agent_seconds", "integer"),
    (
        "bad quantity",
        {"resources": {"limits": {"memory": "4 GB"}}},
        "resources.limits.memory",
        "must be a quantity",
    ),
    (
        "request above limit",
        {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}},
        "resources",
        "requests.cpu is above limits.cpu",
    ),
    ("zero limit", {"resources": {"limits": {"memory": "0"}}}, "resources", "limit of zero"),
    ("bad variable", {"env": {"1A": "x"}}, "env.1A", "must be a variable name"),
    ("variable as a number", {"env": {"A": 1}}, "env.A", "string"),
    ("git magic", {"restore_paths": [":(top)x"]}, "restore_paths[0]", "magic"),
    ("truth as text", {"grader_needs_network": "yes"}, "grader_needs_network", "boolean"),
    ("climbing archive", {"local": {"archive": "../x.tar"}}, "local.archive", "'..'"),
    ("local without archive", {"local": {}}, "local.archive", "is required"),
    ("null", {"repo": None}, "repo", "string"),
]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [pytest.param(*case[1:], id=case[0]) for case in BAD_FIELDS],
)
def test_a_bad_value_is_refused_with_line_field_and_fix(changes, field, words):
    error = refusal(jsonl(task_row(id="good"), task_row(**changes)))
    assert error.field == (f"line 2: {field}" if field else "line 2")
    assert words in str(error)
    assert error.reason == names.REASON_SUITE_INVALID


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", ".git/config", "sub/.GIT/x", "a\\b"],
)
def test_a_test_file_outside_the_work_tree_is_refused(path):
    error = refusal(jsonl(task_row(test_files=[{"path": path, "content": ""}])))
    assert error.field == "line 1: test_files[0].path"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([{"path": "a"}], "exactly one of content and content_base64"),
        ([{"path": "a", "content": "", "content_base64": ""}], "exactly one of"),
        ([{"path": "a", "content_base64": "%%%"}], "is not base64"),
        ([{"path": "a", "content": ""}] * 2, "a path twice"),
        ([{"path": "a", "content": ""}, {"path": "a/b", "content": ""}], "needs a folder"),
    ],
)
def test_test_files_that_contradict_each_other_are_refused(files, words):
    assert words in str(refusal(jsonl(task_row(test_files=files))))


def test_test_files_have_a_bound_on_their_sum():
    half = "x" * (TEST_FILES_BYTES // 2 + 1)
    files = [{"path": name, "content": half} for name in "ab"]
    assert "put them into the image" in str(refusal(jsonl(task_row(test_files=files))))


@pytest.mark.parametrize(
    ("changes", "suggestion"),
    [
        ({"testCommand": "x"}, '"test_command"'),
        ({"base_comit": "x"}, '"base_commit"'),
        ({"instance_id": "x"}, '"id"'),
        ({"problem_statement": "x"}, '"prompt"'),
        ({"patch": "x"}, '"gold_patch"'),
        ({"FAIL_TO_PASS": []}, '"fail_to_pass"'),
        ({"parser": {"kind": "tap", "file": "x"}}, "known keys here: kind, path, script"),
        ({"resources": {"limits": {"ephemeralStorage": "1Gi"}}}, '"ephemeral_storage"'),
        ({"test_files": [{"path": "a", "content": "", "executible": True}]}, '"executable"'),
        ({"timeouts": {"agentSeconds": 4}}, '"agent_seconds"'),
    ],
)
def test_an_unknown_key_is_refused_with_the_key_that_was_meant(changes, suggestion):
    error = refusal(jsonl(task_row(**changes)))
    assert "unknown key" in str(error)
    assert suggestion in str(error)


def test_all_bad_rows_up_to_twenty_are_reported_at_once():
    rows = [task_row(id=f"t{i}", image="BAD") for i in range(25)]
    lines = str(refusal(jsonl(*rows))).splitlines()
    assert [line.split(":")[0] for line in lines[:20]] == [f"line {i}" for i in range(1, 21)]
    assert lines[20:] == ["and 5 more bad rows"]


def test_a_row_with_many_problems_takes_a_few_lines_only():
    error = refusal(jsonl({f"key{i}": 1 for i in range(50)}))
    assert len(str(error).splitlines()) == 4


def test_a_second_row_with_an_id_is_refused_and_names_the_first():
    error = refusal(jsonl(task_row(), task_row(id="other"), task_row()))
    assert error.field == "line 3: id"
    assert "there already on line 1" in str(error)


def test_an_empty_file_is_an_empty_panel():
    assert refusal(b"\n \n").reason == names.REASON_EMPTY_PANEL


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b'[{"id": 1}]', "must be a JSON object"),
        (b"[\n{}\n]", "jq -c"),
        (b"7", "must be a JSON object"),
        (b'{"id": "a", "id": "b"}', 'the key "id" twice'),
        (b'{"id": NaN}', "NaN"),
        (b'{"id": -Infinity}', "Infinity"),
        (b'{"id": ' + b"9" * 5000 + b"}", "too long"),
        (b"[" * 100_000, "nested too deeply"),
        (b'\xff\xfe{"id": 1}', "UTF-8"),
        (b'{"id": "\\ud800"}', "line 1"),
    ],
)
def test_a_line_that_is_no_usable_json_object_is_refused(content, words):
    assert words in str(refusal(content))


def test_bytes_that_are_no_utf8_are_blamed_on_their_line():
    assert refusal(jsonl(task_row()) + b"\xff").field == "line 2"


def test_hostile_keys_do_not_reach_the_message_raw():
    error = refusal(jsonl(task_row(**{"\x1b[2J" + "k" * 5000: 1})))
    assert "\x1b" not in str(error)
    assert len(str(error)) < 1000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def parsed_or_refused(content: bytes) -> None:
    try:
        instances = parse_tasks(content)
    except InvalidInputError as error:
        str(error).encode()
    else:
        for instance in instances:
            repr(instance).encode()


@given(st.binary())
def test_no_bytes_end_in_anything_but_instances_or_a_refusal(content):
    parsed_or_refused(content)


@given(st.lists(st.sampled_from(sorted(full_row())), min_size=1, max_size=3), st.data())
def test_no_json_in_any_field_ends_in_anything_but_instances_or_a_refusal(keys, data):
    row = full_row() | {key: data.draw(JSON_VALUES) for key in keys}
    parsed_or_refused(json.dumps(row).encode())


@given(st.sampled_from(["parser", "timeouts", "resources", "local"]), JSON_VALUES, st.data())
def test_no_json_inside_a_part_ends_in_anything_but_instances_or_a_refusal(part, value, data):
    row = full_row()
    inner = dict(row[part])
    inner[data.draw(st.sampled_from(sorted(inner)))] = value
    parsed_or_refused(json.dumps(row | {part: inner}).encode())
