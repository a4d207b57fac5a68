"""Clocks that disagree: everything is decided in the API server's time, whatever this machine and the nodes show."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kube.builders import T0, raw_pod, terminated, waiting

from benchwarden import names
from benchwarden.kube.clock import ServerClock
from benchwarden.kube.projection import moment, pod_fact
from benchwarden.reconcile.ending import of_batch
from benchwarden.reconcile.observed import ObservedBatch

TRUE_START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Machine:
    """This machine: true time goes on by `let`, its own clock is off by `off_seconds`."""

    def __init__(self, off_seconds: float = 0.0) -> None:
        self.passed = 0.0
        self.off_seconds = off_seconds
        self.clock = ServerClock(monotonic=lambda: 5000.0 + self.passed, wall=self.wall)

    def wall(self) -> float:
        return self.true().timestamp() + self.off_seconds

    def true(self) -> datetime:
        return TRUE_START + timedelta(seconds=self.passed)

    def let(self, seconds: float) -> None:
        self.passed += seconds

    def ask(self, there: float = 0.01, back: float = 0.01) -> None:
        """One exchange: the server stamps its answer while it is under way."""
        asked_at = self.clock.monotonic()
        self.let(there)
        date = format_datetime(self.true().replace(microsecond=0), usegmt=True)
        self.let(back)
        self.clock.heard(date, asked_at)

    def error_seconds(self) -> float:
        return (self.clock.now() - self.true()).total_seconds()


@pytest.mark.parametrize("off_seconds", [-86400.0, -3600.0, -90.0, 90.0, 3600.0, 86400.0])
def test_a_clock_that_is_off_is_put_right_by_the_first_answer(off_seconds, caplog):
    machine = Machine(off_seconds)
    assert machine.error_seconds() == pytest.approx(off_seconds)
    machine.ask()
    assert abs(machine.error_seconds()) <= 1.05
    assert machine.clock.skew_seconds() == pytest.approx(off_seconds, abs=1.05)
    machine.ask()
    assert caplog.text.count("the API server's, which is followed instead") == 1
    assert ("ahead of" in caplog.text) == (off_seconds > 0)


@given(
    off=st.floats(-1e6, 1e6),
    waits=st.lists(
        st.tuples(st.floats(0, 400), st.floats(0, 20), st.floats(0, 20)), min_size=1, max_size=30
    ),
)
def test_it_is_never_further_off_than_a_second_and_the_slowest_request(off, waits):
    machine = Machine(off)
    for pause, there, back in waits:
        machine.ask(there, back)
        assert abs(machine.error_seconds()) <= 1.001 + there + back
        machine.let(pause)


@given(
    off=st.one_of(st.floats(-1e6, -1.1), st.floats(3.1, 1e6)),
    waits=st.lists(st.tuples(st.floats(0, 400), st.floats(0, 1), st.floats(0, 1)), min_size=1),
)
def test_a_clock_that_was_put_right_is_never_ahead(off, waits):
    """So no slot starts before its time."""
    machine = Machine(off)
    for pause, there, back in waits:
        machine.ask(there, back)
        assert machine.error_seconds() <= 1e-3
        machine.let(pause)


@given(st.lists(st.tuples(st.floats(0, 90), st.floats(0, 5), st.floats(0, 5)), max_size=30))
def test_answers_that_agree_with_a_right_clock_never_move_it(waits):
    machine = Machine()
    for pause, there, back in waits:
        machine.ask(there, back)
        machine.let(pause)
        assert machine.error_seconds() == pytest.approx(0.0, abs=1e-3)


def test_a_step_of_this_machines_clock_is_not_noticed():
    machine = Machine()
    machine.ask()
    seen = []
    for step in (0.0, 7200.0, -7200.0, 86400.0):
        machine.off_seconds = step
        machine.let(1.0)
        seen.append(machine.clock.now())
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(seen)} == {1.0}


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_a_date_that_makes_no_sense_changes_nothing(date):
    machine = Machine()
    before = machine.clock.now()
    machine.clock.heard(date, machine.clock.monotonic())
    assert machine.clock.now() == before


# The node's clock.


def at(seconds: float, off: timedelta = timedelta()) -> str:
    return (TRUE_START + timedelta(seconds=seconds) + off).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod_of_a_node_that_is_off(off: timedelta, *, worked: float = 1800.0, waited: float = 5.0):
    """A pod whose first pair ended after `worked` seconds and whose next image cannot be had.

    Bound at 1 s, taken on at 2 s; the kubelet's last word is `waited` seconds after the pair's end.
    """
    pod = raw_pod(
        created=at(0),
        init=(
            terminated("inject", startedAt=at(3, off), finishedAt=at(4, off)),
            terminated("agent-0", startedAt=at(5, off), finishedAt=at(worked, off)),
            waiting("grade-0", "ErrImagePull"),
        ),
        startTime=at(2, off),
        conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": at(1)}],
    )
    pod["metadata"]["managedFields"] = [
        {"manager": "kube-controller-manager", "time": at(0)},
        {"manager": "kubelet", "subresource": "status", "time": at(worked + waited)},
    ]
    return pod_fact(pod).pod


def ending(pod, seconds: float, patience: int = 600):
    """How the pod's batch has ended so many true seconds after the pod was made."""
    batch = ObservedBatch("b", names.ROLE_BATCH, "u", created_at=moment(T0), started=True, pod=pod)
    return of_batch(batch, patience, TRUE_START + timedelta(seconds=seconds))


OFF = [timedelta(hours=n) for n in (-24, -2, 2, 24)] + [timedelta(minutes=n) for n in (-20, 20)]


@pytest.mark.parametrize("off", [timedelta(), timedelta(seconds=2), *OFF])
def test_patience_with_a_missing_image_is_the_same_whatever_the_nodes_clock_shows(off):
    pod = pod_of_a_node_that_is_off(off)
    assert ending(pod, 1800 + 590) is None
    assert ending(pod, 1800 + 610).outcome == "image_pull"


@pytest.mark.parametrize("off", OFF)
def test_the_kubelets_times_are_told_in_the_api_servers(off):
    agent = pod_of_a_node_that_is_off(off).containers[1]
    assert abs((agent.finished_at - TRUE_START).total_seconds() - 1800) <= 2
    assert agent.finished_at - agent.started_at == timedelta(seconds=1795)


@pytest.mark.parametrize("waited", [0, 300, 3000])
def test_a_node_that_is_ahead_is_found_out_however_late_its_last_word(waited):
    pod = pod_of_a_node_that_is_off(timedelta(hours=2), waited=waited)
    assert ending(pod, 1800 + 590) is None
    assert ending(pod, 1800 + 610).outcome == "image_pull"


def test_a_kubelet_that_was_away_is_not_taken_for_a_clock_that_is_ahead():
    """It took the pod on an hour after it was bound: that is lateness, and no time is changed."""
    pod = raw_pod(
        created=at(0),
        init=(terminated("inject", finishedAt=at(3605)),),
        startTime=at(3600),
        conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": at(1)}],
    )
    pod["metadata"]["managedFields"] = [
        {"manager": "kubelet", "subresource": "status", "time": at(3606)}
    ]
    assert pod_fact(pod).pod.containers[0].finished_at == moment(at(3605))
