"""What earlier runs took decides which work a new one begins with."""

from typing import Any

from tests.builders import CLAUDE, NOW, UID, raw_run

from benchwarden.controller.durations import known_durations
from benchwarden.controller.preparing import view_of
from benchwarden.controller.record import Record
from benchwarden.manifests.settings import RunIdentity
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row


def a_run(
    name: str, *rows: Row, started: str = "", namespace: str = "bench", **spec: Any
) -> Record:
    raw = raw_run(**spec)
    record = Record(RunIdentity(name, namespace, UID), raw, {"startedAt": started})
    record.view = view_of(raw, {})
    record.cycle.load(rows, NOW)
    return record


def took(instance: str, seconds: float, trial: int = 0, kind: str = KIND_VERDICT) -> Row:
    return Row(
        instance, trial, 1, kind, "resolved", "b", "2026-03-01T12:00:00Z",
        agent_seconds=seconds - 1, grade_seconds=1.0,
    )  # fmt: skip


def test_the_mean_of_an_instances_trials_is_known():
    earlier = a_run("a", took("x", 10), took("x", 30, trial=1), took("y", 5))
    assert known_durations(a_run("new"), [earlier]) == {"x": 20, "y": 5}


def test_the_latest_run_has_the_word():
    first = a_run("a", took("x", 10), took("y", 7), started="2026-03-01T00:00:00Z")
    second = a_run("b", took("x", 50), started="2026-03-02T00:00:00Z")
    assert known_durations(a_run("new"), [second, first]) == {"x": 50, "y": 7}


def test_other_namespaces_and_other_agents_say_nothing():
    others = a_run("a", took("x", 9), namespace="else"), a_run("b", took("x", 9), agent=CLAUDE)
    assert known_durations(a_run("new"), others) == {}


def test_a_launch_that_failed_by_infrastructure_is_no_duration():
    assert known_durations(a_run("new"), [a_run("a", took("x", 9, kind=KIND_CHARGE))]) == {}


def test_a_run_is_not_its_own_history():
    run = a_run("a", took("x", 9))
    assert known_durations(run, [run]) == {}
