"""Rows survive packing whatever they hold, and damage is an error that names its place."""

import gzip
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden.errors import InvalidInputError
from benchwarden.results import shards
from benchwarden.results.base import parse_base
from benchwarden.results.row import Row

ROW = Row("i1", 0, 1, "verdict", "resolved", "job-1", "2026-03-01T12:00:00Z")

rows = st.builds(
    Row,
    instance=st.text(min_size=1, max_size=30),
    trial=st.integers(0, 99),
    launch=st.integers(1, 99),
    kind=st.sampled_from(("verdict", "charge", "release")),
    outcome=st.sampled_from(("resolved", "unresolved", "evicted", "")),
    batch=st.text(max_size=60),
    finished_at=st.just("2026-03-01T12:00:00Z"),
    reason=st.text(max_size=50),
    agent_seconds=st.floats(0, 1e6),
    input_tokens=st.integers(0, 10**12),
    cost_usd=st.sampled_from(("0", "1.2345")),
    tools=st.dictionaries(st.text(max_size=9), st.integers(0, 99), max_size=4).map(
        lambda found: tuple(sorted(found.items()))
    ),
    tests=st.tuples(*[st.integers(0, 9999)] * 4),
)


@given(st.lists(rows, max_size=30), st.integers(200, 4000))
def test_rows_come_back_as_they_were_in_shards_within_the_limit(given_rows, limit):
    packed = shards.pack(given_rows, limit)
    assert [row for shard in packed for row in shards.unpack(shard)] == given_rows
    assert all(len(shard) <= limit or len(shards.unpack(shard)) == 1 for shard in packed)


@given(st.lists(rows, max_size=30))
def test_rows_are_counted_without_reading_them(given_rows):
    assert sum(map(shards.count, shards.pack(given_rows, 2000))) == len(given_rows)


def test_many_rows_go_into_hardly_more_shards_than_they_must():
    many = [
        replace(ROW, instance=f"i{n}", patch_sha256=sha256(b"%d" % n).hexdigest())
        for n in range(3000)
    ]
    packed = shards.pack(many, 10_000)
    whole = sum(map(len, packed))
    assert len(packed) <= 1.25 * whole / 10_000 + 1


def test_the_same_rows_give_the_same_bytes():
    assert shards.pack([ROW]) == shards.pack([ROW])


def test_defaults_are_left_out_and_unknown_keys_ignored():
    assert set(shards.row_to_json(ROW)) == {
        "instance", "trial", "launch", "kind", "outcome", "batch", "finished_at"
    }  # fmt: skip
    newer = {**shards.row_to_json(ROW), "invented_later": 1}
    assert shards.row_from_json(newer) == ROW


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_clear_error(data):
    for read in (shards.unpack, shards.parse_lines, parse_base):
        try:
            read(data)
        except InvalidInputError:
            continue


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([*shards.row_to_json(ROW), "tests", "tools", "turns"]), json_values
    )
)
def test_any_object_is_a_row_or_a_clear_error(changes):
    try:
        row = shards.row_from_json({**shards.row_to_json(ROW), **changes})
    except InvalidInputError:
        return
    assert shards.row_from_json(shards.row_to_json(row)) == row


def test_a_bad_line_is_named():
    text = shards.lines([ROW]) + b'{"instance": 1}\n'
    with pytest.raises(InvalidInputError, match="line 2"):
        shards.parse_lines(text)


def test_a_cut_shard_is_refused():
    whole = shards.pack([replace(ROW, reason="x" * 100)])[0]
    with pytest.raises(InvalidInputError, match="shard"):
        shards.unpack(whole[:-4])


def test_a_base_is_read_in_each_of_its_three_forms():
    assert parse_base(b'{"a": true, "b": false}') == {"a": (1, 1), "b": (0, 1)}
    assert parse_base(shards.lines([ROW])) == {"i1": (1, 1)}
    assert parse_base(gzip.compress(shards.lines([ROW]))) == {"i1": (1, 1)}
    assert json.loads(shards.lines([ROW]))["instance"] == "i1"
