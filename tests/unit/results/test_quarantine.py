import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden.api.suite import Quarantined
from benchwarden.results.quarantine import Entry, Limits, quarantine, unproven
from benchwarden.results.row import Row

LIMITS = Limits(grade_seconds=100)
ALL, NONE = (2, 2, 1, 1), (0, 2, 1, 1)


def row(outcome="resolved", instance="a", kind="verdict", **fields) -> Row:
    tests = fields.pop("tests", ALL if outcome == "resolved" else NONE)
    at = "2026-03-01T12:00:00Z"
    return Row(instance, 0, 1, kind, outcome, "b", at, tests=tests, **fields)


def charge(outcome: str, reason: str = "", **fields) -> Row:
    return row(outcome, kind="charge", reason=reason, **fields)


def reasons(oracle, nop=()) -> str:
    found = quarantine(oracle, nop, LIMITS)
    return found[0].reason if found else ""


def test_a_sound_instance_is_not_on_the_list():
    assert quarantine([row(), row()], [row("empty_patch")], LIMITS) == ()


@pytest.mark.parametrize(
    ("oracle", "nop", "reason"),
    [
        ([row("unresolved", reason="t failed")], [], "gold fails: unresolved (t failed)"),
        ([row("patch_does_not_apply")], [], "gold fails: patch_does_not_apply"),
        (
            [charge("grader_error", "the parser script failed")],
            [],
            "gold fails: grader_error (the parser script failed)",
        ),
        (
            [row(), row("unresolved", reason="t"), row()],
            [],
            "gold flaky: 2 of 3 passed; unresolved (t)",
        ),
        (
            [charge("grader_error", "x"), row()],
            [],
            "gold flaky: 1 of 2 passed; grader_error (x)",
        ),
        (
            [row()],
            [row("empty_patch", tests=ALL)],
            "nop passes: the tests pass without a change",
        ),
        (
            [charge("image_pull", "manifest unknown")],
            [],
            "image missing: image_pull (manifest unknown)",
        ),
        (
            [charge("grader_error", "grade_timeout")],
            [],
            "too slow: the tests reached the time limit",
        ),
        (
            [row(grade_seconds=101)],
            [],
            "too slow: the tests took 101 s, allowed are 100 s",
        ),
        ([row()], [row("unresolved", grade_seconds=150)], "too slow: the tests took 150 s"),
    ],
)
def test_a_reason_is_named(oracle, nop, reason):
    assert reasons(oracle, nop).startswith(reason)


def test_all_reasons_are_told_together():
    told = reasons([row(grade_seconds=200), row("unresolved")], [row("empty_patch", tests=ALL)])
    assert [part.partition(":")[0] for part in told.split("; ")] == [
        "gold flaky",
        "unresolved",
        "nop passes",
        "too slow",
    ]


@pytest.mark.parametrize("outcome", ["node_lost", "evicted", "unschedulable", "harness"])
def test_what_the_cluster_failed_is_unproven_and_not_quarantined(outcome):
    rows = [charge(outcome), row(instance="b")]
    assert quarantine(rows, [], LIMITS) == ()
    assert unproven(rows, ["a", "b", "c"], []) == ("a", "c")
    assert unproven(rows, ["a", "b"], [Entry("a", "why")]) == ()


def test_an_image_that_came_at_a_later_try_is_not_missing():
    assert quarantine([charge("image_pull", "429"), row()], [], LIMITS) == ()


def test_put_back_launches_say_nothing():
    assert quarantine([row("", kind="release", tests=NONE), row()], [], LIMITS) == ()


@given(st.text(max_size=2000))
def test_whatever_a_test_prints_the_entry_fits_the_spec(text):
    (entry,) = quarantine([row("unresolved", reason=text)], [], LIMITS)
    assert Quarantined(id=entry.id, reason=entry.reason).reason == entry.reason
    assert entry.reason.isprintable()
