"""Every way an instance can end on a real kubelet has its class, and costs no other instance its verdict."""

import pytest
from tests.cluster_promises.scene import (
    BURST,
    EAT_MEMORY,
    SOLVE,
    assert_true_end,
    charges,
    events_of,
    scripted,
    scripted_run,
    watched_operator,
)
from tests.installed import suite_config_map, wait_for_end

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def test_each_end_of_an_agent_has_its_class(kubectl, operator):
    kubectl.apply(
        suite_config_map(
            scripted("first"),
            scripted("hangs", SOLVE + "sleep 600", timeouts={"agent_seconds": 3}),
            scripted("fails", SOLVE + "exit 3"),
            scripted("wrong", "echo '#' >> add.sh"),
            scripted("idle", "true"),
            scripted("eats", SOLVE + EAT_MEMORY),
            scripted("bursts", SOLVE + BURST),
            scripted("last"),
        )
    )
    kubectl.apply(scripted_run("agents", execution={"batchSize": 8}))
    run = wait_for_end(kubectl, "agents", 120)
    assert_true_end(
        kubectl,
        run,
        {
            "first": "resolved",
            "hangs": "agent_timeout",
            "fails": "agent_error",
            "wrong": "unresolved",
            "idle": "empty_patch",
            "eats": "agent_oom",
            "bursts": "agent_oom",
            "last": "resolved",
        },
    )
    assert sorted(charges(kubectl, run)) == [("bursts", "agent_oom"), ("eats", "agent_oom")]
    assert run["status"]["passRate"] == "0.2500"


def test_each_end_of_a_grader_has_its_class(kubectl, operator):
    kubectl.apply(
        suite_config_map(
            scripted("first"),
            scripted("hangs", test_command="sleep 600", timeouts={"grade_seconds": 3}),
            scripted("eats", test_command=EAT_MEMORY),
            scripted("bursts", test_command=BURST),
            scripted("kills", test_command="kill -9 $PPID; kill -9 1; exit 1"),
            scripted("last"),
        )
    )
    execution = {"batchSize": 6, "infraRetriesPerTrial": 1}
    kubectl.apply(scripted_run("graders", execution=execution))
    run = wait_for_end(kubectl, "graders", 150)
    assert_true_end(
        kubectl,
        run,
        {
            "first": "resolved",
            "eats": "agent_oom",
            "bursts": "agent_oom",
            "hangs": "unresolved",
            "kills": "unresolved",
            "last": "resolved",
        },
    )
    assert sorted(charges(kubectl, run)) == [
        ("bursts", "agent_oom"),
        ("eats", "agent_oom"),
        ("hangs", "grader_error"),
        ("hangs", "grader_error"),
    ]
    told = events_of(kubectl, run)
    assert "hangs" in told["InfrastructureFailure"]
    assert "agent_oom" in told["LimitReached"]
