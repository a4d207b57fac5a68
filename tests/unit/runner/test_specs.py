import pytest

from benchwarden_runner.specs import (
    AgentSpec,
    ClaudeSpec,
    GradeSpec,
    ParserSpec,
    SpecError,
    TestFileEntry,
)


def test_an_agent_spec_comes_back_as_it_was():
    spec = AgentSpec(
        kind="claudeCode",
        workdir="/app",
        env={"LANG": "C.UTF-8", "é": "ü"},
        command=("a", "b"),
        timeout_seconds=12,
        claude=ClaudeSpec(model="m", allowed_tools=("Bash",), extra_args=("--x", "y")),
    )
    assert AgentSpec.from_json(spec.to_json()) == spec


def test_a_grade_spec_comes_back_as_it_was():
    spec = GradeSpec(
        workdir="/app",
        test_command="pytest",
        parser=ParserSpec("junit", "out/*.xml"),
        fail_to_pass=("a", "b"),
        test_files=(TestFileEntry("tests/x.py", executable=True),),
    )
    assert GradeSpec.from_json(spec.to_json()) == spec


def test_the_same_spec_gives_the_same_bytes():
    one = AgentSpec(kind="nop", workdir="/", env={"a": "1", "b": "2"})
    other = AgentSpec(kind="nop", workdir="/", env={"b": "2", "a": "1"})
    assert one.to_json() == other.to_json()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"kind":"nop"}', "workdir"),
        ('{"kind":"nop","workdir":1}', "agent.workdir"),
        ('{"kind":"nop","workdir":"/","local":1}', "agent.local"),
        ('{"kind":"nop","workdir":"/","command":"sh"}', "agent.command"),
        ('{"kind":"nop","workdir":"/","command":[1]}', r"agent.command\[0\]"),
        ('{"kind":"nop","workdir":"/","env":{"A":1}}', "agent.env.A"),
        ('{"kind":"nop","workdir":"/","claude":{"tourns":1}}', "agent.claude.tourns"),
        ('{"kind":"nop","workdir":"/","news":1}', "agent.news: unknown field"),
        ("[]", "agent: expected an object"),
    ],
)
def test_a_wrong_field_is_named(text, place):
    with pytest.raises(SpecError, match=place):
        AgentSpec.from_json(text)
