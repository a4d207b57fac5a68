"""What a run may have at one time, and that it goes when its time is over, however it ended."""

import pytest
from tests.builders import NOW, Bench, panel_of, waiting
from tests.builders import pod as pod_of

from benchwarden import names
from benchwarden.reconcile.decision import DeleteRun


@pytest.mark.parametrize("parallelism", [1, 3, 10])
def test_jobs_that_wait_in_a_queue_are_never_more_than_the_parallelism(parallelism):
    """A queue with ten thousand suspended Jobs admits slowly; so all but a few are not made yet."""
    execution = {"batchSize": 1, "parallelism": parallelism, "queueName": "benchmarks"}
    bench = Bench(panel_of(200), execution=execution).planned()
    for _ in range(20):
        for launch in bench.launch():
            bench.show(launch, None, suspended=True)
        assert len(bench.batches) == parallelism
        bench.after(seconds=60)
    assert bench.condition("Progressing")["reason"] == names.REASON_QUEUED


def deleted(bench: Bench) -> bool:
    return any(isinstance(action, DeleteRun) for action in bench.step().actions)


@pytest.mark.parametrize("end", ["no verdict", "cancelled"])
def test_a_run_that_did_not_succeed_goes_at_its_time_as_well(end):
    execution = {"infraRetriesPerTrial": 0, "pendingTimeoutSeconds": 60}
    bench = Bench(panel_of(1), execution=execution, ttlSecondsAfterFinished=100).planned()
    (launch,) = bench.launch()
    bench.show(launch, pod_of(waiting("inject"), phase="Pending", unschedulable_since=NOW))
    bench.after(seconds=61).step(cancel=end == "cancelled")
    bench.step()
    assert bench.condition("Succeeded")["status"] == "False"
    bench.batches.clear()
    assert not deleted(bench.after(seconds=99))
    assert deleted(bench.after(seconds=2))
