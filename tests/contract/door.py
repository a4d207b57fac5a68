"""The client on the fake API server, and something for it to read and write."""

from typing import Any

from tests.contract.fake_api import At, FakeApi
from tests.contract.waiting import SteppedTime

from benchwarden import names
from benchwarden.kube.client import KubeClient
from benchwarden.kube.resources import CONFIG_MAPS
from benchwarden.kube.session import ClientSettings

NAMESPACE = "bench"
PATH = CONFIG_MAPS.collection(NAMESPACE)


def config_map(name: str, run_uid: str = "run-1", **metadata: Any) -> dict[str, Any]:
    labels = {names.LABEL_RUN_UID: run_uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels, **metadata},
        "data": {"key": "value"},
    }


def client(api: FakeApi, time: SteppedTime | None = None, **settings: Any) -> KubeClient:
    time = time or SteppedTime()
    return KubeClient(At(api.url), ClientSettings(**settings), clock=time.clock, sleep=time.sleep)
