"""What a user may do with a run: hold it, let go, cancel, retry, compare, queue, leave it to its time to live."""

import pytest
from tests.cluster.config import ClusterError
from tests.cluster_promises.scene import (
    NOWHERE,
    SOLVE,
    assert_nothing_left,
    assert_true_end,
    await_work,
    change,
    charges,
    events_of,
    instances_in,
    jobs_of,
    reason,
    run_of,
    scripted,
    scripted_run,
    selector,
    verdicts,
    wait_for,
    watched_operator,
)
from tests.installed import (
    await_true,
    condition,
    ended,
    suite_config_map,
    wait_for_end,
)

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

ALONE = {"batchSize": 1, "parallelism": 1}


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def test_a_suspended_run_starts_nothing_new_and_goes_on_when_it_may(kubectl, operator):
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", "sleep 4\n" + SOLVE) for n in range(2))))
    kubectl.apply(scripted_run("held", execution=ALONE), scripted_run("born-held", suspend=True))
    run = run_of(kubectl, "held")
    await_true(lambda: jobs_of(kubectl, run), 30, "no Job")
    change(kubectl, "held", suspend=True)
    held = wait_for(kubectl, "held", lambda run: run["status"]["counts"]["valid"] == 1)
    assert reason(held) == names.REASON_SUSPENDED
    await_true(lambda: not jobs_of(kubectl, run), 60, "the Job of the suspended run stays")
    born = run_of(kubectl, "born-held")
    assert reason(born) == names.REASON_SUSPENDED
    assert kubectl.get("jobs,pods,configmaps", "-l", selector(born))["items"] == []
    change(kubectl, "held", suspend=False)
    change(kubectl, "born-held", suspend=False)
    for name in ("held", "born-held"):
        run = wait_for_end(kubectl, name, 90)
        assert_true_end(kubectl, run, {"i0": "resolved", "i1": "resolved"})
        assert charges(kubectl, run) == []


def test_a_cancelled_run_stops_at_once_keeps_its_verdicts_and_says_so(kubectl, operator):
    kubectl.apply(
        suite_config_map(
            scripted("quick"), scripted("slow", "sleep 100\n" + SOLVE), scripted("never")
        )
    )
    once = {"batchSize": 1, "parallelism": 2, "infraRetriesPerTrial": 0}
    kubectl.apply(scripted_run("stopped", execution=once))
    wait_for(kubectl, "stopped", lambda run: run.get("status", {}).get("counts", {}).get("valid"))
    run = run_of(kubectl, "stopped")
    await_work(kubectl, run, "slow")
    change(kubectl, "stopped", cancel=True)
    run = wait_for_end(kubectl, "stopped", 20)
    assert condition(run, "Succeeded")["reason"] == names.REASON_CANCELLED
    assert_nothing_left(kubectl, run, 40)
    run = run_of(kubectl, "stopped")
    assert (reason(run), reason(run, "Succeeded")) == (names.REASON_CANCELLED,) * 2
    assert condition(run, "Succeeded")["status"] == "False"
    found = verdicts(kubectl, run)
    assert found[("quick", 0)] == "resolved"
    assert ("slow", 0) not in found
    assert charges(kubectl, run) == [], "what we stopped ourselves is no infrastructure failure"
    told = events_of(kubectl, run)
    assert "InfrastructureFailure" not in told
    assert names.REASON_CANCELLED in told
    with pytest.raises(ClusterError, match="cancel"):
        change(kubectl, "stopped", cancel=False)


def test_a_growing_retry_gives_missing_instances_another_chance(kubectl, operator):
    kubectl.apply(suite_config_map(scripted("good"), scripted("missing", **NOWHERE)))
    kubectl.apply(scripted_run("again", execution={"infraRetriesPerTrial": 0}))
    run = wait_for_end(kubectl, "again", 60)
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED_WITH_MISSING
    assert charges(kubectl, run) == [("missing", "harness")]
    finished = run["status"]["finishedAt"]
    change(kubectl, "again", retry=1)
    wait_for(kubectl, "again", lambda run: not ended(run))
    run = wait_for_end(kubectl, "again", 60)
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED_WITH_MISSING
    assert charges(kubectl, run) == [("missing", "harness")] * 2
    assert run["status"]["finishedAt"] > finished
    assert run["status"]["retriesHandled"] == 1
    assert_true_end(kubectl, run, {"good": "resolved"}, names.REASON_COMPLETED_WITH_MISSING)
    with pytest.raises(ClusterError, match="retry"):
        change(kubectl, "again", retry=0)


