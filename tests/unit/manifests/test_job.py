"""The batch Job and its pod."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.manifests.builders import (
    CLAUDE,
    ORACLE,
    RUN,
    SETTINGS,
    batch_of,
    containers_of,
    instance,
    job_of,
    mount_of,
    panel,
    pod_of,
    run_spec,
    volume_of,
)

from benchwarden.manifests.inputs import batch_inputs, pack
from benchwarden.manifests.job import batch_job, members_annotation
from benchwarden.manifests.naming import job_name
from benchwarden.planning.plan import Batch, Member
from benchwarden_runner import protocol


def test_the_chain_is_inject_then_agent_and_grader_of_each_instance_then_finish() -> None:
    job = job_of(run_spec(), instance("a"), instance("b"), instance("c"))

    assert [each["name"] for each in pod_of(job)["initContainers"]] == [
        "inject",
        "agent-0",
        "grade-0",
        "agent-1",
        "grade-1",
        "agent-2",
        "grade-2",
    ]
    assert [each["name"] for each in pod_of(job)["containers"]] == ["finish"]


def test_a_job_tries_one_pod_once_and_never_two_at_a_time() -> None:
    spec = job_of(run_spec())["spec"]

    assert pod_of(job_of(run_spec()))["restartPolicy"] == "Never"
    assert spec["backoffLimit"] == 0
    assert spec["podReplacementPolicy"] == "Failed"
    assert (spec["completions"], spec["parallelism"]) == (1, 1)
    assert "podFailurePolicy" not in spec


def test_the_deadline_is_the_pods_and_adds_up_what_may_rightly_take_time() -> None:
    spec = run_spec(
        execution={
            "agentTimeoutSeconds": 1000,
            "gradeTimeoutSeconds": 100,
            "pullAllowanceSeconds": 30,
            "throttleAllowanceSeconds": 7,
        }
    )
    slow = instance("slow", agent_timeout_seconds=2000, grade_timeout_seconds=400)
    job = job_of(spec, instance("usual"), slow)

    inject = 30 + 60
    usual, own = 1000 + 7 + 100 + 30, 2000 + 7 + 400 + 30
    assert pod_of(job)["activeDeadlineSeconds"] == inject + usual + own + 120
    assert "activeDeadlineSeconds" not in job["spec"]


def test_agents_and_graders_bring_their_own_interpreter() -> None:
    containers = containers_of(job_of(run_spec(), instance("a")))

    python = "/benchwarden/tools/python"
    assert containers["agent-0"]["command"] == [
        *(f"{python}/ld-linux", "--library-path", f"{python}/lib", f"{python}/bin/python3"),
        *("-I", "/benchwarden/tools/app", "agent"),
        *("--input", "/benchwarden/input", "--work", "/benchwarden/work"),
        *("--tools", "/benchwarden/tools", "--message", "/dev/termination-log"),
        *("--message-bytes", "2457"),
    ]
    assert containers["grade-0"]["command"][6] == "grade"
    assert containers["inject"]["command"] == [
        *("python3", "-I", "/opt/benchwarden/app", "inject", "--tools", "/benchwarden/tools"),
        *("--agent", "oracle"),
    ]
    assert containers["finish"]["command"] == ["python3", "-I", "/opt/benchwarden/app", "finish"]


def test_agent_and_grader_of_an_instance_have_its_image_and_the_same_resources() -> None:
    containers = containers_of(job_of(run_spec(), instance("a"), instance("b", image="b:2")))

    assert containers["agent-1"]["image"] == containers["grade-1"]["image"] == "b:2"
    assert containers["agent-0"]["image"] == "localhost/calc:1"
    assert containers["inject"]["image"] == containers["finish"]["image"] == SETTINGS.runner_image
    assert containers["agent-0"]["resources"] == containers["grade-0"]["resources"]


def test_a_job_belongs_to_its_run_and_blocks_its_foreground_deletion() -> None:
    job = job_of(run_spec())

    assert job["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "benchwarden.dev/v1alpha1",
            "kind": "BenchmarkRun",
            "name": "nightly",
            "uid": RUN.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert job["metadata"]["namespace"] == "bench"


def test_a_job_and_its_pod_say_which_run_and_members_they_are_for() -> None:
    job = job_of(run_spec(), instance("a"), instance("b"))

    for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
        assert metadata["labels"]["benchwarden.dev/run-uid"] == RUN.uid
        assert metadata["labels"]["benchwarden.dev/role"] == "batch"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "benchwarden"
        assert json.loads(metadata["annotations"]["benchwarden.dev/members"]) == [
            ["a", 0, 1],
            ["b", 0, 1],
        ]


def test_a_job_is_named_after_its_members() -> None:
    job = job_of(run_spec(), instance("a"))

    assert job["metadata"]["name"] == job_name(RUN.name, RUN.uid, [Member("a", 0, 1)])


def test_a_queue_gets_the_job_suspended_and_labelled() -> None:
    job = job_of(run_spec(execution={"queueName": "team-a"}))

    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert job["spec"]["suspend"] is True


def test_without_a_queue_a_job_starts_at_once() -> None:
    job = job_of(run_spec())

    assert "kueue.x-k8s.io/queue-name" not in job["metadata"]["labels"]
    assert "suspend" not in job["spec"]


@pytest.mark.parametrize(
    ("policy", "ttl"), [("Always", 259200), ("OnSuccess", None), ("Never", None)]
)
def test_only_jobs_that_are_deleted_anyway_have_a_time_to_live(
    policy: str, ttl: int | None
) -> None:
    job = job_of(run_spec(cleanupPolicy=policy))

    assert job["spec"].get("ttlSecondsAfterFinished") == ttl


def test_a_pod_has_no_service_links_and_goes_quickly() -> None:
    pod = pod_of(job_of(run_spec()))

    assert pod["enableServiceLinks"] is False
    assert pod["terminationGracePeriodSeconds"] <= 10


def test_an_autoscaler_and_a_mesh_are_asked_to_leave_the_pod_alone() -> None:
    metadata = job_of(run_spec())["spec"]["template"]["metadata"]

    assert metadata["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert metadata["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    assert metadata["labels"]["sidecar.istio.io/inject"] == "false"


def test_the_tools_have_the_image_pull_policies_asked_for() -> None:
    containers = containers_of(job_of(run_spec(execution={"imagePullPolicy": "Never"})))

    assert containers["agent-0"]["imagePullPolicy"] == "Never"
    assert containers["inject"]["imagePullPolicy"] == "IfNotPresent"


def test_members_are_written_in_the_order_in_which_they_run() -> None:
    batch = Batch((Member("b", 1, 2), Member("a", 0, 1)))

    assert members_annotation(batch) == '[["b",1,2],["a",0,1]]'


ids = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=60),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(ids, st.sampled_from([ORACLE, CLAUDE]), st.integers(0, 2))
def test_any_batch_keeps_its_messages_names_and_mounts(
    chosen: list[str], agent: dict[str, Any], extra: int
) -> None:
    spec = run_spec(agent)
    instances = panel(*(instance(each, prompt=each * 50) for each in chosen))
    batch = Batch(tuple(Member(each, trial, 1) for trial, each in enumerate(chosen)))
    job = batch_job(RUN, spec, batch, instances, SETTINGS)
    pod = pod_of(job)
    containers = containers_of(job)

    assert len(containers) == len(pod["initContainers"]) + 1 == 2 * len(chosen) + 2
    assert len(job["metadata"]["name"]) <= 52
    for container in containers.values():
        assert {m["name"] for m in container["volumeMounts"]} <= {v["name"] for v in pod["volumes"]}
    for position in range(len(chosen)):
        for name in (f"agent-{position}", f"grade-{position}"):
            limit = int(containers[name]["command"][-1])
            assert limit == protocol.message_limit_bytes(len(chosen))
            assert limit * len(containers) <= protocol.POD_MESSAGE_BYTES
            work = mount_of(containers[name], "/benchwarden/work")
            assert work is not None
            assert work["subPath"] == str(position)
            assert work["readOnly"] == name.startswith("grade")

    maps = batch_inputs(RUN, pack(spec, batch, instances, SETTINGS), job["metadata"]["name"], "u")
    held = {(m["metadata"]["name"], key) for m in maps for key in m["binaryData"]}
    wanted = {
        (source["configMap"]["name"], item["key"])
        for name in containers
        if name not in {"inject", "finish"}
        for source in volume_of(job, f"input-{name}")["projected"]["sources"]
        for item in source["configMap"]["items"]
    }
    assert wanted == held


def test_a_message_limit_counts_the_containers_that_the_cluster_adds() -> None:
    settings = type(SETTINGS)(runner_image="r", message_extra_containers=2)
    members = (instance("a"),)
    job = batch_job(RUN, run_spec(), batch_of(*members), panel(*members), settings)

    assert containers_of(job)["agent-0"]["command"][-1] == str(12288 // 7)
