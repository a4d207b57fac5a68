"""Packed signals read back within a percent, and never harm a history."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.unit.report.builders import verdict

from benchwarden.results.signals import SIGNALS, STEPS_PER_E, logarithms, measured, packed
from benchwarden.stats.secondary import paired_log_ratio

SMALLEST = {"cost": 0.0001, "turns": 1.0, "seconds": 0.1, "tokens": 1.0}


@given(st.lists(st.floats(1.0, 1e9), min_size=1, max_size=5), st.sampled_from(SIGNALS))
def test_what_is_packed_reads_back_within_half_a_step(values: list[float], name: str) -> None:
    instances = [f"i{n}" for n in range(len(values))]
    amounts = {i: value * SMALLEST[name] for i, value in zip(instances, values, strict=True)}
    text = packed({name: amounts}, instances)
    assert len(text) == 2 * len(SIGNALS) * len(values)
    found = logarithms(text, len(values))
    for value, log in zip(values, found[name], strict=True):
        assert log == pytest.approx(math.log(value), abs=0.5 / STEPS_PER_E + 1e-9)
    assert all(log is None for other in SIGNALS if other != name for log in found[other])


@given(st.text(max_size=20), st.integers(0, 3))
def test_text_that_does_not_fit_tells_nothing(text: str, count: int) -> None:
    found = logarithms(text, count)
    assert set(found) <= set(SIGNALS)
    assert all(len(values) == count for values in found.values())


def test_a_signal_is_the_mean_of_the_trials_that_were_judged() -> None:
    rows = [
        verdict("a", turns=10, cost_usd="0.5", agent_seconds=90.0, throttle_seconds=30.0),
        verdict("a", "unresolved", trial=1, turns=30, cost_usd="1.5", agent_seconds=60.0),
        verdict("b", turns=4),
    ]
    found = measured(rows)
    assert found["turns"] == {"a": 20.0, "b": 4.0}
    assert found["cost"] == {"a": 1.0}
    assert found["seconds"] == {"a": 60.0}
    assert found["tokens"] == {}


def test_nothing_measured_takes_no_room() -> None:
    assert packed(measured([verdict("a")]), ["a"]) == ""
    assert logarithms("", 1) == {}


def test_the_change_of_a_signal_is_a_paired_t_test_on_logarithms() -> None:
    base = {f"i{n}": [math.log(10.0 + n) + 0.02 * d for d in range(6)] for n in range(8)}
    new = {f"i{n}": [math.log(12.0 + 1.1 * n + (n % 3))] for n in range(8)}
    new["elsewhere"] = [1.0]
    found = paired_log_ratio("turns", base, new)
    assert found is not None
    means = [sum(base[i]) / 6 for i in base]
    second = stats.ttest_rel([new[i][0] for i in base], means)
    assert found.p_value == pytest.approx(float(second.pvalue), rel=1e-9)
    interval = second.confidence_interval()
    assert math.log(found.interval.lower) == pytest.approx(float(interval.low), rel=1e-9)
    assert math.log(found.interval.upper) == pytest.approx(float(interval.high), rel=1e-9)
    assert found.instances == 8


def test_too_little_to_compare_is_no_signal() -> None:
    assert paired_log_ratio("turns", {"a": [1.0] * 9}, {"a": [2.0]}) is None
    short = {"a": [1.0] * 4, "b": [1.0] * 4}
    assert paired_log_ratio("turns", short, {"a": [2.0], "b": [2.5]}) is None
    same = {"a": [1.0] * 5, "b": [1.0] * 5}
    assert paired_log_ratio("turns", same, {"a": [2.0], "b": [2.0]}) is None
