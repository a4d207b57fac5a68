"""Why a Job has no pod is asked seldom, one at a time, and never by a pass that waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.fake_api import Asked, At, FakeApi, Fault
from tests.contract.waiting import SteppedTime, until
from tests.unit.kube.builders import RUN, raw_job

from benchwarden.kube.client import KubeClient
from benchwarden.kube.observation import Observation
from benchwarden.kube.projection import job_fact
from benchwarden.kube.refusals import Refusals
from benchwarden.kube.resources import EVENTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OTHER = "run-2"


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


@dataclass
class Asking:
    """Refused Jobs, who asks about them, and on what clock."""

    api: FakeApi
    observation: Observation
    refusals: Refusals
    time: SteppedTime
    woken: list[str] = field(default_factory=list)

    def refused(self, job_uid: str, run_uid: str = RUN) -> None:
        self.observation.job_changed(None, job_fact(raw_job(job_uid, run_uid=run_uid)))
        self.api.put(
            EVENTS.collection("bench"),
            f"event-{job_uid}",
            involvedObject={"uid": job_uid},
            reason="FailedCreate",
            message="violates PodSecurity",
        )

    def looks(self) -> int:
        return sum("events" in each.path for each in self.api.asked)

    def told(self, run_uid: str = RUN) -> list[str]:
        return [each.create_failure for each in self.observation.of_run(run_uid, NOON).batches]

    async def ended(self) -> None:
        await until(lambda: not [t for t in asyncio.all_tasks() if t.get_name() == "refusals"])


@asynccontextmanager
async def asking(api: FakeApi) -> AsyncIterator[Asking]:
    time, observation, woken = SteppedTime(), Observation(), []
    async with KubeClient(At(api.url)) as client:
        refusals = Refusals(client, observation, woken.append, time.clock)
        try:
            yield Asking(api, observation, refusals, time, woken)
        finally:
            await refusals.stop()


async def test_a_refusal_wakes_its_run_and_is_asked_again_after_a_while(api: FakeApi) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        all_.refused("job-2")
        all_.refusals.look(RUN, seconds(2))
        await asyncio.sleep(0)
        assert all_.looks() == 0
        all_.refusals.look(RUN, seconds(5))
        assert all_.told() == ["", ""]
        await all_.ended()
        assert (all_.told(), all_.woken) == (["violates PodSecurity", ""], [RUN])
        all_.refusals.look(RUN, seconds(10))
        await all_.ended()
        assert all_.looks() == 1
        all_.refusals.look(RUN, seconds(30))
        await all_.ended()
        assert (all_.looks(), all_.woken) == (2, [RUN])


async def test_one_look_at_a_time(api: FakeApi) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        all_.refused("job-2", OTHER)
        all_.refusals.look(RUN, seconds(5))
        all_.refusals.look(OTHER, seconds(5))
        await all_.ended()
        assert all_.looks() == 1
        all_.refusals.look(OTHER, seconds(9))
        await all_.ended()
        assert all_.told(OTHER) == ["violates PodSecurity"]


async def test_what_takes_the_server_long_is_followed_by_a_long_rest(api: FakeApi) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        all_.refused("job-2", OTHER)

        def slow(asked: Asked) -> bool:
            all_.time.now += 3.0 if "events" in asked.path else 0.0
            return False

        api.faults.append(Fault(matches=slow))
        all_.refusals.look(RUN, seconds(5))
        await all_.ended()
        api.faults.clear()
        all_.time.now += 29.0
        all_.refusals.look(OTHER, seconds(37))
        await all_.ended()
        assert all_.looks() == 1
        all_.time.now += 2.0
        all_.refusals.look(OTHER, seconds(39))
        await all_.ended()
        assert all_.told(OTHER) == ["violates PodSecurity"]


async def test_a_look_that_is_refused_itself_is_told_and_made_again(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        api.faults.append(Fault(403))
        all_.refusals.look(RUN, seconds(5))
        await all_.ended()
        assert "no word on why Job name-of-job-1 has no pod" in caplog.text
        all_.refusals.look(RUN, seconds(30))
        await all_.ended()
        assert all_.told() == ["violates PodSecurity"]


async def test_a_run_that_was_deleted_and_comes_again_is_asked_about_at_once(api: FakeApi) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        all_.refusals.look(RUN, seconds(5))
        await all_.ended()
        all_.refusals.forget(RUN)
        all_.refusals.look(RUN, seconds(6))
        await all_.ended()
        assert all_.looks() == 2


async def test_no_look_outlives_the_operator(api: FakeApi) -> None:
    async with asking(api) as all_:
        all_.refused("job-1")
        all_.refusals.look(RUN, seconds(5))
        await all_.refusals.stop()
        assert all_.woken == []
        assert [t for t in asyncio.all_tasks() if t.get_name() == "refusals"] == []
