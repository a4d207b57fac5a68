"""The Kubernetes edge against a real API server: watching, adopting, fencing, and outages survived."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.bad_specs.corpus import GOOD, a_run
from tests.cluster import lifecycle
from tests.cluster.reach import Cluster
from tests.cluster_promises.cable import Cable, through
from tests.contract.waiting import until

from benchwarden import names
from benchwarden.errors import ConflictError
from benchwarden.kube.access import Access
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ApiConflictError, GoneError, NotFoundError
from benchwarden.kube.events import EventRecorder, Subject
from benchwarden.kube.informer import InformerSettings
from benchwarden.kube.lease import Lease, LeaseSettings
from benchwarden.kube.resources import CONFIG_MAPS, EVENTS, JOBS, LEASES, RUNS
from benchwarden.kube.sources import ConfigMapSource
from benchwarden.kube.view import ClusterView
from benchwarden.reconcile.observed import ObservedBatch

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
RUN = "11111111-2222-3333-4444-555555555555"
PATIENCE = 90.0


@asynccontextmanager
async def a_namespace(cluster: Cluster, door: KubeClient, **labels: str) -> AsyncIterator[str]:
    """A namespace of its own, deleted afterwards."""
    name = f"kube-edge-{uuid.uuid4().hex[:8]}"
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }
    await door.request("POST", "/api/v1/namespaces", body=manifest)
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(NotFoundError):  # not made yet
                await door.request("GET", account)
                break
            await asyncio.sleep(0.05)
    try:
        yield name
    finally:
        await door.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
async def door(cluster: Cluster) -> AsyncIterator[KubeClient]:
    async with KubeClient(Access(kubeconfig=str(cluster.kubeconfig))) as opened:
        yield opened


@pytest.fixture
async def namespace(cluster: Cluster, door: KubeClient) -> AsyncIterator[str]:
    async with a_namespace(cluster, door) as name:
        yield name


def labels(role: str = names.ROLE_BATCH) -> dict[str, str]:
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_RUN_UID: RUN,
        names.LABEL_ROLE: role,
    }


def a_job(namespace: str, cluster: Cluster, name: str = "batch-1") -> dict[str, Any]:
    """A Job shaped like ours: init containers that leave messages, then an end."""

    def container(name: str, message: str) -> dict[str, Any]:
        return {
            "name": name,
            "image": cluster.busybox,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", f"printf '{message}' > /dev/termination-log"],
        }

    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "initContainers": [container("agent-0", "telemetry"), container("grade-0", "verdict")],
        "containers": [container("finish", "")],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels(),
            "annotations": {names.ANNOTATION_MEMBERS: json.dumps([["a", 0, 1]])},
        },
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": labels()}, "spec": pod},
        },
    }


def a_config_map(namespace: str, name: str, run_uid: str = RUN) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**labels(names.ROLE_INPUT), names.LABEL_RUN_UID: run_uid},
        },
        "data": {"key": "value"},
    }


@asynccontextmanager
async def viewing(door: KubeClient, namespace: str) -> AsyncIterator[ClusterView]:
    settings = InformerSettings(first_backoff_seconds=0.1, most_backoff_seconds=1.0)
    view = ClusterView(door, [namespace], lambda run_uid: None, settings)
    task = asyncio.create_task(view.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await view.synced.wait()
        yield view
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task


def batches(view: ClusterView) -> tuple[ObservedBatch, ...]:
    return view.of_run(RUN, datetime.now(UTC)).batches


def said(view: ClusterView) -> dict[str, str]:
    """Termination messages of the only batch's pod."""
    seen = batches(view)
    pod = seen[0].pod if seen else None
    return {each.name: each.message for each in pod.containers} if pod else {}


