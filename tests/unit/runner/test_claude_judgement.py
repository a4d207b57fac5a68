import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden_runner import protocol
from benchwarden_runner.agents import claude_usage
from benchwarden_runner.agents.claude_outcome import judge, of_retry
from benchwarden_runner.agents.claude_stream import ClaudeStream, without_partials

GOOD = {"type": "result", "subtype": "success", "is_error": False, "result": "Done."}


def line(**fields) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def retry(delay_ms, status=429, error="rate_limit") -> bytes:
    return line(
        type="system",
        subtype="api_retry",
        retry_delay_ms=delay_ms,
        error_status=status,
        error=error,
    )


def assistant(id, *tools, model="claude-x") -> bytes:
    blocks = [{"type": "tool_use", "id": call, "name": name} for call, name in tools]
    return line(type="assistant", message={"id": id, "model": model, "content": blocks})


@pytest.mark.parametrize(
    ("returncode", "changes"),
    [
        (1, {}),
        (0, {"is_error": True}),
        (0, {"subtype": "error_during_execution"}),
        (0, {"is_error": None}),
    ],
)
def test_success_needs_exit_code_result_line_and_both_flags(returncode, changes):
    assert judge(0, GOOD, "").outcome == protocol.COMPLETED
    assert judge(returncode, {**GOOD, **changes}, "").outcome != protocol.COMPLETED


def test_words_in_the_conversation_decide_nothing():
    talk = {**GOOD, "result": "API Error: 429 rate_limit_error; max turns; Not logged in"}
    assert judge(0, talk, "429 overloaded").outcome == protocol.COMPLETED


@pytest.mark.parametrize(
    ("returncode", "stderr", "outcome"),
    [
        (1, "error: unknown option", protocol.HARNESS),
        (132, "", protocol.HARNESS),
        (-4, "", protocol.HARNESS),
        (137, "", protocol.AGENT_ERROR),
        (-9, "", protocol.AGENT_ERROR),
        (143, "", protocol.AGENT_ERROR),
        (0, "", protocol.AGENT_ERROR),
    ],
)
def test_no_result_line(returncode, stderr, outcome):
    assert judge(returncode, None, stderr).outcome == outcome


def test_the_last_result_line_counts():
    stream = ClaudeStream()
    stream.feed(line(**GOOD, total_cost_usd=1) + line(**{**GOOD, "result": "later"}), 1.0)
    assert stream.result["result"] == "later"


def test_turns_and_tools_are_counted_once_however_many_lines_repeat_them():
    stream = ClaudeStream()
    stream.feed(assistant("m1", ("t1", "Bash")) + assistant("m1", ("t2", "Read")), 1.0)
    stream.feed(assistant("m1", ("t1", "Bash")) + assistant("m2", ("t3", "Bash")), 2.0)
    stream.feed(assistant("m3", model="<synthetic>"), 3.0)
    assert stream.turns == 2
    assert stream.tools == {"Bash": 2, "Read": 1}


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_garbage_in_any_pieces_is_survived(garbage, size):
    data = garbage + b"\n" + assistant("m1", ("t1", "Bash")) + b"[1]\nnull\n" + line(**GOOD)
    stream = ClaudeStream()
    for at in range(0, len(data), size):
        stream.feed(data[at : at + size], 1.0)
    assert stream.result == GOOD
    assert stream.tools == {"Bash": 1}


def test_failed_requests_and_waits_are_throttle_time_and_work_is_not():
    stream = ClaudeStream(stall_seconds=1000)
    stream.feed(assistant("m1"), 10.0)
    stream.feed(retry(4000), 12.0)  # two seconds failed, four to wait
    assert stream.throttle_seconds(13.0) == pytest.approx(3.0)
    assert stream.throttle_seconds(100.0) == pytest.approx(6.0)
    stream.feed(retry(1000), 17.0)  # the second try took a second, then one more to wait
    assert stream.throttle_seconds(100.0) == pytest.approx(8.0)
    stream.feed(assistant("m2"), 30.0)  # twelve seconds of real work
    assert stream.throttle_seconds(100.0) == pytest.approx(8.0)
    stream.feed(retry(500), 40.0)
    assert stream.throttle_seconds(100.0) == pytest.approx(18.5)


REQUEST = line(type="system", subtype="status", status="requesting")
PIECE = line(type="stream_event", event={"type": "content_block_delta"})
STOP = line(type="stream_event", event={"type": "message_stop"})
TOOL_RESULT = line(type="user", message={"content": []})


