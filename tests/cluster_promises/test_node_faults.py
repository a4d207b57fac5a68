"""What happens to nodes and their programs costs no verdict: the work is done again, in its true class."""

import pytest
from tests.cluster.lifecycle import start_component, stop_component
from tests.cluster_promises.scene import (
    SMALL,
    SOLVE,
    assert_true_end,
    await_work,
    charges,
    pods_of,
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

THREE = {f"i{n}": "resolved" for n in range(3)}


@pytest.fixture
def operator(cluster, kubectl, images, tiny_image, tmp_path):
    if not cluster.own:
        pytest.skip("only the project's own node may be taken away")
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def start(kubectl, name: str, **execution):
    """A run of three in one batch, up to the second agent at work; the run and its pod."""
    kubectl.apply(suite_config_map(*(scripted(each, "sleep 6\n" + SOLVE) for each in THREE)))
    kubectl.apply(scripted_run(name, execution={"batchSize": 3, **execution}))
    wait_for(kubectl, name, lambda run: run.get("status"))
    run = run_of(kubectl, name)
    return run, await_work(kubectl, run, "i1")


@pytest.mark.parametrize("component", ["kubelet", "containerd"])
def test_a_restart_of_the_nodes_programs_costs_nothing(kubectl, operator, component):
    start(kubectl, "nodded")
    stop_component(component, kill=True)
    start_component(component)
    run = wait_for_end(kubectl, "nodded", 150)
    assert_true_end(kubectl, run, THREE)
    assert charges(kubectl, run) == []


def test_work_on_a_node_that_is_gone_is_done_again_elsewhere(kubectl, operator):
    run, pod = start(kubectl, "bereft")
    node = pod["spec"]["nodeName"]
    stop_component("kubelet", kill=True)
    try:
        kubectl.run("delete", "node", node)
        gone = pod["metadata"]["name"]
        await_true(
            lambda: all(each["metadata"]["name"] != gone for each in pods_of(kubectl, run)),
            150,
            "the pod of the lost node is not given up",
        )
    finally:
        start_component("kubelet")
    kubectl.wait_until(["nodes"], lambda nodes: any(map(is_ready, nodes["items"])), 60)
    run = wait_for_end(kubectl, "bereft", 150)
    assert charges(kubectl, run) == [("i1", "node_lost")]
    assert_true_end(kubectl, run, THREE)


def test_a_pod_that_cannot_be_deleted_is_given_up_and_its_work_is_done_again(kubectl, operator):
    run, pod = start(kubectl, "stuck")
    stop_component("kubelet", kill=True)
    try:
        kubectl.run("delete", "pod", pod["metadata"]["name"], "--wait=false")
        await_true(
            lambda: charges(kubectl, run) == [("i1", "node_lost")],
            240,
            "the pod that nobody deletes is not given up",
        )
    finally:
        start_component("kubelet")
    run = wait_for_end(kubectl, "stuck", 150)
    assert charges(kubectl, run) == [("i1", "node_lost")]
    assert_true_end(kubectl, run, THREE)


def is_ready(node) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def priority_class(name: str, value: int) -> dict:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
    }


def a_pod_for_the_whole_node(kubectl, image: str, requests: str, priority: str) -> dict:
    container = {
        "name": "main",
        "image": image,
        "command": ["sh", "-c", "exit 0"],
        "resources": {"requests": {"cpu": requests}},
    }
    spec = {
        "restartPolicy": "Never",
        "priorityClassName": priority,
        "containers": [container],
    }
    metadata = {"name": "important", "namespace": kubectl.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_preempted_batch_is_done_again_and_charged_to_nobodys_agent(kubectl, operator, cluster):
    kubectl.apply(priority_class("benchwarden-test-low", 10))
    kubectl.apply(priority_class("benchwarden-test-high", 1000))
    try:
        resources = {**SMALL, "requests": {"cpu": "1500m", "memory": "64Mi"}}
        low = {"resources": resources, "priorityClassName": "benchwarden-test-low"}
        start(kubectl, "yielding", **low)
        important = a_pod_for_the_whole_node(
            kubectl, cluster.busybox, "1500m", "benchwarden-test-high"
        )
        kubectl.apply(important)
        run = wait_for_end(kubectl, "yielding", 200)
        assert charges(kubectl, run) == [("i1", "preempted")]
        assert_true_end(kubectl, run, THREE)
    finally:
        for name in ("benchwarden-test-low", "benchwarden-test-high"):
            kubectl.run("delete", "priorityclass", name, "--ignore-not-found")
