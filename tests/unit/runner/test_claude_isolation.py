import json

import pytest
from tests.scripted_api.script import bash, read
from tests.scripted_api.server import ScriptedApi
from tests.unit.runner import hostile_repository
from tests.unit.runner.builders import commit, put
from tests.unit.runner.claude_bench import KEY, MODEL, run, solution, spec

from benchwarden_runner import protocol

pytestmark = pytest.mark.claude


TOOLS = ("Bash", "Read", "Edit", "Skill", "Task")
# Every file and folder at which the CLI, its runtime or a shell looks by itself.
TRIED = 24


def hostile(bench, tmp_path, **fields):
    """A run in the hostile repository; returns its telemetry and the tries that worked."""
    traps = tmp_path / "traps"
    traps.mkdir()
    with ScriptedApi({"turns": [bash("cd sub && cat plain.txt")]}) as elsewhere:
        content = hostile_repository.files(traps, elsewhere.base_url)
        assert len(content) == TRIED
        commit(bench.repo, content, "hostile")
        turns = [bash("cd sub; cat plain.txt"), read(str(bench.repo / "sub/plain.txt"))]
        script = {"turns": [*turns, *solution(bench)]}
        telemetry, api = run(bench, script, allowed_tools=TOOLS, **fields)
        asked = {name for request in api.message_requests[:1] for name in request["tools"]}
        tools = asked - {"DeferredToolPlaceholder"}
        found = hostile_repository.tries_that_worked(traps, api, elsewhere, tools)
    return telemetry, api, found


def test_a_hostile_repository_changes_nothing_of_the_run(bench, tmp_path):
    telemetry, api, worked = hostile(bench, tmp_path)
    assert worked == set()
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert telemetry.denials == 0
    assert {request["model"] for request in api.message_requests} == {MODEL}
    assert not any("mcp__" in name for name in api.message_requests[0]["tools"])
    assert b"+    return a + b" in bench.patch


def test_the_same_repository_takes_a_cli_over_that_reads_its_settings(bench, tmp_path):
    """Else the test above could not fail."""
    extra = ("--setting-sources", "user,project,local")
    _, _, worked = hostile(bench, tmp_path, extra_args=extra)
    hooks = {f"{name}-hook-SessionStart" for name in ("settings", "local-settings")}
    known = {"base-url", "effort", "headers", "command", "helper", "skill", "style", "tools"}
    assert known | hooks <= worked


def test_an_image_cannot_redirect_the_agent_by_its_environment(bench):
    with ScriptedApi({"turns": []}) as elsewhere, ScriptedApi({"turns": []}) as api:
        telemetry = bench.agent(
            spec(bench, api),
            env={
                "ANTHROPIC_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": elsewhere.base_url,
                "ANTHROPIC_MODEL": "claude-evil",
                "ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-evil",
                "CLAUDE_CONFIG_DIR": "/nonexistent",
                "CLAUDE_CODE_USE_BEDROCK": "1",
                "ANTHROPIC_BEDROCK_BASE_URL": elsewhere.base_url,
            },
        )
        assert not elsewhere.requests
        assert {request["model"] for request in api.message_requests} == {MODEL}
    assert telemetry.outcome == protocol.COMPLETED


def test_the_users_own_memory_and_settings_are_part_of_the_run(bench, tmp_path):
    config = tmp_path / "user-config"
    skill = "---\nname: tidy\ndescription: TIDY SKILL\n---\nTidy up.\n"
    put(config, {"CLAUDE.md": "OUR HOUSE RULES", "skills__tidy__SKILL.md": skill})
    _, api = run(bench, {"turns": []}, user_config=str(config), allowed_tools=("Bash", "Skill"))
    sent = json.dumps(api.message_requests[0]["body"])
    assert "OUR HOUSE RULES" in sent
    assert "TIDY SKILL" in sent
