"""Whatever dies in the middle of a run, every instance gets exactly one verdict and the run ends true."""

import json

import pytest
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    await_work,
    charges,
    instances_in,
    jobs_of,
    pods_of,
    run_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import (
    await_true,
    condition,
    ended,
    install_inside,
    suite_config_map,
    wait_for_end,
)

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

SLOWLY = "sleep 4\n" + SOLVE


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def test_an_operator_killed_again_and_again_loses_and_repeats_nothing(kubectl, operator):
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", SLOWLY) for n in range(4))))

    def crash() -> None:
        operator.kill()
        operator.start()

    kubectl.apply(scripted_run("killed", execution={"batchSize": 2}))
    crash()  # before anything was planned
    run = run_of(kubectl, "killed")
    await_true(lambda: jobs_of(kubectl, run), 60, "no Jobs")
    crash()  # when Jobs were just made
    for valid in (1, 3):
        wait_for(kubectl, "killed", lambda run, n=valid: valid_of(run) >= n)
        crash()  # when a verdict was told and not stored
    wait_for(kubectl, "killed", ended)
    crash()  # when the end was told
    run = wait_for_end(kubectl, "killed")
    assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(4)})
    assert charges(kubectl, run) == []


def valid_of(run) -> int:
    return run.get("status", {}).get("counts", {}).get("valid", 0)


@pytest.mark.early
@pytest.mark.timeout(450)
@pytest.mark.long
def test_what_is_taken_away_under_a_run_is_done_again(kubectl, operator):
    """A pod, a Job, an evicted pod and a pod over its disk limit: each in its class, each retried."""
    # The kubelet measures disks about once a minute: the agent must still be there when it does.
    fill = "fallocate -l 700M /benchwarden/work/big && sleep 150\n" + SOLVE
    once = "sleep 8\n" + SOLVE
    kubectl.apply(
        suite_config_map(
            *(scripted(each, once) for each in ("pod", "job", "evicted", "spared")),
            scripted("disk", fill),
        )
    )
    kubectl.apply(scripted_run("robbed", execution={"batchSize": 1}))
    wait_for(kubectl, "robbed", lambda run: run.get("status"))
    run = run_of(kubectl, "robbed")
    victim = await_work(kubectl, run, "pod")
    kubectl.run("delete", "pod", victim["metadata"]["name"], "--wait=false")
    await_work(kubectl, run, "job")
    (job,) = (each for each in jobs_of(kubectl, run) if instances_in(each) == ["job"])
    kubectl.run("delete", "job", job["metadata"]["name"], "--wait=false")
    evict(kubectl, await_work(kubectl, run, "evicted"))
    run = wait_for_end(kubectl, "robbed", 320)
    resolved = dict.fromkeys(("pod", "job", "evicted", "spared"), "resolved")
    assert sorted(charges(kubectl, run)) == [
        ("disk", "agent_disk"),
        ("evicted", "drained"),
        ("job", "drained"),
        ("pod", "drained"),
    ]
    assert_true_end(kubectl, run, {**resolved, "disk": "agent_disk"})


def evict(kubectl, pod) -> None:
    metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
    kubectl.run("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def test_all_pods_deleted_at_once_come_again_and_keep_the_verdicts_they_gave(kubectl, operator):
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", "sleep 5\n" + SOLVE) for n in range(6))))
    kubectl.apply(scripted_run("swept", execution={"batchSize": 3}))
    wait_for(kubectl, "swept", lambda run: valid_of(run) >= 2)
    run = run_of(kubectl, "swept")
    graded = valid_of(run)
    names_ = [each["metadata"]["name"] for each in pods_of(kubectl, run)]
    kubectl.run("delete", "pods", *names_, "--force", "--grace-period=0", "--wait=false")
    run = wait_for_end(kubectl, "swept", 120)
    assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(6)})
    lost = charges(kubectl, run)
    assert {outcome for _, outcome in lost} == {"drained"}
    assert len(lost) <= 2, "only who was at work is charged"
    assert graded <= 6 - len(lost)
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED


def test_an_operator_in_a_pod_that_is_torn_away_has_a_successor_that_ends_the_run(
    kubectl, images, tiny_image
):
    """The successor has another name, so it must wait until the lease is free."""
    install_inside(kubectl, images)
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", "sleep 5\n" + SOLVE) for n in range(4))))
    kubectl.apply(scripted_run("orphaned", execution={"batchSize": 2}))
    wait_for(kubectl, "orphaned", lambda run: valid_of(run) >= 1)
    operators = ["pods", "-l", f"{names.LABEL_COMPONENT}=operator"]
    kubectl.run("delete", *operators, "--force", "--grace-period=0")
    run = wait_for_end(kubectl, "orphaned", 120)
    assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(4)})
    assert charges(kubectl, run) == []
