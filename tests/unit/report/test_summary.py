from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.builders import charge, release, summary, verdict

from benchwarden.report.summary import FAIL, INFRA, MISSING, PASS
from benchwarden.results.row import Row
from benchwarden_runner.protocol import FAIL_CLASSES


def test_only_resolved_counts_as_pass() -> None:
    rows = [verdict(name, name) for name in sorted(FAIL_CLASSES)]
    found = summary(*rows, verdict("good"))
    assert found.groups == {PASS: 1, FAIL: len(FAIL_CLASSES), INFRA: 0, MISSING: 0}


def test_the_first_verdict_of_a_trial_counts_and_the_second_is_a_conflict() -> None:
    found = summary(verdict("a", "unresolved"), verdict("a", "resolved", launch=2))
    assert found.groups[FAIL] == 1
    assert found.conflicts == 1


def test_a_trial_with_charges_only_is_infra_and_touches_coverage_but_not_the_rate() -> None:
    found = summary(verdict("a"), charge("b"))
    assert found.groups[INFRA] == 1
    assert found.pass_ratio == 1.0
    assert found.coverage_ratio == 0.5


def test_a_released_trial_is_missing() -> None:
    found = summary(release("a"), planned=("a", "b"))
    assert found.groups[MISSING] == 2
    assert found.pass_ratio is None
    assert (found.interval.lower, found.interval.upper) == (0.0, 1.0)


def test_an_empty_plan_has_no_coverage() -> None:
    assert summary().coverage_ratio == 0.0


def test_money_and_tokens_count_every_launch() -> None:
    found = summary(
        charge("a", cost_usd="0.10", input_tokens=5, agent_seconds=2.0),
        verdict("a", launch=2, cost_usd="0.2", input_tokens=7, agent_seconds=3.0),
    )
    assert found.cost_usd == Decimal("0.30")
    assert found.tokens.input == 12
    assert found.agent_seconds == 5.0
    assert found.results[0].retries == found.retries == 1
    assert found.results[0].seconds == 3.0


def test_a_release_is_no_retry() -> None:
    assert summary(release("a"), verdict("a", launch=2)).retries == 0


def test_rows_of_trials_that_were_not_planned_are_left_out() -> None:
    found = summary(verdict("a", cost_usd="1"), verdict("stray", cost_usd="9"), planned=("a",))
    assert found.planned == 1
    assert found.cost_usd == Decimal(1)


_rows = st.builds(
    lambda name, make, launch: make(name, launch=launch),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from([verdict, charge, release]),
    st.integers(1, 4),
)


@given(st.lists(_rows, max_size=20))
def test_every_planned_trial_is_in_exactly_one_group(rows: list[Row]) -> None:
    found = summary(*rows, planned=("a", "b", "c"))
    assert sum(found.groups.values()) == found.planned == 3
    assert found.valid == found.groups[PASS] + found.groups[FAIL]
    assert found.interval.lower <= (found.pass_ratio or 0.0) <= found.interval.upper


@given(st.lists(_rows, max_size=12))
def test_repeating_all_rows_changes_nothing(rows: list[Row]) -> None:
    once, twice = summary(*rows, planned=("a", "b")), summary(*rows, *rows, planned=("a", "b"))
    assert (once.groups, once.cost_usd, once.retries) == (
        twice.groups,
        twice.cost_usd,
        twice.retries,
    )