def test_an_end_stays_though_its_suite_changed_and_the_operator_starts_anew(kubectl, operator):
    kubectl.apply(suite_config_map(scripted("one")), suite_config_map(scripted("two"), name="gone"))
    kubectl.apply(scripted_run("changed"), scripted_run("lost", "gone"))
    for name in ("changed", "lost"):
        wait_for_end(kubectl, name, 90)
        run = run_of(kubectl, name)
        await_true(lambda run=run: not jobs_of(kubectl, run), 60, "its Job stays")
    before = [run_of(kubectl, name)["status"] for name in ("changed", "lost")]
    operator.kill()
    kubectl.apply(suite_config_map(scripted("another")))
    kubectl.run("delete", "configmap", "gone")
    operator.start()
    kubectl.apply(scripted_run("next"))
    run = wait_for_end(kubectl, "next", 90)
    assert_true_end(kubectl, run, {"another": "resolved"})
    assert [run_of(kubectl, name)["status"] for name in ("changed", "lost")] == before
    change(kubectl, "changed", retry=1)
    told = wait_for(kubectl, "changed", lambda run: run["status"]["retriesHandled"] == 1)
    assert reason(told, "Accepted") == names.REASON_PLAN_CHANGED
    assert reason(told, "Succeeded") == names.REASON_COMPLETED
    await_true(lambda: names.REASON_PLAN_CHANGED in events_of(kubectl, told), 30, "no event")


@pytest.mark.long
def test_a_run_is_compared_with_another_once_that_has_ended_and_goes_at_its_time(kubectl, operator):
    """The worse one ends first and waits for its base; it says by how much it is worse."""
    bad, good = ([scripted(f"i{n}", what) for n in range(6)] for what in ("true", SOLVE))
    kubectl.apply(suite_config_map(*bad, name="bad"), suite_config_map(*good, name="good"))
    kubectl.apply(scripted_run("base", "good", suspend=True, ttlSecondsAfterFinished=3600))
    worse = {"compareTo": {"run": "base"}, "execution": {"batchSize": 6}}
    kubectl.apply(scripted_run("worse", "bad", **worse))
    run = wait_for_end(kubectl, "worse", 60)
    assert condition(run, "Regressed")["reason"] == names.REASON_BASE_UNAVAILABLE
    change(kubectl, "base", suspend=False)
    wait_for_end(kubectl, "base", 60)
    run = wait_for(
        kubectl, "worse", lambda run: condition(run, "Regressed")["status"] == "True", 60
    )
    assert condition(run, "Regressed")["reason"] == names.REASON_WORSE
    figures = run["status"]["comparison"]
    assert (figures["base"], figures["pairs"], figures["lost"]) == ("base", 6, 6)
    assert (figures["baseRate"], figures["newRate"]) == ("1.0000", "0.0000")
    assert float(figures["pWorse"]) < 0.05
    assert figures["lostInstances"] == [f"i{n}" for n in range(6)]


def test_an_ended_run_goes_when_its_time_to_live_is_over(kubectl, operator):
    kubectl.apply(suite_config_map(scripted("i0")))
    kubectl.apply(scripted_run("short", ttlSecondsAfterFinished=4))
    run = wait_for_end(kubectl, "short", 60)
    await_true(lambda: not kubectl.get(names.RUN_PLURAL)["items"], 12, "the run outlives its time")
    await_true(
        lambda: (
            not kubectl.get("jobs,pods,configmaps,networkpolicies", "-l", selector(run))["items"]
        ),
        60,
        "something outlives the run",
    )


@pytest.mark.long
def test_a_queue_admits_jobs_and_a_job_it_stops_is_planned_anew(kubectl, operator):
    """Jobs are made suspended; whoever owns the queue resumes them, and may take a place back."""

    def resume(name: str) -> None:
        kubectl.run("patch", "job", name, "-p", '{"spec":{"suspend":false}}')

    kubectl.apply(
        suite_config_map(scripted("a"), scripted("b", "sleep 6\n" + SOLVE), scripted("c"))
    )
    execution = {"batchSize": 3, "queueName": "fair"}
    kubectl.apply(scripted_run("queued", execution=execution))
    run = wait_for(kubectl, "queued", lambda run: reason(run) == names.REASON_QUEUED)
    (first,) = jobs_of(kubectl, run)
    assert first["spec"]["suspend"] is True
    assert first["metadata"]["labels"][names.LABEL_QUEUE] == "fair"
    resume(first["metadata"]["name"])
    await_work(kubectl, run, "b")
    stop = '{"spec":{"suspend":true}}'
    kubectl.run("patch", "job", first["metadata"]["name"], "-p", stop)

    def replanned() -> bool:
        found = jobs_of(kubectl, run)
        return [instances_in(each) for each in found] == [["b", "c"]]

    await_true(replanned, 60, "what was stopped is not planned anew")
    (second,) = jobs_of(kubectl, run)
    assert second["spec"]["suspend"] is True
    resume(second["metadata"]["name"])
    run = wait_for_end(kubectl, "queued", 90)
    assert_true_end(kubectl, run, dict.fromkeys("abc", "resolved"))
    assert charges(kubectl, run) == []
