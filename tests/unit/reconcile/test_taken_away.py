"""What is taken away from a run: by the cluster, by its user, by a queue; each has its own consequence."""

from datetime import timedelta

import pytest
from tests.builders import (
    Bench,
    ended,
    finished_pod,
    judged,
    pair,
    panel_of,
    pod,
    run_view,
    running,
    told,
    waiting,
)

from benchwarden import names
from benchwarden.reconcile.conditions import find
from benchwarden.reconcile.decide import PODLESS_SECONDS
from benchwarden.reconcile.decision import (
    Compact,
    DeleteBatch,
    DeleteRun,
    EmitEvent,
    EnsureInputs,
    StoreRows,
)
from benchwarden.reconcile.observed import Observed
from benchwarden.reconcile.world import BaseResults
from benchwarden_runner import protocol


def charged(bench):
    return [
        (row.instance, row.outcome, row.reason)
        for row in bench.cycle.tally.rows
        if row.kind == "charge"
    ]


def in_flight():
    """A batch of two: the first has its verdict, the second's agent works."""
    bench = Bench(panel_of(2), execution={"infraRetriesPerTrial": 0}).planned()
    (launch,) = bench.launch()
    first = pair(0, told("completed"), judged("resolved"))
    bench.show(launch, pod(ended("inject"), *first, running("agent-1"), waiting("grade-1")))
    bench.step()
    return bench, launch


def test_the_agent_at_work_in_a_deleted_pod_is_drained_whatever_code_it_ended_with():
    bench, launch = in_flight()
    first = pair(0, told("completed"), judged("resolved"))
    for exit_code in (0, 143):
        cut = ended("agent-1", "", exit_code=exit_code)
        gone = pod(ended("inject"), *first, cut, waiting("grade-1"), phase="Failed", deleting=True)
        bench.show(launch, gone, finished="Failed")
        bench.step()
        assert charged(bench) == [("i1", protocol.DRAINED, "PodDeleted")]


def test_a_pod_that_failed_after_its_start_was_schedulable():
    bench, launch = in_flight()
    first = pair(0, told("completed"), judged("resolved"))
    bench.show(
        launch,
        pod(ended("inject"), *first, ended("agent-1", ""), waiting("grade-1"), phase="Failed"),
    )
    bench.step()
    assert charged(bench) == [("i1", protocol.HARNESS, "PodFailed")]


def test_a_cancelled_run_charges_nobody_and_stays_cancelled_when_its_jobs_are_gone():
    bench, launch = in_flight()
    bench.step(cancel=True)
    assert bench.condition("Succeeded")["reason"] == names.REASON_CANCELLED
    bench.show(launch, bench.batches[launch.name].pod, gone=True)
    decision = bench.step(cancel=True)
    assert charged(bench) == []
    assert bench.condition("Succeeded")["reason"] == names.REASON_CANCELLED
    assert bench.status["counts"]["resolved"] == 1
    kinds = [type(action) for action in decision.actions]
    assert kinds == [StoreRows, Compact], "nothing is told twice, and the results stay in one piece"


def test_a_pod_that_was_gone_before_it_was_read_is_counted_for_each_launch_without_a_verdict():
    bench, launch = in_flight()
    bench.show(
        launch, None, started=True, finished="Failed", finished_reason="BackoffLimitExceeded"
    )
    bench.step()
    assert bench.cycle.lost == 1, "the first had its verdict"
    assert charged(bench) == []
    bench.step()
    assert bench.cycle.lost == 1, "nothing is counted twice"
    (again,) = bench.launch()
    assert [member.instance for member in again.batch.members] == ["i1"]


def test_a_pod_that_does_not_go_although_its_time_is_over_counts_as_lost_with_its_node():
    bench, launch = in_flight()
    first = pair(0, told("completed"), judged("resolved"))
    going = pod(
        *(ended("inject"), *first, running("agent-1"), waiting("grade-1")),
        deleting=True,
        deletion_at=bench.now + timedelta(seconds=30),
    )
    bench.show(launch, going)
    bench.after(seconds=30 + 89).step()
    assert charged(bench) == []
    bench.after(seconds=2).step()
    assert charged(bench) == [("i1", protocol.NODE_LOST, "StuckDeleting")]


def test_no_verdict_is_lost_where_there_was_no_pod_or_we_took_it_away():
    for cancelled in (False, True):
        bench, launch = in_flight()
        if cancelled:
            bench.step(cancel=True)
        bench.show(launch, None, started=cancelled, finished="Failed")
        bench.step(cancel=cancelled)
        assert bench.cycle.lost == 0


