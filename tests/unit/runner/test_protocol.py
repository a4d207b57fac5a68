import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden_runner import protocol
from benchwarden_runner.protocol import ProbeReport, Telemetry, Verdict, decode, encode

OUTCOMES = st.sampled_from(sorted(protocol.ALL_CLASSES | {protocol.COMPLETED}))
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
COUNT = st.integers(0, 10**12 - 1)
SMALL = st.integers(0, 10**6 - 1)
SECONDS = st.integers(0, 10**11).map(lambda n: n / 1000)
MONEY = st.from_regex(r"\A[0-9]{1,13}(\.[0-9]{1,4})?\Z")
SHA = st.one_of(st.just(""), st.text("0123456789abcdef", min_size=64, max_size=64))
PAIR = st.tuples(SMALL, SMALL).map(lambda pair: (min(pair), max(pair)))
LIMITS = st.integers(protocol.message_limit_bytes(12), 4096)

TELEMETRY = st.builds(
    Telemetry,
    outcome=OUTCOMES,
    seconds=SECONDS,
    throttle_seconds=SECONDS,
    turns=SMALL,
    input_tokens=COUNT,
    output_tokens=COUNT,
    cache_read_tokens=COUNT,
    cache_write_tokens=COUNT,
    cost_usd=MONEY,
    cli_version=st.text(string.digits + ".-abc", max_size=32),
    network=st.sampled_from(["enforced", "open", "unknown"]),
    denials=SMALL,
    api_status=SMALL,
    reason=TEXT,
    tools=st.dictionaries(TEXT.map(lambda name: name[:64]), COUNT, max_size=64),
)
VERDICT = st.builds(
    Verdict,
    outcome=OUTCOMES,
    fail_to_pass=PAIR,
    pass_to_pass=PAIR,
    seconds=SECONDS,
    patch_sha256=SHA,
    patch_bytes=COUNT,
    log_sha256=SHA,
    artifact=TEXT,
    reason=TEXT,
)
PROBE = st.builds(
    ProbeReport,
    outcome=OUTCOMES,
    cli_version=st.text(string.digits + ".", max_size=32),
    cli_sha256=SHA,
    model=st.text(string.ascii_letters + "-.", max_size=40),
    cost_usd=MONEY,
    reason=TEXT,
)
MESSAGES = st.one_of(TELEMETRY, VERDICT, PROBE)
OPTIONAL = {"tools", "reason", "artifact", "log_sha256"}


def mandatory(message):
    return {key: value for key, value in vars(message).items() if key not in OPTIONAL}


def test_the_smallest_message_of_a_full_batch_has_455_bytes():
    assert protocol.message_limit_bytes(12) == 455


@given(MESSAGES)
def test_a_message_with_room_comes_back_as_it_was(message):
    line = encode(message, 1_000_000)
    if len(line) <= protocol.CONTAINER_MESSAGE_BYTES:
        assert decode(line.decode("ascii")) == message


@given(MESSAGES, LIMITS)
def test_any_limit_a_pod_can_have_keeps_every_mandatory_field(message, limit_bytes):
    line = encode(message, limit_bytes)
    assert len(line) <= limit_bytes
    back = decode(line.decode("ascii"))
    assert back is not None
    assert type(back) is type(message)
    assert mandatory(back) == mandatory(message)


@given(TELEMETRY, LIMITS)
def test_what_gives_way_is_a_part_of_what_was_there(message, limit_bytes):
    back = decode(encode(message, limit_bytes).decode("ascii"))
    assert message.reason.startswith(back.reason)
    assert back.tools.items() <= message.tools.items()
    if back.tools and len(back.tools) < len(message.tools):
        dropped = message.tools.keys() - back.tools.keys()
        assert max(message.tools[name] for name in dropped) <= min(back.tools.values())


@given(MESSAGES, LIMITS, st.data())
def test_a_cut_message_is_missing(message, limit_bytes, data):
    line = encode(message, limit_bytes).decode("ascii")
    assert decode(line[: data.draw(st.integers(0, len(line) - 1))]) is None
    assert decode(line[data.draw(st.integers(1, len(line))) :]) is None


@given(MESSAGES, LIMITS, st.data())
def test_a_message_with_a_flipped_bit_is_missing(message, limit_bytes, data):
    line = bytearray(encode(message, limit_bytes))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert decode(line.decode("latin-1")) is None


@given(st.text(max_size=300))
def test_any_other_text_is_missing(text):
    assert decode(text) is None


def test_a_huge_tool_table_is_cut_to_its_most_used_tools():
    tools = {f"mcp__server__tool_{n}": n for n in range(20_000)}
    message = Telemetry(outcome="completed", tools=tools, reason="why \u00e9\U0001f600")
    back = decode(encode(message, 455).decode("ascii"))
    assert back.reason == message.reason
    assert "mcp__server__tool_19999" in back.tools


def test_numbers_out_of_range_are_cut_and_nonsense_money_is_zero():
    message = Telemetry(
        outcome="completed", seconds=float("inf"), turns=-3, input_tokens=10**30, cost_usd="1e5"
    )
    back = decode(encode(message, 455).decode("ascii"))
    assert (back.seconds, back.turns, back.cost_usd) == (10.0**8, 0, "0")
    assert back.input_tokens == 10**12 - 1
    nothing = decode(encode(Telemetry(outcome="completed", seconds=float("nan")), 455).decode())
    assert nothing.seconds == 0.0


def test_lone_surrogates_do_not_reach_the_message():
    back = decode(encode(Telemetry(outcome="completed", reason="a\udcffb"), 455).decode("ascii"))
    assert back.reason == "a?b"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "splendid"),
        ("turns", True),
        ("turns", -1),
        ("turns", 1.5),
        ("seconds", -0.5),
        ("seconds", "3"),
        ("usd", "1e9"),
        ("usd", "-1"),
        ("net", "closed"),
        ("tools", {"Bash": "many"}),
        ("tools", []),
        ("v", 2),
        ("kind", "telegram"),
        ("kind", []),
    ],
)
def test_a_forged_message_with_an_impossible_field_is_missing(field, value):
    import json
    import zlib

    line = encode(Telemetry(outcome="completed", tools={"Bash": 1}), 4096).decode("ascii")
    wire = json.loads(line)
    del wire["crc"]
    assert wire[field] != value
    wire[field] = value
    head = json.dumps(wire, separators=(",", ":"))[:-1]
    forged = f'{head},"crc":"{zlib.crc32(head.encode()):08x}"}}'
    assert decode(forged) is None


def test_more_passed_than_there_are_tests_is_missing():
    line = encode(Verdict(outcome="resolved", fail_to_pass=(3, 2)), 4096).decode("ascii")
    assert decode(line) is None


def test_a_limit_below_the_mandatory_fields_is_an_error():
    with pytest.raises(protocol.MessageTooLargeError):
        encode(Telemetry(outcome="completed"), 50)
