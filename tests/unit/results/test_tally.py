"""A tally counts each launch once, keeps the first verdict, and pays for every launch."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from benchwarden.planning.plan import TrialKey
from benchwarden.results.outcome import History
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally

WHEN = "2026-03-01T12:00:00Z"
VERDICT = Row("i1", 0, 1, "verdict", "resolved", "job", WHEN, cost_usd="1.5", input_tokens=10)


def test_a_repeated_row_counts_once():
    tally = Tally([VERDICT])
    assert not tally.add(VERDICT)
    assert (tally.verdicts, tally.passed, tally.cost_usd) == (1, 1, Decimal("1.5"))


def test_the_first_verdict_stands_and_the_second_is_counted_as_a_conflict():
    tally = Tally([VERDICT, replace(VERDICT, launch=2, outcome="unresolved")])
    assert tally.outcomes == {"resolved": 1}
    assert tally.conflicts == 1
    assert tally.state(TrialKey("i1", 0)).verdict == VERDICT


def test_retried_launches_are_paid_for_too():
    tally = Tally([replace(VERDICT, kind="charge", outcome="evicted"), replace(VERDICT, launch=2)])
    assert tally.cost_usd == 3
    assert tally.tokens.input == 20
    assert tally.charges == {"evicted": 1}


def test_history_tells_limits_and_silent_graders_apart():
    rows = [
        replace(VERDICT, kind="charge", outcome="agent_oom"),
        replace(
            VERDICT,
            launch=2,
            kind="charge",
            outcome="grader_error",
            reason="grader_tampered_or_crashed",
        ),
        replace(VERDICT, launch=3, kind="charge", outcome="evicted"),
    ]
    assert Tally(rows).state(TrialKey("i1", 0)).history() == History(1, 1, 0)


def test_history_counts_what_a_patch_or_an_agent_can_be_the_cause_of():
    charge = replace(VERDICT, kind="charge", outcome="grader_error", patch_bytes=9)
    rows = [
        replace(charge, reason="grade_timeout"),
        replace(charge, launch=2, reason="not_judged_with_patch: no parser"),
        replace(charge, launch=3, reason="grade_timeout", patch_bytes=0),
        replace(charge, launch=4, reason="git checkout exited with 1"),
        replace(charge, launch=5, outcome="harness", reason="patch_not_captured: no git"),
        replace(charge, launch=6, outcome="harness", reason="the image has no git"),
    ]
    assert Tally(rows).state(TrialKey("i1", 0)).history() == History(0, 2, 1)


@given(
    st.permutations(
        [replace(VERDICT, instance=f"i{n}", trial=t) for n in range(3) for t in range(2)]
    )
)
def test_cells_do_not_depend_on_the_order_of_rows(rows):
    assert Tally(rows).cells() == {f"i{n}": (2, 2) for n in range(3)}
