"""The operator's sight, from raw objects on the server to what a pass reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tests.contract.fake_api import At, FakeApi
from tests.contract.waiting import until
from tests.unit.kube.builders import RUN, raw_job, raw_pod

from benchwarden import names
from benchwarden.kube.client import KubeClient
from benchwarden.kube.informer import InformerSettings
from benchwarden.kube.resources import JOBS, PODS
from benchwarden.kube.view import ClusterView

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = InformerSettings(first_backoff_seconds=0.005, most_backoff_seconds=0.02)
JOB_PATH, POD_PATH = JOBS.collection("bench"), PODS.collection("bench")


def put(api: FakeApi, path: str, raw: dict[str, Any]) -> None:
    raw["metadata"]["labels"][names.LABEL_MANAGED_BY] = names.MANAGED_BY
    api.put(path, raw["metadata"]["name"], **raw)


@asynccontextmanager
async def viewing(api: FakeApi, *places: str) -> AsyncIterator[tuple[ClusterView, list[str]]]:
    woken: list[str] = []
    async with KubeClient(At(api.url)) as client:
        view = ClusterView(client, places or ("bench",), woken.append, QUICK)
        task = asyncio.create_task(view.run())
        try:
            yield view, woken
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # by the line above
                await task


async def test_jobs_and_pods_come_together_and_wake_their_run(api: FakeApi) -> None:
    put(api, JOB_PATH, raw_job())
    async with viewing(api) as (view, woken):
        await view.synced.wait()
        assert [batch.pod for batch in view.of_run(RUN, NOON).batches] == [None]
        woken.clear()
        await until(lambda: len(api.watches) == 2)
        put(api, POD_PATH, raw_pod(phase="Running"))
        await until(lambda: bool(woken))
        (batch,) = view.of_run(RUN, NOON).batches
        assert batch.pod is not None
        assert batch.pod.phase == "Running"
        assert set(woken) == {RUN}
        assert view.objects() == 2
        assert view.age_seconds() < 5
        assert (view.relists(), view.errors()) == (2, 0)


async def test_a_pod_whose_job_went_while_nobody_looked_is_gone_at_the_start(
    api: FakeApi,
) -> None:
    put(api, POD_PATH, raw_pod(phase="Running", members=(("a", 0, 1),)))
    async with viewing(api) as (view, _):
        await view.synced.wait()
        seen = view.of_run(RUN, NOON)
        assert [(batch.gone, batch.members[0].instance) for batch in seen.batches] == [(True, "a")]
        view.acknowledge(RUN, seen)
        assert view.of_run(RUN, NOON).batches == ()


async def test_a_job_deleted_with_its_pod_stays_until_acknowledged(api: FakeApi) -> None:
    put(api, JOB_PATH, raw_job())
    put(api, POD_PATH, raw_pod(phase="Running"))
    async with viewing(api) as (view, _):
        await view.synced.wait()
        await until(lambda: len(api.watches) == 2)
        api.remove(JOB_PATH, "name-of-job-1")
        api.remove(POD_PATH, "name-of-pod-1")
        await until(lambda: view.objects() == 0)
        seen = view.of_run(RUN, NOON)
        assert [batch.gone for batch in seen.batches] == [True]
        view.forget(RUN)
        assert view.of_run(RUN, NOON).batches == ()


async def test_several_namespaces_are_one_sight(api: FakeApi) -> None:
    put(api, JOB_PATH, raw_job())
    put(api, JOBS.collection("other"), raw_job("job-2", run_uid="run-2"))
    async with viewing(api, "bench", "other") as (view, woken):
        await view.synced.wait()
        assert set(woken) == {RUN, "run-2"}
        assert len(view.of_run("run-2", NOON).batches) == 1
