"""What brought other operators down: thousands of pods seen at once, a restart among them, a watch that died."""

import asyncio
import gc
import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from tests.contract.fake_api import FakeApi
from tests.contract.test_view import POD_PATH, put, viewing
from tests.contract.waiting import until
from tests.unit.kube.builders import raw_pod, terminated

from benchwarden import names
from benchwarden.controller.process import LIVE_SILENCE_SECONDS, Process
from benchwarden.controller.queue import WorkQueue
from benchwarden.kube.informer import InformerSettings
from benchwarden.kube.observation import Observation
from benchwarden.kube.projection import pod_fact
from benchwarden.manifests.install import PERMISSIONS
from benchwarden.settings import read_settings

MESSAGE = "x" * 600


def a_whole_pod(number: int, runs: int = 1) -> dict:
    """A pod of one instance as it is at its end, with what the API server adds and nobody needs."""
    raw = raw_pod(
        f"pod-{number}",
        job=f"job-{number}",
        run_uid=f"run-{number % runs}",
        phase="Succeeded",
        init=(
            terminated("inject"),
            terminated("agent-0", f"{number}{MESSAGE}"),
            terminated("grade-0", f"{number}{MESSAGE}"),
        ),
        main=(terminated("finish"),),
        members=((f"instance-{number}", 0, 1),),
    )
    raw["metadata"]["managedFields"] = [{"manager": "kubelet", "fieldsV1": {"f": "y" * 3000}}]
    return raw


def test_what_is_kept_of_a_pod_is_a_few_kilobytes():
    """Twenty thousand of them then fit beside the process itself in 256 MiB."""
    texts = [json.dumps(a_whole_pod(number)) for number in range(1000)]
    sight = Observation()
    gc.collect()
    tracemalloc.start()
    for text in texts:
        sight.pod_changed(None, pod_fact(json.loads(text)))
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / len(texts) < 5 * 1024
    assert 20_000 * kept / len(texts) < 100 * 2**20


async def test_a_restart_among_hundreds_of_pods_asks_for_one_pass_a_run(api: FakeApi):
    for number in range(600):
        put(api, POD_PATH, a_whole_pod(number, runs=3))
    queue = WorkQueue()
    began = time.process_time()
    async with viewing(api) as (view, woken):
        await view.synced.wait()
        for uid in woken:
            queue.add(uid)
        assert len(queue) == 3
        assert sorted([await queue.take() for _ in range(3)]) == ["run-0", "run-1", "run-2"]
        pages = [each for each in api.asked_of("GET") if each.path == POD_PATH]
        assert len(pages) == -(-600 // InformerSettings().page_size), "each page is asked for once"
    assert time.process_time() - began < 20


async def test_the_server_is_asked_for_our_own_objects_only(api: FakeApi):
    put(api, POD_PATH, a_whole_pod(1))
    stranger = a_whole_pod(2)
    del stranger["metadata"]["labels"]
    api.put(POD_PATH, "stranger", **stranger)
    async with viewing(api) as (view, _):
        await view.synced.wait()
        await until(lambda: len(api.watches) == 2)
        assert view.objects() == 1
    asked = [*api.asked_of("GET"), *api.asked_of("GET", watch=True)]
    assert {each.query["labelSelector"] for each in asked} == {
        f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY},{names.LABEL_RUN_UID}"
    }


@pytest.fixture
def process() -> Iterator[Process]:
    """The operator, put together and not begun but for the door of its probes."""
    environment = {names.ENV_RUNNER_IMAGE: "runner:1", names.ENV_METRICS_PORT: "0"}
    made = Process(read_settings(environment, host="here", default_namespace="bench"))
    made._server.start()
    yield made
    made._server.stop()


async def test_a_sight_that_heard_nothing_for_long_fails_the_probe(process, monkeypatch):
    monkeypatch.setattr(process._sight, "age_seconds", lambda: LIVE_SILENCE_SECONDS - 1)
    assert process._live() == []
    monkeypatch.setattr(process._sight, "age_seconds", lambda: LIVE_SILENCE_SECONDS + 1)
    assert process._live() == ["the API server has not been heard of for 601 s"]


async def test_a_task_that_ended_fails_the_probe(process, monkeypatch):
    monkeypatch.setattr(process._sight, "age_seconds", lambda: 0.0)
    ended = asyncio.create_task(asyncio.sleep(0), name="sight")
    process._tasks.append(ended)
    await ended
    assert process._live() == ["task sight has ended"]


def test_the_operator_may_neither_read_secrets_nor_reach_into_pods():
    """So no result can come by exec, and no credential can leak through it."""
    allowed = {each.resource for each in PERMISSIONS}
    assert not [each for each in allowed if each.startswith(("pods/", "secrets"))]
