"""A pass acts for a second or so: Jobs can wait for the next one, verdicts that came meanwhile cannot."""

from datetime import timedelta

from tests.builders import NOW

from benchwarden.controller.acting import ACTING_TIME, carry_out
from benchwarden.planning.plan import Batch, Member
from benchwarden.reconcile.decision import (
    Action,
    DeleteBatch,
    EmitEvent,
    EnsureInputs,
    LaunchBatch,
    StoreRows,
)

BATCH = Batch((Member("i", 0, 1),))
JOBS: list[Action] = [
    each
    for n in range(5)
    for each in (DeleteBatch(f"old-{n}", f"uid-{n}"), LaunchBatch(f"new-{n}", BATCH))
]


class SlowServer:
    """Takes so many seconds for each action, by its own clock."""

    def __init__(self, seconds: float) -> None:
        self.now = NOW
        self.done: list[Action] = []
        self._each = timedelta(seconds=seconds)

    async def act(self, action: Action) -> None:
        self.done.append(action)
        self.now += self._each

    async def carry_out(self, *actions: Action) -> bool:
        return await carry_out(actions, self.act, lambda: self.now)


async def test_a_quick_server_is_asked_for_everything_at_once():
    server = SlowServer(0.01)
    assert not await server.carry_out(*JOBS)
    assert server.done == JOBS


async def test_a_slow_server_does_not_make_a_pass_long():
    server = SlowServer(0.3)
    assert await server.carry_out(*JOBS)
    assert server.now - NOW < ACTING_TIME + timedelta(seconds=0.6)
    assert server.done == JOBS[: len(server.done)]


async def test_however_slow_the_server_is_each_pass_comes_one_job_further():
    server = SlowServer(30)
    assert await server.carry_out(*JOBS)
    assert server.done == JOBS[:1]


async def test_the_time_before_the_first_job_is_not_held_against_it():
    server = SlowServer(5)
    await server.carry_out(StoreRows(()), EnsureInputs("job", "uid", BATCH))
    assert [type(each) for each in server.done] == [StoreRows, EnsureInputs]


async def test_rows_and_events_are_never_put_off():
    server = SlowServer(5)
    kept = StoreRows(()), EmitEvent("Reason", "text")
    assert await server.carry_out(*JOBS, *kept)
    assert server.done == [JOBS[0], *kept]
