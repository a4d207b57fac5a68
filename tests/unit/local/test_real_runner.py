"""The local executor with the runner that clusters use."""

from pathlib import Path
from typing import Any

from benchwarden.local.bench import runner_command
from benchwarden.report.summary import FAIL, PASS

SOLVE = "{exec: {command: [sh, -c, 'echo echo goodbye > greet.sh']}}"
SPAWN = "{exec: {command: [sh, -c, 'setsid sleep 300 & echo echo goodbye > greet.sh']}}"
GREEDY = "{exec: {command: [sh, -c, 'head -c 400000000 /dev/zero | tail']}}"


async def test_the_oracle_resolves_and_nobody_does_not(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "say goodbye"})
    for agent, group in (("oracle", PASS), ("nop", FAIL)):
        path = suite.run_file(name=agent, agent=f"{{{agent}: {{}}}}")
        result = await start(path, runner=runner_command(), out=tmp_path / "out" / agent)
        assert result.summary.groups[group] == 1
    assert result.summary.outcomes == (("empty_patch", 1),)


async def test_a_command_of_the_users_own_is_graded_and_its_files_are_linked(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "say goodbye"})
    result = await start(suite.run_file(agent=SOLVE), runner=runner_command())
    assert result.summary.results[0].outcome == "resolved"
    kept = tmp_path / "out" / "trials" / "one" / "trial-0" / "launch-1"
    assert "+echo goodbye" in (kept / "agent.patch").read_text()
    page = result.report.read_text()
    for name in ("agent.patch", "test.log", "agent.log", "grade.log"):
        assert (kept / name).exists()
        assert (f"launch-1/{name}" in page) == (
            name != "test.log" or bool((kept / name).read_bytes())
        )


async def test_a_daemon_of_the_agent_does_not_outlive_it(suite: Any, start: Any) -> None:
    suite.write({"one": "say goodbye"})
    result = await start(suite.run_file(agent=SPAWN), runner=runner_command())
    assert result.summary.results[0].outcome == "resolved"


async def test_an_agent_over_its_memory_is_told_apart_from_one_that_fails(
    suite: Any, start: Any
) -> None:
    suite.write({"one": "x"}, resources={"limits": {"memory": "128Mi"}})
    result = await start(suite.run_file(agent=GREEDY), runner=runner_command())
    assert result.summary.results[0].outcome == "agent_oom"
    assert result.summary.retries == 1


async def test_an_agent_that_hangs_is_stopped_at_its_time(suite: Any, start: Any) -> None:
    suite.write({"one": "x"}, timeouts={"agent_seconds": 1})
    hang = "{exec: {command: [sleep, '600']}}"
    result = await start(suite.run_file(agent=hang), runner=runner_command())
    assert result.summary.results[0].outcome == "agent_timeout"


async def test_tools_of_the_suite_come_first_on_the_path(suite: Any, start: Any) -> None:
    tools = suite.root / "bin"
    tools.mkdir()
    (tools / "own-tool").write_text("#!/bin/sh\necho echo goodbye > greet.sh\n")
    (tools / "own-tool").chmod(0o755)
    suite.write({"one": "x"}, local={"archive": "work.tgz", "path_entries": ["bin"]})
    agent = "{exec: {command: [own-tool]}}"
    result = await start(suite.run_file(agent=agent), runner=runner_command())
    assert result.summary.results[0].outcome == "resolved"
