"""Hypothesis looks where atheris does: the corpus with edits, and documents that are JSON but odd."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.table import Target

_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [[], {}, "", -1, 10**400, 1e308, "\ud800", "../x", "\0", "1e5", [[]], {"a": {}}]
    ),
)


def inputs_of(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs for a target: its corpus, damaged as bytes or as JSON, and bytes at large."""
    corpus = [path.read_bytes() for path in target.corpus()]
    seeds = st.sampled_from(corpus)
    return st.one_of(seeds.flatmap(_damaged), seeds.flatmap(_changed), st.binary(max_size=64))


@st.composite
def _damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """Some bytes cut out, put in or doubled."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 8)))
        put = draw(st.one_of(st.binary(max_size=4), st.just(bytes(data[begin:end]) * 2)))
        data[begin:end] = put
    return bytes(data)


@st.composite
def _changed(draw: st.DrawFn, seed: bytes) -> bytes:
    """One value of the first JSON line replaced by an odd one; the seed itself if it holds none."""
    head, body = (seed[:1], seed[1:]) if seed[:1] < b" " else (b"", seed)
    line, separator, rest = body.partition(b"\n")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return seed
    places = list(_places(value))
    if not places:
        return seed
    parent, key = draw(st.sampled_from(places))
    parent[key] = draw(_ODD)
    return head + json.dumps(value).encode() + separator + rest


def _places(value: Any) -> Any:
    """Every (container, key) in a JSON value."""
    if isinstance(value, dict | list):
        for key, below in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(below)
