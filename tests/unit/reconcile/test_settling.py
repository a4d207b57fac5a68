"""What has ended stays what it was, whatever became of its suite since."""

from dataclasses import replace

import pytest
from tests.builders import Bench, finished_pod, kinds, panel_of, pod, running

from benchwarden import names
from benchwarden.reconcile.decision import EmitEvent, StorePlan, StoreRows
from benchwarden.reconcile.world import Refusal


def finished(**spec):
    bench = Bench(panel_of(2), **spec).planned()
    (launch,) = bench.launch()
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    bench.step()
    bench.batches.clear()
    bench.cycle.unstored.clear()  # by the action of that pass
    assert bench.step().settled
    return bench


UNREADABLE = Refusal(names.REASON_SUITE_UNAVAILABLE, "no such ConfigMap", retry=True)
INVALID = Refusal(names.REASON_SUITE_INVALID, "line 3 is no JSON")
CHANGED = replace(panel_of(3), digest="e" * 64)


@pytest.mark.parametrize("suite", [None, UNREADABLE, INVALID, CHANGED])
def test_an_end_stays_what_it_was_whatever_became_of_the_suite(suite):
    bench = finished()
    before, bench.panel = bench.status, suite
    decision = bench.after(days=3).step()
    assert (decision.actions, decision.status, decision.settled) == ((), None, True)
    assert bench.status == before


@pytest.mark.parametrize("suite", [UNREADABLE, INVALID, CHANGED])
def test_a_retry_after_the_end_that_the_suite_forbids_is_told_and_the_end_stays(suite):
    bench = finished()
    before, bench.panel = bench.status, suite
    decision = bench.after(days=3).step(retry=1)
    assert bench.condition("Accepted")["status"] == "False"
    assert bench.condition("Succeeded") | {"observedGeneration": 2} == {
        **next(each for each in before["conditions"] if each["type"] == "Succeeded"),
        "observedGeneration": 2,
    }
    told = {key: bench.status[key] for key in ("counts", "suite", "finishedAt", "passRate")}
    assert told == {key: before[key] for key in told}
    assert kinds(decision) == [EmitEvent]
    again = bench.after(minutes=1).step()
    assert again.actions == ()
    assert again.settled is (suite is not UNREADABLE)


def test_a_retry_that_waits_for_its_suite_goes_on_when_it_is_there():
    bench = Bench(panel_of(1), execution={"infraRetriesPerTrial": 0}).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod(running("agent-0"), phase="Failed", reason="NodeLost"))
    bench.step()
    bench.batches.clear()
    bench.cycle.unstored.clear()  # by the action of that pass
    bench.step()
    assert bench.step().settled
    suite, bench.panel = bench.panel, UNREADABLE
    bench.after(hours=1).step(retry=1)
    assert bench.status["retriesHandled"] == 0
    bench.panel = suite
    assert [len(each.batch.members) for each in bench.after(minutes=1).launch()] == [1]
    assert bench.condition("Accepted")["status"] == "True"


def test_a_run_whose_suite_cannot_be_read_for_a_while_keeps_its_counts():
    bench = Bench(panel_of(4), execution={"batchSize": 2}).planned()
    first, _ = bench.launch()
    bench.show(first, finished_pod(first.batch.members), finished="Complete")
    bench.step()
    before, bench.panel = bench.status, UNREADABLE
    bench.step()
    assert bench.condition("Accepted")["reason"] == names.REASON_SUITE_UNAVAILABLE
    assert (bench.status["counts"], bench.status["suite"]) == (before["counts"], before["suite"])


def test_what_pods_say_while_the_suite_cannot_be_read_is_stored():
    bench = Bench(panel_of(2)).planned()
    (launch,) = bench.launch()
    bench.panel = UNREADABLE
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    decision = bench.step()
    assert kinds(decision) == [StoreRows, EmitEvent]
    assert bench.status["counts"]["valid"] == 2


def test_a_refused_run_that_never_began_does_not_begin_by_itself_later():
    bench = Bench(panel_of(2))
    suite, bench.panel = bench.panel, INVALID
    bench.step()
    bench.panel = suite
    decision = bench.after(hours=1).step()
    assert (decision.actions, decision.settled) == ((), True)
    assert StorePlan in kinds(bench.step(suspend=False, retry=1))
