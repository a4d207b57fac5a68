"""The real Claude Code CLI in a local run, against a scripted Messages API."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.claude_binary import VERSION, cache_directory, ensure_claude
from tests.scripted_api.server import ScriptedApi

from benchwarden.local.bench import runner_command
from benchwarden.reconcile.conditions import find

pytestmark = [pytest.mark.claude, pytest.mark.timeout(280)]

EDIT = {
    "name": "Bash",
    "input": {"command": "echo echo goodbye > greet.sh", "description": "Say goodbye"},
}
SCRIPT = {
    "turns": [{"text": "I mend it.", "tools": [EDIT]}, {"text": "Done."}],
    "keys": ["sk-good"],
}


def agent(base_url: str) -> str:
    return (
        f"{{claudeCode: {{version: {VERSION}, model: claude-sonnet-4-5-20250929,"
        f' baseUrl: "{base_url}", credentials: {{apiKey: {{name: key, key: key}}}}}}}}'
    )


def environment(key: str) -> dict[str, str]:
    ensure_claude()
    cache = str(cache_directory().parent)
    return {"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": key, "BENCHWARDEN_CACHE": cache}


async def test_the_real_cli_makes_the_hidden_test_pass_and_its_transcript_is_kept(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "say goodbye"})
    with ScriptedApi(SCRIPT) as api:
        path = suite.run_file(agent=agent(api.base_url))
        result = await start(path, runner=runner_command(), environment=environment("sk-good"))
    only = result.summary.results[0]
    assert only.outcome == "resolved"
    assert only.row is not None
    assert only.row.tools == (("Bash", 1),)
    assert only.tokens.output == 100
    assert result.status["agent"]["cliVersion"] == VERSION
    kept = tmp_path / "out" / "trials" / "one" / "trial-0" / "launch-1"
    assert "sk-good" not in "".join(path.read_text(errors="replace") for path in kept.iterdir())
    assert 'href="trials/one/trial-0/launch-1/stream.jsonl"' in result.report.read_text()


async def test_a_wrong_key_ends_the_run_before_any_instance_and_a_good_one_goes_on(
    suite: Any, start: Any, ledger: Any
) -> None:
    suite.write({"one": "say goodbye"})
    with ScriptedApi(SCRIPT) as api:
        path = suite.run_file(agent=agent(api.base_url))
        wrong = await start(path, runner=runner_command(), environment=environment("sk-bad"))
        ended = find(wrong.status["conditions"], "Succeeded")
        assert (ended["status"], ended["reason"]) == ("False", "AuthenticationFailed")
        assert ledger.launched == []
        right = await start(path, runner=runner_command(), environment=environment("sk-good"))
    assert right.summary.pass_ratio == 1.0
