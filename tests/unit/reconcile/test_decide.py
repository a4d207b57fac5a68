"""A run from acceptance to its end, one pass at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import (
    CLAUDE,
    NOW,
    Bench,
    ended,
    finished_pod,
    judged,
    kinds,
    pair,
    panel_of,
    pod,
    running,
    told,
    waiting,
)

from benchwarden import names
from benchwarden.reconcile.decision import (
    Compact,
    DeleteBatch,
    DeleteRun,
    EmitEvent,
    EnsureInputs,
    LaunchProbe,
    StorePlan,
    StoreRows,
)
from benchwarden.reconcile.observed import ObservedBatch
from benchwarden.reconcile.world import Refusal
from benchwarden_runner import protocol


def test_a_run_is_accepted_planned_and_launched_up_to_its_parallelism():
    bench = Bench(panel_of(12), execution={"batchSize": 5, "parallelism": 2})
    assert kinds(bench.step()) == [StorePlan]
    bench.planned()
    launches = bench.launch()
    assert [len(each.batch.members) for each in launches] == [5, 5]
    assert bench.condition("Accepted")["status"] == "True"
    assert bench.condition("Planned")["status"] == "True"
    assert bench.condition("Succeeded")["status"] == "Unknown"
    assert bench.launch() == []


def test_a_refused_suite_ends_the_run_with_its_reason_and_one_event():
    bench = Bench(Refusal("SuiteInvalid", "line 3: id is missing"))
    decision = bench.step()
    assert decision.actions == (EmitEvent("SuiteInvalid", "line 3: id is missing", warning=True),)
    assert bench.condition("Accepted")["message"] == "line 3: id is missing"
    assert bench.condition("Succeeded")["status"] == "False"
    assert bench.step().actions == ()


def test_all_members_resolved_end_the_run_and_the_jobs_go_after_the_rows_are_stored():
    bench = Bench(panel_of(2)).planned()
    (launch,) = bench.launch()
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    decision = bench.step()
    order = kinds(decision)
    assert order.index(StoreRows) < order.index(DeleteBatch)
    assert Compact in order
    assert bench.condition("Succeeded")["reason"] == names.REASON_COMPLETED
    assert bench.status["passRate"] == "1.0000"
    assert bench.status["progress"] == "2/2"
    assert bench.status["passRateInterval"]["lower"] == "0.3424"


def test_verdicts_are_taken_as_each_grader_ends():
    bench = Bench(panel_of(3)).planned()
    (launch,) = bench.launch()
    early = pod(
        ended("inject"), *pair(0, told("completed"), judged("resolved")), running("agent-1")
    )
    bench.show(launch, early)
    bench.step()
    assert bench.status["counts"]["resolved"] == 1
    assert bench.status["counts"]["running"] == 2


def test_a_pass_repeated_decides_nothing_new():
    bench = Bench(panel_of(2)).planned()
    (launch,) = bench.launch()
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    first = bench.step()
    stored = next(a for a in first.actions if isinstance(a, StoreRows))
    bench.cycle.stored(stored.rows, bench.now)
    bench.batches.clear()
    assert bench.step().actions == ()


def test_after_a_restart_with_stored_rows_only_the_rest_is_launched():
    bench = Bench(panel_of(4), execution={"batchSize": 2}).planned()
    first, _second = bench.launch()
    bench.show(first, finished_pod(first.batch.members), finished="Complete")
    bench.after(seconds=31)
    rows = next(a for a in bench.step().actions if isinstance(a, StoreRows)).rows
    again = Bench(bench.panel, execution={"batchSize": 2})
    again.plan, again.status = bench.plan, bench.status
    again.cycle.load(rows, NOW)
    again.batches = {k: v for k, v in bench.batches.items() if k != first.name}
    assert kinds(again.step()) == [EnsureInputs]


def test_the_running_member_of_a_dead_pod_is_charged_and_the_rest_put_back():
    bench = Bench(panel_of(4)).planned()
    (launch,) = bench.launch()
    containers = (
        ended("inject"),
        *pair(0, told("completed"), judged("unresolved")),
        ended("agent-1", "", exit_code=137, reason="Error"),
        *(waiting(f"{kind}-{n}") for n in (2, 3) for kind in ("agent", "grade")),
    )
    bench.show(launch, pod(*containers, phase="Failed", reason="Evicted", message="memory"))
    bench.after(seconds=31).step()
    rows = {row.instance: row for row in bench.cycle.tally.rows}
    assert (rows["i0"].kind, rows["i0"].outcome) == ("verdict", "unresolved")
    assert (rows["i1"].kind, rows["i1"].outcome) == ("charge", "evicted")
    assert {rows["i2"].kind, rows["i3"].kind} == {"release"}
    del bench.batches[launch.name]
    relaunched = bench.after(seconds=60).launch()
    assert [[m.instance for m in each.batch.members] for each in relaunched] == [
        ["i2", "i3"],
        ["i1"],
    ]
    assert {m.launch for each in relaunched for m in each.batch.members} == {2}


def test_a_trial_is_missing_once_its_retries_are_used_and_coverage_says_so():
    bench = Bench(panel_of(1), execution={"infraRetriesPerTrial": 1}).planned()
    for _ in range(2):
        (launch,) = bench.after(minutes=10).launch()
        bench.show(
            launch, pod(running("agent-0"), phase="Failed", disruption="EvictionByEvictionAPI")
        )
        bench.step()
        del bench.batches[launch.name]
    bench.after(minutes=10).step()
    assert bench.status["counts"]["missing"] == 1
    assert bench.status["coverage"] == "0.0000"
    assert bench.status["outcomes"] == {"drained": 1}
    assert bench.condition("Succeeded")["reason"] == names.REASON_NO_VERDICTS


def test_retry_grants_a_finished_run_another_round():
    bench = Bench(panel_of(1), execution={"infraRetriesPerTrial": 0}).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod(running("agent-0"), phase="Failed", reason="NodeLost"))
    bench.step()
    del bench.batches[launch.name]
    assert bench.after(minutes=10).launch() == []
    assert bench.condition("Succeeded")["status"] == "False"
    assert len(bench.launch(retry=1)) == 1
    assert bench.condition("Succeeded")["status"] == "Unknown"


def test_an_oom_killed_agent_with_exit_code_zero_ends_the_batch_and_gets_one_solo_retry():
    bench = Bench(panel_of(2)).planned()
    (launch,) = bench.launch()
    stuck = pod(
        ended("inject"),
        ended("agent-0", "", reason="OOMKilled", exit_code=0),
        waiting("grade-0"),
        phase="Pending",
    )
    bench.show(launch, stuck)
    decision = bench.after(seconds=31).step()
    assert DeleteBatch(launch.name, f"uid-{launch.name}") in decision.actions
    del bench.batches[launch.name]
    second = bench.after(minutes=10).launch()
    assert [len(each.batch.members) for each in second] == [1, 1]
    alone = next(each for each in second if each.batch.members[0].instance == "i0")
    bench.show(alone, stuck)
    bench.step()
    row = bench.cycle.tally.state(alone.batch.members[0].key).verdict
    assert row is not None
    assert row.outcome == protocol.AGENT_OOM


def test_a_silent_grader_is_retried_once_then_held_against_the_patch():
    bench = Bench(panel_of(1), execution={"infraRetriesPerTrial": 0}).planned()
    for _ in range(2):
        (launch,) = bench.after(minutes=10).launch()
        bench.show(launch, pod(*pair(0, told("completed"), ""), phase="Failed"))
        bench.step()
        del bench.batches[launch.name]
    bench.step()
    assert bench.status["outcomes"] == {"unresolved": 1}
    assert bench.cycle.tally.rows[-1].reason == protocol.REASON_TAMPERED


@pytest.mark.parametrize(
    ("agent_class", "expected"),
    [
        (protocol.AGENT_TIMEOUT, protocol.AGENT_TIMEOUT),
        (protocol.AGENT_BUDGET, protocol.AGENT_BUDGET),
        (protocol.COMPLETED, protocol.RESOLVED),
    ],
)
def test_how_the_agent_ended_is_decided_before_the_tests_are_looked_at(agent_class, expected):
    bench = Bench(panel_of(1)).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod(*pair(0, told(agent_class), judged("resolved")), phase="Succeeded"))
    bench.step()
    assert bench.status["outcomes"] == {expected: 1}


def test_api_trouble_of_one_instance_alone_becomes_the_agents_error():
    bench = Bench(panel_of(2), execution={"batchSize": 1, "infraRetriesPerTrial": 0}).planned()
    first, second = bench.launch()
    bench.show(
        first, pod(*pair(0, told("api_overloaded"), judged("empty_patch")), phase="Succeeded")
    )
    bench.show(second, finished_pod(second.batch.members), finished="Complete")
    bench.step()
    bench.step()
    assert bench.status["outcomes"] == {"agent_error": 1, "resolved": 1}


def test_api_trouble_that_three_instances_saw_is_infrastructure():
    bench = Bench(panel_of(3), execution={"batchSize": 1, "infraRetriesPerTrial": 0}).planned()
    for launch in bench.launch():
        bench.show(
            launch, pod(*pair(0, told("api_overloaded"), judged("empty_patch")), phase="Succeeded")
        )
    bench.step()
    bench.step()
    assert bench.status["counts"]["missing"] == 3
    assert bench.status["outcomes"] == {"api_overloaded": 3}


def test_recent_api_refusals_lower_the_parallelism_and_it_recovers():
    bench = Bench(panel_of(40), execution={"batchSize": 1, "parallelism": 8}).planned()
    launches = bench.launch()
    assert len(launches) == 8
    bench.show(
        launches[0], pod(*pair(0, told("api_rate_limit"), judged("empty_patch")), phase="Succeeded")
    )
    for each in launches[1:]:
        bench.show(each, finished_pod(each.batch.members), finished="Complete")
    assert len(bench.launch()) == 4
    later = bench.after(minutes=6).launch()
    assert len(later) == 4


def test_suspend_launches_nothing_and_running_batches_go_on():
    bench = Bench(panel_of(4), execution={"batchSize": 1, "parallelism": 2}).planned()
    first, _ = bench.launch()
    bench.show(first, finished_pod(first.batch.members), finished="Complete")
    assert bench.launch(suspend=True) == []
    assert bench.condition("Progressing")["reason"] == names.REASON_SUSPENDED
    assert len(bench.launch(suspend=False)) == 1


def test_cancel_keeps_the_results_and_deletes_what_runs():
    bench = Bench(panel_of(4), execution={"batchSize": 2}).planned()
    first, second = bench.launch()
    bench.show(first, finished_pod(first.batch.members), finished="Complete")
    decision = bench.step(cancel=True)
    assert StoreRows in kinds(decision)
    assert DeleteBatch(second.name, f"uid-{second.name}") in decision.actions
    assert bench.condition("Succeeded")["reason"] == names.REASON_CANCELLED
    assert bench.status["counts"]["resolved"] == 2


def test_a_batch_is_launched_only_if_its_worst_cost_fits_the_budget():
    agent = {"claudeCode": {**CLAUDE["claudeCode"], "maxBudgetUsd": "2"}}
    bench = Bench(panel_of(5), agent=agent, budget={"maxUsd": "5"}, execution={"batchSize": 1})
    probe = bench.step().actions[0]
    assert isinstance(probe, LaunchProbe)
    report = protocol.ProbeReport(protocol.COMPLETED, cli_version="2.1.330")
    message = protocol.encode(report, 4096).decode()
    bench.batches[probe.name] = ObservedBatch(
        probe.name,
        names.ROLE_PROBE,
        "uid-probe",
        created_at=NOW,
        pod=pod(ended("probe", message), phase="Succeeded"),
    )
    bench.planned()
    assert dict(bench.plan.agent)["cliVersion"] == "2.1.330"
    first, second = bench.launch()
    del bench.batches[probe.name]
    for each in (first, second):
        bench.show(
            each,
            pod(*pair(0, told("completed", cost_usd="1.9"), judged("resolved")), phase="Succeeded"),
        )
    assert bench.launch() == []
    assert bench.condition("Succeeded")["reason"] == names.REASON_BUDGET_SPENT


def test_a_refused_pod_shows_as_pod_security_violation_with_the_fix():
    bench = Bench(panel_of(1)).planned()
    (launch,) = bench.launch()
    words = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot'
    bench.show(launch, None, create_failure=words)
    bench.step()
    condition = bench.condition("Progressing")
    assert (condition["status"], condition["reason"]) == ("False", names.REASON_POD_SECURITY)
    assert "Fix:" in condition["message"]


def test_a_missing_second_image_is_given_up_after_the_pending_timeout_and_keeps_the_first_verdict():
    bench = Bench(panel_of(2), execution={"pendingTimeoutSeconds": 60}).planned()
    (launch,) = bench.launch()
    stuck = pod(
        ended("inject"),
        *pair(0, told("completed"), judged("resolved")),
        waiting("agent-1", "ImagePullBackOff"),
        waiting("grade-1"),
        phase="Pending",
    )
    bench.show(launch, stuck)
    bench.after(seconds=59).step()
    assert bench.condition("Progressing")["reason"] == names.REASON_WAITING_FOR_PODS
    bench.after(seconds=2).step()
    outcomes = {row.instance: row.outcome for row in bench.cycle.tally.rows}
    assert outcomes == {"i0": "resolved", "i1": "image_pull"}


def test_a_job_suspended_after_its_start_is_captured_and_its_rest_planned_anew():
    bench = Bench(panel_of(2), execution={"queueName": "team"}).planned()
    (launch,) = bench.launch()
    half = pod(*pair(0, told("completed"), judged("resolved")), running("agent-1"), deleting=True)
    bench.show(launch, half, suspended=True)
    decision = bench.after(seconds=31).step()
    assert DeleteBatch in kinds(decision)
    rows = {row.instance: row.kind for row in bench.cycle.tally.rows}
    assert rows == {"i0": "verdict", "i1": "release"}


def test_queued_jobs_are_told_apart_from_running_ones():
    bench = Bench(panel_of(2), execution={"queueName": "team"}).planned()
    (launch,) = bench.launch()
    bench.show(launch, None, suspended=True)
    bench.step()
    assert bench.condition("Progressing")["reason"] == names.REASON_QUEUED


def test_a_job_deleted_before_anything_ran_is_launched_again():
    bench = Bench(panel_of(2)).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod(waiting("inject", "ContainerCreating"), phase="Pending"), gone=True)
    bench.step()
    (again,) = bench.launch() or bench.after(seconds=10).launch()
    assert [m.launch for m in again.batch.members] == [2, 2]


def test_the_run_is_deleted_when_its_time_to_live_is_over():
    bench = Bench(panel_of(1), ttlSecondsAfterFinished=60).planned()
    (launch,) = bench.launch()
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    assert DeleteRun not in kinds(bench.step())
    bench.batches.clear()
    assert DeleteRun in kinds(bench.after(seconds=61).step())


def test_a_changed_suite_after_planning_is_refused_not_mixed():
    bench = Bench(panel_of(2)).planned()
    bench.panel = replace(bench.panel, digest="e" * 64)
    bench.step()
    assert bench.condition("Accepted")["reason"] == names.REASON_PLAN_CHANGED


def test_transition_times_move_only_with_the_status():
    bench = Bench(panel_of(1)).planned()
    bench.launch()
    before = bench.condition("Accepted")["lastTransitionTime"]
    bench.after(minutes=5).step()
    assert bench.condition("Accepted")["lastTransitionTime"] == before
    assert timedelta(minutes=5) == bench.now - NOW
