"""Every way a run of the real CLI can end badly: its class, what it had used, how often it asked, how long it took.

One turn goes well before each fault, so that what is lost of its usage would show. The table in
docs/concepts/outcomes.md names these tests; `test_documented_tests.py` holds it to that.
"""

import time
from dataclasses import dataclass, field

import pytest
from tests.scripted_api.script import bash
from tests.scripted_api.server import ScriptedApi
from tests.unit.runner.claude_bench import FOR_EVER, KEY, MODEL, run, spec, status

from benchwarden_runner import protocol

pytestmark = pytest.mark.claude

NO_FALLBACK = {"CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1"}
WATCHDOG = {
    "CLAUDE_CODE_RETRY_WATCHDOG": "1",
    "CLAUDE_CODE_RETRY_WATCHDOG_MAX_WAIT_MS": "2000",
}
TOO_OLD = "Claude Code 2.1.330 does not support this model; version 9.1.2 or newer is required"
NO_CREDIT = "Your credit balance is too low to access the API"
TOO_LONG = "prompt is too long: 250000 tokens > 200000 maximum"
RETRIES = 1

RETRIED = 1 + RETRIES
ONCE = (1, 1)  # no second try


@dataclass(frozen=True)
class Rung:
    """One fault for ever after a good turn, and what must come of it.

    Attributes:
        status: the API's status in the telemetry.
        requests: fewest and most of the failing turn: what is not retried must not be.
        seconds: most that the whole run may take.
    """

    fault: dict
    outcome: str
    status: int = 0
    requests: tuple[int, int] = (RETRIED, RETRIED)
    env: dict = field(default_factory=dict)
    seconds: float = 30.0


def once(number: int) -> tuple[int, int]:
    return (number, number)


def says(code, kind, message="scripted", **headers):
    return status(code, kind, message, at=1, **headers)


def breaks(kind, **fields):
    return {"kind": kind, "at": 1, "times": FOR_EVER, **fields}


def of_status(code, kind, outcome, message="scripted", requests=ONCE, **more):
    return Rung(says(code, kind, message, **more), outcome, code, requests)


# The CLI asks anew, each time for less, before it believes that a request was bad. How often is its own affair.
MENDED = (1, 6)
LADDER = {
    "401": of_status(401, "authentication_error", protocol.AUTH, requests=once(RETRIED)),
    "403": of_status(403, "permission_error", protocol.AUTH),
    "400": of_status(400, "invalid_request_error", protocol.AGENT_ERROR, requests=MENDED),
    "400-cli-too-old": of_status(
        400, "invalid_request_error", protocol.CLI_TOO_OLD, TOO_OLD, MENDED
    ),
    "400-no-credit": of_status(400, "invalid_request_error", protocol.AUTH, NO_CREDIT, MENDED),
    "400-too-long": of_status(400, "invalid_request_error", protocol.AGENT_ERROR, TOO_LONG, MENDED),
    "413": of_status(413, "request_too_large", protocol.AGENT_ERROR),
    # A second time without a stream.
    "404-model": of_status(404, "not_found_error", protocol.UNKNOWN_MODEL, requests=once(2)),
    "429": of_status(429, "rate_limit_error", protocol.API_RATE_LIMIT, requests=once(RETRIED)),
    "429-retry-after-90": of_status(
        429, "rate_limit_error", protocol.API_RATE_LIMIT, retry_after="90"
    ),
    "429-retry-after-7200": of_status(
        429, "rate_limit_error", protocol.API_RATE_LIMIT, retry_after="7200"
    ),
    "429-watchdog": Rung(
        says(429, "rate_limit_error"), protocol.API_RATE_LIMIT, 429, (2, 9), WATCHDOG
    ),
    "529-watchdog": Rung(
        says(529, "overloaded_error"), protocol.API_OVERLOADED, 529, (2, 9), WATCHDOG
    ),
    "500": of_status(500, "api_error", protocol.API_OVERLOADED, requests=once(RETRIED)),
    "529": of_status(529, "overloaded_error", protocol.API_OVERLOADED, requests=once(RETRIED)),
    "connection-reset": Rung(breaks("reset"), protocol.API_CONNECTION),
    "no-answer": Rung(breaks("hang"), protocol.API_CONNECTION, env={"API_TIMEOUT_MS": "1000"}),
    "garbage-without-fallback": Rung(
        breaks("garbage"), protocol.API_CONNECTION, requests=ONCE, env=NO_FALLBACK
    ),
    "error-event-without-fallback": Rung(
        breaks("error_event", type="overloaded_error"),
        protocol.API_OVERLOADED,
        529,
        ONCE,
        NO_FALLBACK,
    ),
    "cut-without-fallback": Rung(
        breaks("truncated"), protocol.API_CONNECTION, requests=once(RETRIED), env=NO_FALLBACK
    ),
}


