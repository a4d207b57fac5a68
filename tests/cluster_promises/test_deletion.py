"""Deleting a run, or the namespace around it, in the middle of the work leaves nothing within a minute."""

import time
import urllib.request

import pytest
from tests.cluster.config import ClusterError
from tests.cluster_promises.scene import (
    await_work,
    run_of,
    scripted,
    scripted_run,
    selector,
    wait_for,
    watched_operator,
)
from tests.installed import await_true, install_inside, suite_config_map

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

EVERYTHING = "jobs,pods,configmaps,networkpolicies"
BUSY = "sleep 120"


def start_work(kubectl, name="doomed"):
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", BUSY) for n in range(3))))
    kubectl.apply(scripted_run(name, execution={"batchSize": 1}))
    wait_for(kubectl, name, lambda run: run.get("status"))
    run = run_of(kubectl, name)
    await_work(kubectl, run, "i0")
    return run


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_a_run_deleted_in_the_middle_takes_everything_along(
    kubectl, images, tiny_image, tmp_path, cascade
):
    with watched_operator(kubectl, images, tmp_path) as operator:
        run = start_work(kubectl)
        assert 'run="doomed"' in scrape(operator.port)
        began = time.monotonic()
        kubectl.run("delete", names.RUN_PLURAL, "doomed", f"--cascade={cascade}", "--timeout=60s")
        await_true(
            lambda: not kubectl.get(EVERYTHING, "-l", selector(run))["items"], 60, "leftovers"
        )
        assert time.monotonic() - began < 60
        await_true(lambda: 'run="doomed"' not in scrape(operator.port), 10, "stale series")
        assert not kubectl.get(names.RUN_PLURAL)["items"]


def delete_namespace(kubectl) -> float:
    began = time.monotonic()
    kubectl.run("delete", "namespace", kubectl.namespace, "--timeout=90s", seconds=100)
    return time.monotonic() - began


def remake_namespace(kubectl) -> None:
    """For the fixture, which deletes it in the end."""
    kubectl.run("create", "namespace", kubectl.namespace)


def test_a_namespace_deleted_in_the_middle_goes_with_the_operator_outside(
    kubectl, images, tiny_image, tmp_path
):
    with watched_operator(kubectl, images, tmp_path):
        start_work(kubectl)
        assert delete_namespace(kubectl) < 60
    remake_namespace(kubectl)


def test_a_namespace_deleted_in_the_middle_goes_with_the_operator_inside(
    kubectl, images, tiny_image
):
    install_inside(kubectl, images)
    start_work(kubectl)
    assert delete_namespace(kubectl) < 60
    with pytest.raises(ClusterError, match="not found"):
        kubectl.get("namespace", kubectl.namespace)
    remake_namespace(kubectl)
