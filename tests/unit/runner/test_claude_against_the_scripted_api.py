import json

import pytest
from tests.claude_binary import VERSION
from tests.scripted_api.script import bash
from tests.scripted_api.server import ScriptedApi
from tests.unit.runner.builders import git
from tests.unit.runner.claude_bench import FOR_EVER, KEY, MODEL, run, solution, spec, status

from benchwarden_runner import protocol

pytestmark = pytest.mark.claude


def test_real_edits_by_real_tools_become_the_patch_and_pass_hidden_tests(bench):
    telemetry, api = run(bench, {"turns": solution(bench)})
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert telemetry.cli_version == VERSION
    assert telemetry.turns == 5
    assert telemetry.tools == {"Bash": 1, "Read": 1, "Edit": 1, "Write": 1}
    assert (telemetry.input_tokens, telemetry.output_tokens) == (500, 250)
    assert (telemetry.cache_read_tokens, telemetry.cache_write_tokens) == (1500, 100)
    assert float(telemetry.cost_usd) > 0
    assert b"+    return a + b" in bench.patch
    assert b"notes.md" in bench.patch
    assert {request["model"] for request in api.message_requests} == {MODEL}
    git(bench.repo, "checkout", "--quiet", "--force", ".")
    (bench.repo / "notes.md").unlink()
    check = bench.grade_spec(test_command="python3 -c 'import calc; assert calc.add(1, 2) == 3'")
    assert bench.grade(check).outcome == protocol.RESOLVED


def test_stream_and_transcript_are_kept_without_the_key(bench):
    turns = [bash("echo $ANTHROPIC_API_KEY; env")]
    telemetry, _ = run(bench, {"turns": turns})
    assert telemetry.outcome == protocol.COMPLETED
    for name in (protocol.FILE_STREAM, protocol.FILE_TRANSCRIPT):
        text = (bench.work / name).read_text()
        assert "redacted ANTHROPIC_API_KEY" in text
        assert KEY not in text


def test_only_the_asked_tools_exist_and_the_prompt_arrives_whole(bench):
    prompt = "-- /not a command\n" + "é" * 150_000 + " the end"
    _, api = run(bench, {"turns": []}, prompt=prompt, allowed_tools=("Bash", "Read"))
    first = api.message_requests[0]
    placeholder = {"DeferredToolPlaceholder"}  # the CLI's own; it does nothing
    assert set(first["tools"]) - placeholder == {"Bash", "Read"}
    assert "é the end" in json.dumps(first["body"]["messages"], ensure_ascii=False)


def test_turns_past_the_limit_end_it(bench):
    turns = [bash(f"echo {number} >> n.txt") for number in range(9)]
    telemetry, api = run(bench, {"turns": turns}, max_turns=3)
    assert telemetry.outcome == protocol.AGENT_TURN_LIMIT
    assert len(api.message_requests) == telemetry.turns == 3
    assert float(telemetry.cost_usd) > 0
    assert b"n.txt" in bench.patch


def test_money_past_the_budget_ends_it(bench):
    turns = [{**bash("true"), "usage": {"output_tokens": 100_000}} for _ in range(9)]
    telemetry, api = run(bench, {"turns": turns}, max_budget_usd="1")
    assert telemetry.outcome == protocol.AGENT_BUDGET
    assert float(telemetry.cost_usd) >= 1
    assert len(api.message_requests) < 9


def test_an_api_failure_after_some_turns_keeps_their_usage(bench):
    fault = status(529, "overloaded_error", at=2)
    telemetry, _ = run(bench, {"turns": solution(bench), "faults": [fault]})
    assert telemetry.outcome == protocol.API_OVERLOADED
    assert telemetry.turns == 2
    assert telemetry.input_tokens == 200
    assert float(telemetry.cost_usd) > 0


def test_nobody_answers_at_all(bench):
    with ScriptedApi({}) as api:
        dead = spec(bench, api)
    telemetry = bench.agent(dead, env={"ANTHROPIC_API_KEY": KEY})
    assert telemetry.outcome == protocol.API_CONNECTION