async def test_a_job_is_seen_from_its_creation_to_its_end(
    cluster: Cluster, door: KubeClient, namespace: str
) -> None:
    async with viewing(door, namespace) as view:
        created = await door.create_or_adopt(a_job(namespace, cluster))
        uid = created["metadata"]["uid"]
        await until(lambda: bool(batches(view)) and bool(batches(view)[0].finished), PATIENCE)
        (batch,) = batches(view)
        assert (batch.uid, batch.finished, batch.started) == (uid, "Complete", True)
        assert [tuple(member) for member in batch.members] == [("a", 0, 1)]
        assert said(view) == {"agent-0": "telemetry", "grade-0": "verdict", "finish": ""}
        assert batch.pod is not None
        assert batch.pod.phase == "Succeeded"
        assert all(each.image_id and each.finished_at for each in batch.pod.containers)

        assert await door.delete(JOBS, namespace, "batch-1", uid=str(uuid.uuid4())) is False
        assert await door.delete(JOBS, namespace, "batch-1", uid=uid) is True
        await until(lambda: view.objects() == 0, PATIENCE)
        assert [batch.gone for batch in batches(view)] == [True]
        assert said(view)["grade-0"] == "verdict"
        view.acknowledge(RUN, view.of_run(RUN, datetime.now(UTC)))
        assert batches(view) == ()


async def test_a_second_pass_adopts_and_a_stranger_is_left_alone(
    cluster: Cluster, door: KubeClient, namespace: str
) -> None:
    first = await door.create_or_adopt(a_job(namespace, cluster))
    second = await door.create_or_adopt(a_job(namespace, cluster))
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    await door.create(a_config_map(namespace, "taken", run_uid="another"))
    with pytest.raises(ConflictError):
        await door.create_or_adopt(a_config_map(namespace, "taken"))
    assert await door.delete(JOBS, namespace, "no-such-job") is False


async def test_a_write_on_what_changed_since_is_a_conflict(
    door: KubeClient, namespace: str
) -> None:
    stored = await door.create(a_config_map(namespace, "shard"))
    changed = await door.patch(CONFIG_MAPS, namespace, "shard", {"data": {"more": "1"}})
    assert changed["data"] == {"key": "value", "more": "1"}
    with pytest.raises(ApiConflictError):
        await door.replace(stored)
    applied = await door.apply(a_config_map(namespace, "shard"))
    assert applied["data"] == {"key": "value", "more": "1"}


async def test_a_suite_is_read_from_a_config_map(door: KubeClient, namespace: str) -> None:
    await door.create(a_config_map(namespace, "suite"))
    source = ConfigMapSource(door, namespace)
    assert await asyncio.to_thread(source.read_config_map, "suite", "key") == b"value"


