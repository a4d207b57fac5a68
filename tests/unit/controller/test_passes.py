"""The loop of passes: faults are tried again ever later, what is gone is forgotten, bugs stop nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.controller.test_schedules import HeldLease

from benchwarden.controller.passes import MOST_BACKOFF_SECONDS, Passes, Place
from benchwarden.errors import BenchwardenError, FencedError
from benchwarden.kube.errors import ForbiddenError, NotFoundError, Refusal
from benchwarden.kube.resources import RUNS
from benchwarden.telemetry.instruments import ERROR, REQUEUE, REQUEUE_AFTER, SUCCESS, Instruments


@dataclass
class Server:
    """Knows which UID each name has, or fails as told."""

    uids: dict[str, str]
    fault: BenchwardenError | None = None

    async def get(self, _resource: object, _namespace: str, name: str) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        if name not in self.uids:
            raise not_found()
        return {"metadata": {"uid": self.uids[name]}}


def not_found() -> NotFoundError:
    return NotFoundError(Refusal(404, "NotFound", "no such object"), "GET /x")


def terminating() -> ForbiddenError:
    text = "unable to create new content in namespace bench because it is being terminated"
    cause = ("NamespaceTerminating",)
    return ForbiddenError(Refusal(403, "Forbidden", text, cause), "POST /x")


@dataclass
class Scene:
    """Objects by UID and what the next pass over each does."""

    outcomes: dict[str, list[float | Exception | None]]
    server: Server = field(default_factory=lambda: Server({}))
    made: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    b_made: asyncio.Event = field(default_factory=asyncio.Event)

    def passes(self) -> Passes:
        return Passes(
            "run",
            RUNS,
            self.server,  # type: ignore[arg-type]  # a server in memory
            HeldLease(),  # type: ignore[arg-type]  # always held
            Instruments(("run",)),
            lambda uid: Place("bench", f"of-{uid}") if uid in self.outcomes else None,
            self._reconcile,
            lambda uid: self.outcomes.pop(uid, None) and None,
            lambda uid, _error: self.told.append(uid),
        )

    async def _reconcile(self, uid: str) -> float | None:
        self.made.append(uid)
        if uid == "b":
            self.b_made.set()
        outcome = self.outcomes[uid].pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize(
    ("due_seconds", "result"), [(None, SUCCESS), (0.0, REQUEUE), (30.0, REQUEUE_AFTER)]
)
async def test_a_pass_says_when_the_next_is_due(due_seconds, result):
    passes = Scene({"a": [due_seconds]}).passes()
    assert await passes.make("a") == result
    assert len(passes.queue) == (result == REQUEUE)
    passes.queue.forget("a")


async def test_failures_in_a_row_wait_longer_and_a_success_starts_anew():
    scene = Scene({"a": [FencedError("not held")] * 3 + [None]})
    passes = scene.passes()
    for count in (1, 2, 3):
        assert await passes.make("a") == ERROR
        assert passes.failures == {"a": count}
    assert await passes.make("a") == SUCCESS
    assert passes.failures == {}
    assert scene.told == ["a"] * 3
    passes.queue.forget("a")


async def test_the_wait_after_failures_has_a_ceiling(monkeypatch):
    passes = Scene({"a": [FencedError("not held")] * 20}).passes()
    waits: list[float] = []
    monkeypatch.setattr(passes.queue, "add_after", lambda _uid, seconds: waits.append(seconds))
    for _ in range(20):
        await passes.make("a")
    assert waits == sorted(waits)
    assert waits[-1] == MOST_BACKOFF_SECONDS


@pytest.mark.parametrize(
    ("error", "uids", "forgotten"),
    [
        (not_found(), {}, True),
        (not_found(), {"of-a": "another"}, True),
        (not_found(), {"of-a": "a"}, False),
        (terminating(), {"of-a": "a"}, True),
    ],
    ids=["gone", "made anew", "another object is missing", "its namespace is going"],
)
async def test_what_is_gone_is_forgotten_and_what_is_not_is_tried_again(error, uids, forgotten):
    scene = Scene({"a": [error]}, Server(uids))
    passes = scene.passes()
    assert await passes.make("a") == (SUCCESS if forgotten else ERROR)
    assert ("a" not in scene.outcomes) == forgotten
    passes.queue.forget("a")


async def test_whether_it_is_gone_cannot_be_asked_now_so_it_is_not_forgotten():
    scene = Scene({"a": [not_found()]}, Server({}, FencedError("no")))
    passes = scene.passes()
    assert await passes.make("a") == ERROR
    assert "a" in scene.outcomes
    passes.queue.forget("a")


async def test_a_bug_in_one_pass_does_not_stop_the_worker(caplog):
    scene = Scene({"a": [ZeroDivisionError()], "b": [None]})
    passes = scene.passes()
    passes.queue.add("a")
    passes.queue.add("b")
    worker = asyncio.create_task(passes.work())
    await asyncio.wait_for(scene.b_made.wait(), 5)
    worker.cancel()
    assert scene.made == ["a", "b"]
    assert "run a: the pass failed" in caplog.text
    assert passes.failures == {"a": 1}
    passes.queue.forget("a")


async def test_how_long_an_object_waited_for_its_pass_is_told():
    scene = Scene({"b": [None]})
    passes = scene.passes()
    worker = asyncio.create_task(passes.work())
    passes.queue.add("b")
    await asyncio.wait_for(scene.b_made.wait(), 5)
    worker.cancel()
    assert sum(passes.instruments.read().queue_seconds["run",].counts) == 1