@pytest.mark.parametrize("title", LADDER)
def test_a_fault_for_ever_has_its_class_and_keeps_what_was_used_before(bench, title):
    rung = LADDER[title]
    begun = time.monotonic()
    telemetry, api = run(
        bench,
        {"turns": [bash("echo half > half.txt")], "faults": [rung.fault]},
        max_retries=RETRIES,
        env=rung.env,
    )
    assert telemetry.outcome == rung.outcome, telemetry
    assert telemetry.api_status == rung.status
    assert (telemetry.turns, telemetry.tools) == (1, {"Bash": 1})
    assert telemetry.input_tokens >= 100
    assert telemetry.output_tokens >= 50
    assert float(telemetry.cost_usd) > 0
    assert b"+half" in bench.patch
    fewest, most = rung.requests
    assert fewest <= len(api.message_requests) - 1 <= most
    assert time.monotonic() - begun < rung.seconds


@pytest.mark.parametrize(
    ("turn", "requests", "words"),
    [
        ({"text": "No.", "stop_reason": "refusal"}, 2, "refusal"),
        ({"text": "On and on", "stop_reason": "max_tokens"}, 4, "output token maximum"),
    ],
    ids=["refusal", "max-tokens"],
)
def test_an_answer_that_ends_badly_is_the_agents_error(bench, turn, requests, words):
    telemetry, api = run(bench, {"turns": [bash("true"), *[turn] * 9]})
    assert telemetry.outcome == protocol.AGENT_ERROR, telemetry
    assert words in telemetry.reason
    assert len(api.message_requests) - 1 == requests
    assert telemetry.input_tokens == 100 * len(api.message_requests)
    assert float(telemetry.cost_usd) > 0


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP", "KILL"])
def test_a_cli_that_its_own_tool_ends_is_the_agents_error_with_its_usage(bench, signal):
    last = (
        f"setsid sh -c 'sleep 300; echo late > {bench.folder}/late' & kill -{signal} $PPID; sleep 9"
    )
    telemetry, api = run(bench, {"turns": [bash("true"), bash(last)]})
    assert telemetry.outcome == protocol.AGENT_ERROR, telemetry
    assert telemetry.turns == len(api.message_requests) == 2
    assert (telemetry.input_tokens, telemetry.output_tokens) == (200, 100)
    # Only the CLI knows prices, and after SIGKILL it says nothing more.
    assert (float(telemetry.cost_usd) > 0) == (signal != "KILL")
    assert telemetry.seconds < 20
    assert "could not be ended" not in telemetry.reason


def test_a_denied_tool_is_survived_and_counted(bench, tmp_path):
    config = tmp_path / "user-config"
    config.mkdir()
    (config / "settings.json").write_text('{"permissions": {"deny": ["Bash(touch:*)"]}}')
    telemetry, api = run(bench, {"turns": [bash("touch denied.txt")]}, user_config=str(config))
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert telemetry.denials == 1
    assert len(api.message_requests) == telemetry.turns == 2
    assert bench.patch == b""


def test_no_key_and_no_gateway_ends_without_a_request(bench):
    with ScriptedApi({}) as api:
        nobody = spec(bench, api, env={"HTTPS_PROXY": api.base_url})
        claude = type(nobody.claude)(version=nobody.claude.version, model=MODEL)
        telemetry = bench.agent(type(nobody)(**{**vars(nobody), "claude": claude}))
        assert api.requests == []
    assert telemetry.outcome == protocol.AUTH
    assert "Not logged in" in telemetry.reason
    assert telemetry.seconds < 20


def test_what_was_asked_twice_is_paid_twice(bench):
    turns = [bash("true")]
    smooth, _ = run(bench, {"turns": turns})
    fault = {"kind": "garbage", "at": 1}
    rough, api = run(bench, {"turns": turns, "faults": [fault]})
    assert rough.outcome == protocol.COMPLETED
    assert [request["stream"] for request in api.message_requests] == [True, True, False]
    assert rough.input_tokens == smooth.input_tokens + 100
    assert float(rough.cost_usd) > float(smooth.cost_usd)


def test_the_watch_over_the_stream_of_a_long_throttle_ends_it_in_time(bench):
    """The CLI would wait for this 429 for half a minute; the allowance is two seconds."""
    fault = says(429, "rate_limit_error", retry_after="30")
    begun = time.monotonic()
    telemetry, _ = run(
        bench,
        {"turns": [bash("true")], "faults": [fault]},
        max_retries=9,
        timeout_seconds=3,
        throttle_allowance_seconds=2,
    )
    assert telemetry.outcome == protocol.API_RATE_LIMIT, telemetry
    assert telemetry.api_status == 429
    assert telemetry.input_tokens == 100
    assert float(telemetry.cost_usd) > 0
    assert time.monotonic() - begun < 25
    assert KEY not in telemetry.reason
