"""A node that runs out of memory evicts a batch: who was at work is charged to the node, and is done again."""

import contextlib
import json
import time

import pytest
from tests.cluster.config import NODE_NAME, paths
from tests.cluster.lifecycle import start_component, stop_component
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    await_work,
    charges,
    events_of,
    run_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import await_true, suite_config_map, wait_for_end

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

MEBIBYTE = 1 << 20
# The agent takes this much, far below what the machine has; the threshold is put just under what is free.
TAKEN = 1200
MARGIN = 600
EAT_AND_STAY = f"python3 -c 'import time; x = b\"x\" * ({TAKEN} << 20); time.sleep(45)'\n" + SOLVE


@pytest.fixture
def operator(cluster, kubectl, images, tiny_image, tmp_path):
    if not cluster.own:
        pytest.skip("only the project's own kubelet may be given another threshold")
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


@contextlib.contextmanager
def a_kubelet_with(**changes):
    """The node's kubelet, started again with other settings, and afterwards with its own."""
    file = paths().config / "kubelet.json"
    own = file.read_text()
    try:
        file.write_text(json.dumps(json.loads(own) | changes))
        restart()
        yield
    finally:
        file.write_text(own)
        restart()


def restart() -> None:
    stop_component("kubelet")
    start_component("kubelet")


def available_mebibytes(kubectl) -> int:
    """What the kubelet itself counts as available."""
    path = f"/api/v1/nodes/{NODE_NAME}/proxy/stats/summary"
    summary = json.loads(kubectl.run("get", "--raw", path))
    return int(summary["node"]["memory"]["availableBytes"]) // MEBIBYTE


def under_pressure(kubectl) -> bool:
    node = kubectl.get("node", NODE_NAME)
    conditions = node["status"]["conditions"]
    return any(each["type"] == "MemoryPressure" and each["status"] == "True" for each in conditions)


def test_a_batch_evicted_by_memory_pressure_is_done_again_and_the_node_is_charged(
    kubectl, operator
):
    threshold = available_mebibytes(kubectl) - MARGIN
    assert threshold > 2048, "the machine has too little memory for this test"
    eviction = {
        "evictionHard": {"memory.available": f"{threshold}Mi", "nodefs.available": "1%"},
        "evictionPressureTransitionPeriod": "10s",
    }
    eats = scripted("eats", EAT_AND_STAY)
    kubectl.apply(suite_config_map(scripted("first"), eats, scripted("third")))
    resources = {
        "requests": {"cpu": "20m", "memory": "64Mi"},
        "limits": {"memory": f"{TAKEN + 400}Mi"},
    }
    with a_kubelet_with(**eviction):
        kubectl.apply(scripted_run("pressed", execution={"batchSize": 3, "resources": resources}))
        wait_for(kubectl, "pressed", lambda run: run.get("status"))
        run = run_of(kubectl, "pressed")
        await_work(kubectl, run, "eats")
        await_true(lambda: under_pressure(kubectl), 60, "the node is under no pressure")
        wait_for(kubectl, "pressed", lambda run: run["status"]["counts"]["retried"], 120)
        evicted_at = time.monotonic()
    run = wait_for_end(kubectl, "pressed", 240)
    print(
        f"\nrecovered after {time.monotonic() - evicted_at:.0f} s, two restarts of kubelet included"
    )
    assert charges(kubectl, run) == [("eats", "evicted")]
    assert_true_end(kubectl, run, dict.fromkeys(("first", "eats", "third"), "resolved"))
    told = events_of(kubectl, run)["InfrastructureFailure"]
    assert "evicted" in told
    assert "eats" in told
    assert not under_pressure(kubectl)
