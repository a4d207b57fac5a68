"""A model API that serves only so many agents at once: the brake makes a run longer instead of incomplete."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, ended, panel_of, told
from tests.simulation import Faults, Job, Simulation

from benchwarden.reconcile import launching, work
from benchwarden_runner import protocol

REFUSED = "api_rate_limit"
SOUND = ("resolved", "unresolved")


class Throttled(Simulation):
    """A cluster whose agents share an API that refuses whoever is one too many."""

    def __init__(self, instances: int, capacity: int, **execution) -> None:
        execution = {"batchSize": 1, "parallelism": 16, **execution}
        super().__init__(panel_of(instances), 1, Faults(), execution=execution)
        self.capacity = capacity
        self.served = 0
        self.in_flight: list[int] = []

    def _move(self) -> None:
        self.served = 0
        at_work = [job for job in self.jobs.values() if job.phase == "Running" and not job.gone]
        self.in_flight.append(len(at_work))
        super()._move()

    def _step(self, job: Job) -> None:
        agent = len(job.containers) % 2 == 0
        if agent and self.served >= self.capacity:
            name = f"agent-{len(job.containers) // 2}"
            job.containers.append(ended(name, told(REFUSED)))
            return
        self.served += agent
        super()._step(job)

    @property
    def seconds(self) -> float:
        return (self.now - NOW) / timedelta(seconds=1)

    @property
    def refusals(self) -> int:
        return sum(row.outcome == REFUSED for row in self.rows)


def test_throttling_lengthens_a_run_and_fails_nothing():
    free = Throttled(60, capacity=1000).run()
    tight = Throttled(60, capacity=2).run()
    for done in (free, tight):
        assert done.status["counts"]["valid"] == 60
        assert done.status["counts"]["missing"] == 0
        assert set(done.status["outcomes"]) <= set(SOUND)
    assert free.refusals == 0
    assert tight.refusals > 0
    assert tight.seconds > 2 * free.seconds


def test_parallelism_falls_while_the_api_refuses_and_recovers_when_it_no_longer_does():
    run = Throttled(200, capacity=4)
    with pytest.raises(AssertionError, match="no end"):
        run.run(most_passes=30)
    assert max(run.in_flight) == 16
    assert max(run.in_flight[10:]) == 1
    run.capacity = 1000
    run.now += 4 * work.BRAKE_WINDOW
    later = len(run.in_flight)
    run.run()
    assert max(run.in_flight[later:]) == 16
    assert run.status["counts"]["valid"] == 200


def test_without_the_brake_the_same_run_would_lose_instances(monkeypatch):
    monkeypatch.setattr(launching, "braked_parallelism", lambda parallelism, *_: parallelism)
    lost = Throttled(60, capacity=2).run()
    assert lost.status["counts"]["missing"] > 0


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 40), st.integers(2, 6), st.sampled_from([1, 4, 16]), st.sampled_from([1, 3]))
def test_whatever_the_api_can_bear_every_refused_instance_is_judged(
    instances, capacity, parallelism, batch
):
    run = Throttled(instances, capacity, parallelism=parallelism, batchSize=batch).run()
    assert run.status["counts"]["valid"] == instances
    assert set(run.status["outcomes"]) <= set(SOUND)


def test_every_class_of_the_api_brakes():
    row = next(iter(Throttled(1, capacity=1).run().rows))
    assert set(protocol.API_CLASSES) == {REFUSED, "api_overloaded", "api_connection"}
    charges = [row] * 6
    at = work.moment(row.finished_at)
    allowed = [work.braked_parallelism(16, charges[:count], at) for count in range(7)]
    assert allowed == [16, 8, 4, 2, 1, 1, 1]
    later = [
        work.braked_parallelism(16, charges, at + count * work.BRAKE_WINDOW) for count in range(6)
    ]
    assert later == [1, 2, 4, 8, 16, 16]
    assert work.braked_parallelism(1, charges, at) == 1