async def test_a_status_is_applied_to_a_run(
    cluster: Cluster, door: KubeClient, namespace: str
) -> None:
    cluster.kubectl().run("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "crds"))
    manifest = a_run(next(iter(GOOD.values())))
    manifest["metadata"] = {"name": "nightly", "namespace": namespace}
    await door.create(manifest)
    status = {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {"name": "nightly", "namespace": namespace},
        "status": {"progress": "3/50"},
    }
    await door.apply(status, subresource="status")
    found = await door.get(RUNS, namespace, "nightly")
    assert found["status"]["progress"] == "3/50"


async def test_a_refused_pod_says_why_within_seconds(cluster: Cluster, door: KubeClient) -> None:
    strict = {"pod-security.kubernetes.io/enforce": "restricted"}
    async with a_namespace(cluster, door, **strict) as namespace, viewing(door, namespace) as view:
        await door.create(a_job(namespace, cluster))
        async with asyncio.timeout(PATIENCE):
            while not (found := batches(view)) or not found[0].create_failure:
                view.look_for_refusals(RUN, datetime.now(UTC))
                await asyncio.sleep(0.5)
        assert "violates PodSecurity" in found[0].create_failure


async def test_an_event_is_found_on_its_object(door: KubeClient, namespace: str) -> None:
    stored = await door.create(a_config_map(namespace, "thing"))
    uid = stored["metadata"]["uid"]
    subject = Subject("v1", "ConfigMap", namespace, "thing", uid)
    for _ in range(2):  # two lives of an operator
        recorder = EventRecorder(door, "edge-test")
        assert await recorder.emit(subject, "Running", "x" * 3000, datetime.now(UTC), warning=True)
    (event,) = await door.list_all(EVENTS, namespace, fields=f"involvedObject.uid={uid}")
    assert (event["count"], event["type"], len(event["message"])) == (2, "Warning", 1024)


async def test_one_of_two_operators_holds_the_lease_and_the_other_inherits_it(
    cluster: Cluster, namespace: str
) -> None:
    quick = LeaseSettings(
        duration_seconds=4, renew_seconds=0.5, retry_seconds=0.2, margin_seconds=2.0
    )
    access = Access(kubeconfig=str(cluster.kubeconfig))
    async with KubeClient(access) as first_door, KubeClient(access) as second_door:
        first = Lease(first_door, namespace, "operator", "first", quick)
        second = Lease(second_door, namespace, "operator", "second", quick)
        tasks = [asyncio.create_task(each.run()) for each in (first, second)]
        try:
            await until(lambda: first.held() or second.held(), PATIENCE)
            holder, rival = (first, second) if first.held() else (second, first)
            ends = asyncio.get_running_loop().time() + 8
            while asyncio.get_running_loop().time() < ends:
                assert holder.held()
                assert not rival.held()
                await asyncio.sleep(0.02)
            tasks[(first, second).index(holder)].cancel()
            await until(rival.held, 3.0)
            assert not holder.held()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        stored = await first_door.get(LEASES, namespace, "operator")
        assert stored["spec"]["holderIdentity"] == ""


async def test_an_outage_is_survived_and_what_happened_meanwhile_is_seen(
    cluster: Cluster, door: KubeClient, namespace: str, tmp_path: Path, no_proxy: None
) -> None:
    configuration = await Access(kubeconfig=str(cluster.kubeconfig)).load()
    place = urlsplit(configuration.host)
    assert place.hostname is not None
    cable = Cable(place.hostname, place.port or 443)
    kubeconfig = through(await cable.plug(), cluster.kubeconfig, tmp_path)
    async with (
        KubeClient(Access(kubeconfig=str(kubeconfig))) as weak,
        viewing(weak, namespace) as view,
    ):
        await weak.create(a_job(namespace, cluster, "before"))
        await until(lambda: len(batches(view)) == 1, PATIENCE)
        await cable.cut()
        asked = asyncio.create_task(weak.create(a_config_map(namespace, "during")))
        await door.delete(JOBS, namespace, "before")
        await door.create(a_job(namespace, cluster, "meanwhile"))
        await until(lambda: view.errors() > 0, PATIENCE)
        assert not asked.done()
        await cable.plug()
        await until(lambda: _alive(view) == {"meanwhile"}, PATIENCE)
        assert (await asked)["metadata"]["name"] == "during"
        await cable.cut()
    assert cable.cuts > 0


@pytest.mark.disruptive
async def test_a_restart_of_the_api_server_is_survived(
    cluster: Cluster, door: KubeClient, namespace: str
) -> None:
    if not cluster.own:
        pytest.skip("parts of a cluster that is not ours are not stopped")
    lost: list[bool] = []
    settings = replace(LeaseSettings(), renew_seconds=1.0)
    lease = Lease(door, namespace, "operator", "me", settings)
    async with viewing(door, namespace) as view, holding(lease, lambda: lost.append(True)):
        door.fence = lease.check
        await door.create(a_job(namespace, cluster, "before"))
        await until(lambda: len(batches(view)) == 1, PATIENCE)
        await asyncio.to_thread(lifecycle.stop_component, "apiserver")
        try:
            asked = asyncio.create_task(door.create(a_job(namespace, cluster, "during")))
            await until(lambda: view.errors() > 0, PATIENCE)
        finally:
            await asyncio.to_thread(lifecycle.start_component, "apiserver")
        await asked
        await until(lambda: _alive(view) == {"before", "during"}, PATIENCE)
        assert (lost, lease.held()) == ([], True)
        assert await _is_gone(door, JOBS.collection(namespace))
        door.fence = None


@asynccontextmanager
async def holding(lease: Lease, on_lost: Callable[[], None]) -> AsyncIterator[None]:
    task = asyncio.create_task(lease.run(on_lost))
    try:
        await until(lease.held, PATIENCE)
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # by the line above
            await task


async def _is_gone(door: KubeClient, path: str) -> bool:
    """Whether a watch from the first revision is refused: a new API server knows no history."""
    query = {"watch": "1", "resourceVersion": "1", "timeoutSeconds": "5"}
    async with contextlib.aclosing(door.lines(path, query, silence_seconds=10)) as lines:
        try:
            first = json.loads(await anext(lines, b"{}"))
        except GoneError:
            return True
    return bool(first.get("type") == "ERROR" and first["object"]["code"] == 410)


def _alive(view: ClusterView) -> set[str]:
    return {batch.name for batch in batches(view) if not batch.gone}


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
