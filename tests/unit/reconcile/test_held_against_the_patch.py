"""What an agent can be the cause of: tried again once, then a failure, and never a missing result."""

import pytest
from tests.builders import Bench, ended, finished_pod, judged, pair, panel_of, pod, told, waiting

from benchwarden import names
from benchwarden.reconcile.decision import DeleteBatch, StoreRows
from benchwarden_runner import protocol


@pytest.mark.parametrize(("code", "expected"), [(137, "agent_error"), (127, "harness")])
def test_an_agent_whose_supervisor_is_killed_again_has_failed_and_one_that_cannot_start_is_missing(
    code, expected
):
    bench = Bench(panel_of(1), execution={"infraRetriesPerTrial": 1}).planned()
    for _ in range(2):
        (launch,) = bench.after(minutes=10).launch()
        dead = ended("agent-0", "", reason="Error", exit_code=code)
        bench.show(launch, pod(dead, waiting("grade-0"), phase="Failed"))
        bench.step()
        del bench.batches[launch.name]
    bench.step()
    assert bench.status["outcomes"] == {expected: 1}


LATE = judged("grader_error", reason=protocol.REASON_GRADE_TIMEOUT, patch_bytes=9)
EXEC = {"exec": {"command": ["agent"]}}


def run_out_of_time(bench: Bench, times: int = 2) -> None:
    """Every launched batch, of one instance, has tests that do not end."""
    for _ in range(times):
        for launch in bench.after(minutes=1).launch():
            bench.show(launch, pod(*pair(0, told("completed"), LATE), phase="Succeeded"))
        bench.step()
        bench.batches.clear()
        bench.after(minutes=1)
    bench.step()


@pytest.mark.parametrize(
    ("agent", "expected"), [(EXEC, {"unresolved": 1}), ({"oracle": {}}, {"grader_error": 1})]
)
def test_tests_that_never_end_fail_an_agents_patch_and_are_missing_under_the_reference_solution(
    agent, expected
):
    bench = Bench(panel_of(1), agent=agent, execution={"infraRetriesPerTrial": 0}).planned()
    run_out_of_time(bench)
    assert bench.status["outcomes"] == expected
    judged_at_all = "unresolved" in expected
    assert bench.condition("Succeeded")["status"] == ("True" if judged_at_all else "False")


def test_graders_of_three_instances_that_are_late_together_are_infrastructure():
    """A slow node or a parser broken for the whole suite must not look like a model that got worse."""
    execution = {"infraRetriesPerTrial": 1, "batchSize": 1, "parallelism": 3}
    bench = Bench(panel_of(3), agent=EXEC, execution=execution).planned()
    run_out_of_time(bench)
    assert bench.status["outcomes"] == {"grader_error": 3}
    assert bench.status["counts"]["missing"] == 3


def test_a_verdict_without_a_pod_behind_it_is_stored_before_it_is_told():
    """A successor, perhaps with another clock, could not say it again at once, and counts would fall."""
    execution = {"infraRetriesPerTrial": 0, "batchSize": 1, "parallelism": 2}
    bench = Bench(panel_of(2), agent=EXEC, execution=execution).planned()
    first, second = bench.launch()
    for _ in range(2):
        bench.show(first, pod(*pair(0, told("completed"), LATE), phase="Succeeded"))
        bench.step()
        del bench.batches[first.name]
        again = bench.after(minutes=1).launch()
        first = again[0] if again else first
    bench.after(minutes=11)  # nobody else will say so any more
    bench.cycle.stored(bench.cycle.unstored, bench.now)  # so no other reason to store is there
    decision = bench.step()
    (stored,) = [each.rows for each in decision.actions if isinstance(each, StoreRows)]
    assert [(row.kind, row.outcome) for row in stored] == [("verdict", "unresolved")]
    assert second.name in bench.batches


MISSING = told("harness", reason=f"{protocol.REASON_COMMAND_MISSING}: ended with 127")


@pytest.mark.parametrize("said", [told("auth"), told("unknown_model"), MISSING])
def test_what_one_agent_alone_says_of_its_key_model_or_command_fails_it_and_ends_nothing(said):
    execution = {"infraRetriesPerTrial": 1, "batchSize": 1, "parallelism": 3}
    bench = Bench(panel_of(3), agent=EXEC, execution=execution).planned()
    liar, *others = bench.launch()
    for launch in others:
        bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    for _ in range(2):
        bench.show(liar, pod(*pair(0, said, judged("empty_patch")), phase="Succeeded"))
        bench.step()
        del bench.batches[liar.name]
        again = bench.after(minutes=1).launch()
        liar = again[0] if again else liar
    bench.step()
    assert bench.status["outcomes"] == {"agent_error": 1, "resolved": 2}
    assert bench.condition("Succeeded")["status"] == "True"


def test_a_command_that_three_agents_do_not_find_is_infrastructure():
    execution = {"infraRetriesPerTrial": 0, "batchSize": 1, "parallelism": 3}
    bench = Bench(panel_of(3), agent=EXEC, execution=execution).planned()
    for launch in bench.launch():
        bench.show(launch, pod(*pair(0, MISSING, judged("empty_patch")), phase="Succeeded"))
    bench.step()
    bench.step()
    assert bench.status["outcomes"] == {"harness": 3}


BAD_KEY = pair(0, told("auth", reason="401"), "")


def test_a_bad_key_of_two_instances_ends_the_run_at_once_and_deletes_what_is_alive():
    bench = Bench(panel_of(3), execution={"batchSize": 1}).planned()
    first, second, third = bench.launch()
    bench.show(first, pod(*BAD_KEY, phase="Running"))
    deleted = {a.name for a in bench.step().actions if isinstance(a, DeleteBatch)}
    assert deleted <= {first.name}
    bench.show(second, pod(*BAD_KEY, phase="Running"))
    decision = bench.step()
    deleted = {a.name for a in decision.actions if isinstance(a, DeleteBatch)}
    assert deleted == {first.name, second.name, third.name}
    assert bench.condition("Succeeded")["reason"] == names.REASON_AUTHENTICATION_FAILED


def test_a_bad_key_ends_a_run_of_one_instance_which_has_nobody_else_to_ask():
    bench = Bench(panel_of(1)).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod(*BAD_KEY, phase="Running"))
    bench.step()
    assert bench.condition("Succeeded")["reason"] == names.REASON_AUTHENTICATION_FAILED
