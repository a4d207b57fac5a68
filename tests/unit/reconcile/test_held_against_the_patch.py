"""What an agent can be the cause of: tried again once, then a failure, and never a missing result."""

import pytest
from tests.builders import Bench, ended, judged, pair, panel_of, pod, told, waiting

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


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ({"exec": {"command": ["agent"]}}, {"unresolved": 1}),
        ({"oracle": {}}, {"grader_error": 1}),
    ],
)
def test_tests_that_never_end_fail_an_agents_patch_and_are_missing_under_the_reference_solution(
    agent, expected
):
    bench = Bench(panel_of(1), agent=agent, execution={"infraRetriesPerTrial": 0}).planned()
    late = judged("grader_error", reason=protocol.REASON_GRADE_TIMEOUT, patch_bytes=9)
    for _ in range(2):
        (launch,) = bench.after(minutes=10).launch()
        bench.show(launch, pod(*pair(0, told("completed"), late), phase="Succeeded"))
        bench.step()
        del bench.batches[launch.name]
    bench.step()
    assert bench.status["outcomes"] == expected
    judged_at_all = "unresolved" in expected
    assert bench.condition("Succeeded")["status"] == ("True" if judged_at_all else "False")
