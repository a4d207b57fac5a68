"""The outcome table, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden.results.outcome import CHARGE, FATAL, VERDICT, History, combine, is_ungraded
from benchwarden_runner import protocol
from benchwarden_runner.protocol import Telemetry, Verdict

FRESH = History()
RESOLVED = Verdict(protocol.RESOLVED)


@pytest.mark.parametrize(
    "end", sorted(protocol.FAIL_CLASSES - {protocol.EMPTY_PATCH, protocol.UNRESOLVED})
)
def test_an_agent_that_failed_has_failed_whatever_the_tests_say(end):
    found = combine(Telemetry(end), RESOLVED, FRESH)
    assert (found.effect, found.outcome) == (VERDICT, end)


@pytest.mark.parametrize("end", sorted(protocol.LIMIT_CLASSES))
def test_a_limit_is_retried_once_then_a_failure(end):
    assert combine(Telemetry(end), RESOLVED, FRESH).effect == CHARGE
    assert combine(Telemetry(end), RESOLVED, History(limit_charges=1)).effect == VERDICT
    assert combine(Telemetry("completed"), Verdict(end), FRESH).effect == CHARGE
    assert combine(Telemetry("completed"), Verdict(end), History(limit_charges=1)).effect == VERDICT


@pytest.mark.parametrize("end", sorted(protocol.API_CLASSES | {protocol.HARNESS}))
def test_infrastructure_is_charged_never_judged(end):
    assert combine(Telemetry(end), RESOLVED, FRESH).effect == CHARGE


@pytest.mark.parametrize("end", sorted(protocol.FATAL_CLASSES))
def test_what_no_retry_can_mend_ends_the_run(end):
    assert combine(Telemetry(end), RESOLVED, FRESH).effect == FATAL


def test_lost_telemetry_leaves_the_graders_word():
    assert combine(None, RESOLVED, FRESH).outcome == protocol.RESOLVED


def test_a_silent_grader_counts_against_the_patch_the_second_time():
    assert combine(Telemetry("completed"), None, FRESH).effect == CHARGE
    second = combine(Telemetry("completed"), None, History(ungraded_charges=1))
    assert (second.effect, second.outcome) == (VERDICT, protocol.UNRESOLVED)


UNGRADED = [
    protocol.REASON_GRADE_TIMEOUT,
    f"{protocol.REASON_SPOILED}: the parser script failed",
    protocol.REASON_TAMPERED,
]


@pytest.mark.parametrize("reason", UNGRADED)
def test_a_grader_that_a_patch_may_have_stopped_is_marked_as_such(reason):
    """Else a loop without end, or a line that no parser reads, would turn a failure into a missing result."""
    stopped = Verdict(protocol.GRADER_ERROR, reason=reason, patch_bytes=9)
    assert combine(Telemetry("completed"), stopped, History(ungraded_charges=5)).effect == CHARGE
    assert is_ungraded(stopped.outcome, stopped.reason, stopped.patch_bytes)


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(protocol.GRADER_ERROR, reason="git rev-parse exited with 1", patch_bytes=9),
        Verdict(protocol.GRADER_ERROR, reason="the pod was told to stop", patch_bytes=9),
        Verdict(protocol.GRADER_ERROR, reason=protocol.REASON_GRADE_TIMEOUT),  # nothing was changed
    ],
)
def test_a_grader_in_trouble_without_the_patchs_doing_stays_infrastructure(verdict):
    found = combine(Telemetry("completed"), verdict, History(ungraded_charges=5))
    assert (found.effect, found.outcome) == (CHARGE, protocol.GRADER_ERROR)
    assert not is_ungraded(verdict.outcome, verdict.reason, verdict.patch_bytes)


def test_an_agent_whose_tree_cannot_be_read_again_has_failed():
    """It may have removed git, or what the patch is taken with: no reason to be left out of the rate."""
    lost = Telemetry(protocol.HARNESS, reason=f"{protocol.REASON_NOT_CAPTURED}: no git")
    assert combine(lost, RESOLVED, FRESH).effect == CHARGE
    again = combine(lost, RESOLVED, History(uncaptured_charges=1))
    assert (again.effect, again.outcome) == (VERDICT, protocol.AGENT_ERROR)


classes = st.sampled_from(sorted(protocol.ALL_CLASSES | {protocol.COMPLETED, "invented"}))


@given(classes, classes, st.integers(0, 2), st.integers(0, 2))
def test_only_a_grader_that_resolved_makes_a_pass(agent, grader, limits, silent):
    found = combine(Telemetry(agent), Verdict(grader), History(limits, silent))
    if found.outcome == protocol.RESOLVED and found.effect == VERDICT:
        assert grader == protocol.RESOLVED
