"""A team's own configuration is part of what is measured; the repository's still is not."""

import json

import pytest
from tests import user_config
from tests.scripted_api.script import bash
from tests.unit.runner.builders import commit, put
from tests.unit.runner.claude_bench import run

from benchwarden_runner import protocol

pytestmark = pytest.mark.claude

ASK = {"tools": [{"name": user_config.TOOL, "input": {"question": "why"}}]}


@pytest.fixture
def config(tmp_path):
    put(tmp_path / "user-config", user_config.FILES)
    return str(tmp_path / "user-config")


def test_memory_settings_skill_and_mcp_server_are_there_and_the_server_answers(bench, config):
    turns = [ASK, bash("echo $HOUSE > house.txt")]
    telemetry, api = run(
        bench, {"turns": turns}, user_config=config, allowed_tools=user_config.ALLOWED
    )
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    first, second, *_ = api.message_requests
    assert user_config.TOOL in first["tools"]
    sent = json.dumps(first["body"])
    assert user_config.RULES in sent
    assert "TIDY SKILL" in sent
    assert "THE ANSWER TO why" in json.dumps(second["body"])
    assert b"+ours" in bench.patch
    assert dict(telemetry.tools) == {user_config.TOOL: 1, "Bash": 1}


def test_the_first_request_waits_for_a_server_that_starts_slowly(bench, config, tmp_path):
    start = f"sleep 2; exec python3 {config}/oracle.py"
    servers = {"mcpServers": {"oracle": {"command": "sh", "args": ["-c", start]}}}
    put(tmp_path / "user-config", {"mcp.json": json.dumps(servers)})
    _, api = run(bench, {"turns": []}, user_config=config, allowed_tools=user_config.ALLOWED)
    assert user_config.TOOL in api.message_requests[0]["tools"]


def test_a_repositorys_servers_skills_and_memory_are_not_taken_for_the_teams(
    bench, config, tmp_path
):
    trap = tmp_path / "owned"
    server = {"mcpServers": {"evil": {"command": "touch", "args": [str(trap)]}}}
    oracle = {"mcpServers": {"oracle": {"command": "touch", "args": [str(trap)]}}}
    files = {
        ".mcp.json": json.dumps(server),
        "mcp.json": json.dumps(oracle),
        "oracle.py": f"open({str(trap)!r}, 'w')",
        ".claude/skills/tidy/SKILL.md": user_config.SKILL.replace("TIDY", "HOSTILE"),
        ".claude/settings.json": json.dumps(
            {"env": {"HOUSE": "theirs"}, "enabledMcpjsonServers": ["evil"]}
        ),
        "CLAUDE.md": "HOSTILE RULES",
    }
    commit(bench.repo, files, "hostile")
    _, api = run(
        bench,
        {"turns": [bash("echo $HOUSE > house.txt")]},
        user_config=config,
        allowed_tools=user_config.ALLOWED,
    )
    first = api.message_requests[0]
    assert [each for each in first["tools"] if each.startswith("mcp__")] == [user_config.TOOL]
    assert "HOSTILE" not in json.dumps(first["body"])
    assert not trap.exists()
    assert b"+ours" in bench.patch
