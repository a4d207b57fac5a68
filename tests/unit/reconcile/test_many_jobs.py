"""What keeps a pass short and a run's end near when there are many Jobs."""

from tests.builders import Bench, ended, finished_pod, panel_of, pod, running, waiting

from benchwarden import names
from benchwarden.reconcile.decision import DeleteBatch, EnsureInputs, LaunchBatch


def test_a_pod_that_has_begun_has_its_inputs_and_a_successor_does_not_ask_for_them():
    bench = Bench(panel_of(2), execution={"batchSize": 1}).planned()
    begun, waits = bench.launch()
    bench.show(begun, pod(ended(names.CONTAINER_INJECT), running("agent-0")))
    bench.show(waits, pod(waiting(names.CONTAINER_INJECT)))
    asked = [each.name for each in bench.step().actions if isinstance(each, EnsureInputs)]
    assert asked == [waits.name]


def test_deletions_and_launches_take_turns_so_that_neither_starves():
    bench = Bench(panel_of(8), execution={"batchSize": 1, "parallelism": 3}).planned()
    for each in bench.launch():
        bench.show(each, finished_pod(each.batch.members), finished="Complete")
    decision = bench.after(seconds=31).step()
    jobs = [type(each) for each in decision.actions if isinstance(each, DeleteBatch | LaunchBatch)]
    assert jobs == [DeleteBatch, LaunchBatch] * 3


def test_a_plan_begins_with_what_took_longest_before():
    bench = Bench(panel_of(3), execution={"batchSize": 1})
    bench.cycle.durations = {"i0": 5.0, "i1": 500.0, "i2": 50.0}
    order = [key.instance for group in bench.planned().plan.groups for key in group]
    assert order == ["i1", "i2", "i0"]