def test_a_silence_of_the_api_is_a_stall_but_a_slow_answer_or_tool_is_not():
    stream = ClaudeStream(stall_seconds=60)
    stream.feed(REQUEST, 0.0)
    assert stream.throttle_seconds(59.0) == 0
    stream.feed(PIECE, 59.0)  # a slow answer
    stream.feed(PIECE, 100.0)
    assert stream.throttle_seconds(100.0) == 0
    assert stream.throttle_seconds(170.0) == pytest.approx(70.0)  # it has stalled since
    stream.feed(assistant("m1", ("t1", "Bash")) + STOP, 200.0)
    assert stream.throttle_seconds(5000.0) == pytest.approx(100.0)  # the tool runs
    stream.feed(TOOL_RESULT, 5000.0)
    stream.feed(REQUEST, 5000.0)
    stream.feed(retry(10_000), 5100.0)
    assert stream.throttle_seconds(5110.0) == pytest.approx(210.0)
    assert stream.throttle_seconds(5111.0 + 60.0) == pytest.approx(
        271.0
    )  # the next try stalls, too
    stream.feed(assistant("m2"), 5120.0)
    assert stream.throttle_seconds(9000.0) == pytest.approx(210.0)


def test_pieces_of_answers_are_left_out_of_what_is_kept():
    data = REQUEST + PIECE + assistant("m1") + PIECE + STOP + line(**GOOD)
    data = data.replace(b'"type": "stream_event", ', b'"type":"stream_event",')
    kept = REQUEST + assistant("m1") + line(**GOOD)
    for size in (1, 7, 1000):
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert b"".join(without_partials(chunks)) == kept


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ({"error": "rate_limit", "error_status": 429}, protocol.API_RATE_LIMIT),
        ({"error": "overloaded", "error_status": 529}, protocol.API_OVERLOADED),
        ({"error": "unknown", "error_status": 500}, protocol.API_OVERLOADED),
        ({"error": "unknown", "error_status": None}, protocol.API_CONNECTION),
        ({"error": "authentication_failed", "error_status": 401}, protocol.AUTH),
        (None, protocol.API_CONNECTION),
    ],
)
def test_the_last_retry_names_the_class_of_a_run_that_only_waited(entry, outcome):
    assert of_retry(entry).outcome == outcome


def test_usage_is_summed_over_models_and_broken_numbers_are_left_out():
    model = {"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokens": "x"}
    usage = claude_usage.from_result(
        {"modelUsage": {"a": model, "b": model, "c": None}, "total_cost_usd": 0.123456}
    )
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (10, 4, 0)
    assert usage.cost_usd == "0.1235"


def test_without_a_result_the_transcript_says_what_was_used():
    answer = {"id": "m1", "usage": {"input_tokens": 7, "output_tokens": 3}}
    entries = [line(type="assistant", message=answer)] * 2 + [b"garbage\n"]
    assert claude_usage.from_transcript(entries).input_tokens == 7
    state = line(type="cost-state", totalCostUSD=0.5, modelUsage={"a": {"inputTokens": 9}})
    usage = claude_usage.from_transcript([*entries, state])
    assert (usage.input_tokens, usage.cost_usd) == (9, "0.5")


@pytest.mark.parametrize("value", [None, True, -1, float("nan"), float("inf"), "1", 1e300])
def test_what_is_no_amount_is_zero(value):
    assert claude_usage.money(value) == "0"


def streamed(event, speaker=None):
    return line(type="stream_event", event=event, parent_tool_use_id=speaker)


def starts(message, speaker=None, **usage):
    return streamed({"type": "message_start", "message": {"id": message, "usage": usage}}, speaker)


def ends(tokens, speaker=None):
    return streamed({"type": "message_delta", "usage": {"output_tokens": tokens}}, speaker)


def test_pieces_of_answers_say_what_a_killed_cli_has_used():
    stream = ClaudeStream()
    stream.feed(starts("m1", input_tokens=7, output_tokens=1, cache_read_input_tokens=3), 1.0)
    stream.feed(starts("h1", "tool-1", input_tokens=100, output_tokens=1), 1.0)
    stream.feed(ends(50) + ends(900, "tool-1"), 2.0)
    stream.feed(starts("m2", input_tokens=9, output_tokens=1), 3.0)  # killed in the middle of it
    stream.feed(streamed([]) + streamed({"type": "message_start"}), 3.0)
    used = stream.streamed.usage
    assert (used.input_tokens, used.output_tokens, used.cache_read_tokens) == (116, 951, 3)
    known = claude_usage.Usage(input_tokens=500, output_tokens=20, cost_usd="1.5")
    both = claude_usage.at_least(known, used)
    assert (both.input_tokens, both.output_tokens, both.cost_usd) == (500, 951, "1.5")