@pytest.mark.parametrize(
    "fault",
    [
        status(429, "rate_limit_error", times=1, retry_after="1"),
        status(529, "overloaded_error", times=2),
        status(500, times=1, at=2),
        {"kind": "garbage"},
        {"kind": "truncated", "at": 1},
        {"kind": "error_event", "type": "overloaded_error"},
        {"kind": "reset"},
        {"kind": "reset_stream"},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_passing_faults_are_survived(bench, fault):
    telemetry, _ = run(bench, {"turns": solution(bench), "faults": [fault]}, max_retries=3)
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert b"+    return a + b" in bench.patch


def test_a_stalled_stream_is_survived(bench):
    script = {"turns": solution(bench), "faults": [{"kind": "stall", "at": 1}]}
    env = {"CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "10000"}
    telemetry, _ = run(
        bench, script, env=env, max_retries=2, timeout_seconds=9, throttle_allowance_seconds=60
    )
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert telemetry.seconds > 10
    assert telemetry.throttle_seconds > 9
    assert "stream_event" not in (bench.work / protocol.FILE_STREAM).read_text()


def test_waits_for_the_api_do_not_count_against_the_agents_time(bench):
    fault = status(429, "rate_limit_error", times=1, retry_after="6")
    telemetry, _ = run(
        bench,
        {"turns": solution(bench), "faults": [fault]},
        max_retries=3,
        timeout_seconds=5,
        throttle_allowance_seconds=30,
    )
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert telemetry.throttle_seconds >= 5
    assert telemetry.seconds > 5


def test_waits_beyond_the_allowance_are_the_apis_class_not_a_timeout(bench):
    fault = status(429, "rate_limit_error", times=FOR_EVER, retry_after="20")
    telemetry, _ = run(
        bench,
        {"faults": [fault]},
        max_retries=9,
        timeout_seconds=2,
        throttle_allowance_seconds=1,
    )
    assert telemetry.outcome == protocol.API_RATE_LIMIT
    assert telemetry.seconds < 20


def test_an_agent_past_its_time_keeps_its_usage_and_its_patch(bench):
    turns = [bash("echo half > done.txt"), bash("sleep 500")]
    telemetry, _ = run(bench, {"turns": turns}, timeout_seconds=4)
    assert telemetry.outcome == protocol.AGENT_TIMEOUT, telemetry
    assert telemetry.turns == 2
    assert telemetry.input_tokens == 200
    assert float(telemetry.cost_usd) > 0
    assert b"+half" in bench.patch


def test_an_agent_that_waits_for_an_answer_past_its_time_keeps_its_usage(bench):
    script = {"turns": [bash("true")], "faults": [{"kind": "hang", "at": 1, "times": FOR_EVER}]}
    telemetry, _ = run(bench, script, timeout_seconds=4)
    assert telemetry.outcome == protocol.AGENT_TIMEOUT
    assert telemetry.input_tokens == 100


def test_a_tool_that_is_not_there_is_survived_and_counted(bench):
    turns = [{"tools": [{"name": "WebFetch", "input": {"url": "https://example.invalid"}}]}]
    telemetry, _ = run(bench, {"turns": turns})
    assert telemetry.outcome == protocol.COMPLETED
    assert telemetry.tools == {"WebFetch": 1}


def test_without_any_key_a_gateway_is_asked_with_a_placeholder(bench):
    telemetry, api = run(bench, {"turns": []}, key="")
    assert telemetry.outcome == protocol.COMPLETED
    assert api.message_requests[0]["headers"]["x-api-key"] == "redacted"


def test_a_flag_the_cli_refuses_is_the_harness(bench):
    telemetry, _ = run(bench, {"turns": []}, extra_args=("--no-such-flag",))
    assert telemetry.outcome == protocol.HARNESS
    assert "no-such-flag" in telemetry.reason


def test_a_prompt_that_looks_like_a_command_of_the_cli_reaches_the_model(bench):
    telemetry, api = run(bench, {"turns": solution(bench)}, prompt="/help me fix calc.py")
    assert telemetry.outcome == protocol.COMPLETED
    assert "/help me fix calc.py" in json.dumps(api.message_requests[0]["body"]["messages"])


def test_an_agent_out_of_memory_keeps_what_it_has_used(bench):
    hog = "python3 -c 'import time; x = bytearray(1 << 30); time.sleep(60)'"
    with ScriptedApi({"turns": [bash("true"), bash(hog)]}) as api:
        from dataclasses import replace

        limited = replace(spec(bench, api), memory_limit_bytes=900 << 20)
        telemetry = bench.agent(limited, env={"ANTHROPIC_API_KEY": KEY})
    assert telemetry.outcome == protocol.AGENT_OOM
    assert (telemetry.turns, telemetry.input_tokens) == (2, 200)
    assert float(telemetry.cost_usd) > 0


def test_an_empty_prompt_is_the_harness(bench):
    telemetry, _ = run(bench, {"turns": []}, prompt="")
    assert telemetry.outcome == protocol.HARNESS


def test_another_version_than_asked_is_the_harness(bench):
    telemetry, api = run(bench, {"turns": []}, version="2.1.1")
    assert telemetry.outcome == protocol.HARNESS
    assert "asked for Claude Code 2.1.1, found 2.1.330" in telemetry.reason
    assert not api.requests


def test_an_image_without_bash_is_the_harness(bench, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    with ScriptedApi({}) as api:
        telemetry = bench.agent(
            spec(bench, api), env={"PATH": str(programs), "ANTHROPIC_API_KEY": KEY}
        )
    assert telemetry.outcome == protocol.HARNESS
    assert "neither bash nor zsh" in telemetry.reason


def test_effort_and_appended_prompt_are_sent(bench):
    _, api = run(bench, {"turns": []}, effort="low", append_system_prompt="APPENDED WORDS")
    body = api.message_requests[0]["body"]
    assert body["output_config"]["effort"] == "low"
    assert "APPENDED WORDS" in json.dumps(body["system"])


def test_nothing_of_claude_is_left_in_the_work_tree_or_behind(bench):
    run(bench, {"turns": []})
    assert sorted(path.name for path in bench.repo.iterdir()) == [".git", "calc.py"]
    assert bench.patch == b""
    assert list(bench.work.glob(".*")) == []