def test_a_pod_that_was_seen_to_its_end_has_lost_nothing():
    bench, launch = in_flight()
    first = pair(0, told("completed"), judged("resolved"))
    cut = ended("agent-1", "", exit_code=143)
    gone = pod(ended("inject"), *first, cut, waiting("grade-1"), phase="Failed", deleting=True)
    bench.show(launch, gone, finished="Failed")
    bench.step()
    assert bench.cycle.lost == 0


def test_a_bad_key_charges_only_who_reported_it():
    bench = Bench(panel_of(3), execution={"batchSize": 1}).planned()
    *bad, other = bench.launch()
    for launch in bad:
        bench.show(launch, pod(ended("inject"), *pair(0, told("auth"), judged("empty_patch"))))
    bench.show(other, pod(ended("inject"), running("agent-0"), waiting("grade-0")))
    bench.step()
    bench.show(other, bench.batches[other.name].pod, gone=True)
    bench.step()
    assert [outcome for _, outcome, _ in charged(bench)] == [protocol.AUTH, protocol.AUTH]
    assert bench.condition("Succeeded")["reason"] == names.REASON_AUTHENTICATION_FAILED


def test_a_refused_job_is_told_and_given_no_inputs():
    bench = Bench(panel_of(1)).planned()
    (launch,) = bench.launch()
    bench.show(launch, None, uid="", create_failure="exceeded quota: jobs")
    decision = bench.step()
    assert not any(isinstance(action, EnsureInputs) for action in decision.actions)
    assert bench.condition("Progressing")["reason"] == names.REASON_QUOTA


def test_a_run_whose_pod_does_not_come_is_looked_at_within_seconds():
    bench = Bench(panel_of(1)).planned()
    assert bench.step().requeue_after_seconds == PODLESS_SECONDS
    (launch,) = bench.launch()
    assert bench.step().requeue_after_seconds == PODLESS_SECONDS
    bench.show(launch, pod(running("inject"), waiting("agent-0"), waiting("grade-0")))
    assert bench.step().requeue_after_seconds > PODLESS_SECONDS


def test_the_time_to_live_is_looked_at_when_it_is_over_not_at_some_beat():
    bench = Bench(panel_of(1), ttlSecondsAfterFinished=100, cancel=True)
    decision = bench.step()
    assert decision.requeue_after_seconds == 100
    bench.after(seconds=99.5)
    assert bench.step().requeue_after_seconds == 1.0
    bench.after(seconds=1)
    assert DeleteRun() in bench.step().actions


def compared(bench, base):
    view = run_view(bench.status, **bench.spec)
    decision = bench.cycle.step(
        view, bench.panel, bench.plan, Observed(tuple(bench.batches.values())), base, bench.now
    )
    bench.status = decision.status
    return decision


def test_a_comparison_waits_for_its_base_and_then_says_once_that_it_is_worse():
    bench = Bench(panel_of(8), compareTo={"run": "base"}, execution={"batchSize": 8}).planned()
    (launch,) = bench.launch()
    both = [each for n in range(8) for each in pair(n, told("completed"), judged("unresolved"))]
    bench.show(launch, pod(ended("inject"), *both, ended("finish"), phase="Succeeded"))
    waits = compared(bench, BaseResults(problem="run base has not ended yet", retry=True))
    assert waits.requeue_after_seconds is not None
    assert bench.condition("Regressed")["reason"] == names.REASON_BASE_UNAVAILABLE
    bench.cycle.stored(bench.cycle.unstored, bench.now)
    bench.batches.clear()
    base = BaseResults({each.id: (1, 1) for each in bench.panel.instances})
    told_now = compared(bench, base)
    (event,) = (each for each in told_now.actions if isinstance(each, EmitEvent))
    assert (event.reason, event.warning) == (names.REASON_WORSE, True)
    assert find(bench.status["conditions"], "Regressed")["status"] == "True"
    assert told_now.requeue_after_seconds is None
    assert compared(bench, base).actions == ()


@pytest.mark.parametrize("finished", ["", "Complete"])
def test_jobs_that_are_to_stay_stay_also_while_they_have_not_heard_of_their_pods_end(finished):
    bench = Bench(panel_of(2), cleanupPolicy="Never", execution={"batchSize": 2}).planned()
    (launch,) = bench.launch()
    bench.show(launch, finished_pod(launch.batch.members), finished=finished)
    for _ in range(3):
        decision = bench.step()
        assert not any(isinstance(each, DeleteBatch) for each in decision.actions)
    assert bench.status["counts"]["resolved"] == 2
