"""A pod that the cluster will not have: said within seconds with its fix, and mended without a new run."""

import time

import pytest
from tests.cluster.config import ClusterError
from tests.cluster_promises.scene import (
    assert_true_end,
    charges,
    events_of,
    reason,
    run_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import await_true, condition, suite_config_map, wait_for_end

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

ENFORCE = "pod-security.kubernetes.io/enforce"


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def label(kubectl, text: str) -> None:
    kubectl.run("label", "namespace", kubectl.namespace, text, "--overwrite")


def test_pod_security_is_told_within_ten_seconds_and_a_mended_namespace_goes_on(kubectl, operator):
    label(kubectl, f"{ENFORCE}=restricted")
    kubectl.apply(suite_config_map(scripted("i0")), scripted_run("strict"))
    began = time.monotonic()
    run = wait_for(kubectl, "strict", lambda run: reason(run) == names.REASON_POD_SECURITY, 30)
    assert time.monotonic() - began < 10
    told = condition(run, "Progressing")
    assert told["status"] == "False"
    assert "restricted" in told["message"]
    assert f"{ENFORCE}=baseline" in told["message"]
    assert names.REASON_POD_SECURITY in events_of(kubectl, run)
    label(kubectl, f"{ENFORCE}-")
    run = wait_for_end(kubectl, "strict", 100)
    assert_true_end(kubectl, run, {"i0": "resolved"})
    assert charges(kubectl, run) == []


def test_a_quota_is_told_and_a_raised_one_goes_on(kubectl, operator):
    def quota(pods: int) -> dict:
        metadata = {"name": "few"}
        hard = {"hard": {"pods": str(pods)}}
        return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": hard}

    kubectl.apply(quota(0))
    kubectl.wait_until(["resourcequota", "few"], lambda found: "hard" in found.get("status", {}))
    kubectl.apply(suite_config_map(scripted("i0")), scripted_run("poor"))
    run = wait_for(kubectl, "poor", lambda run: reason(run) == names.REASON_QUOTA, 15)
    assert "exceeded quota: few" in condition(run, "Progressing")["message"]
    kubectl.apply(quota(5))
    run = wait_for_end(kubectl, "poor", 100)
    assert_true_end(kubectl, run, {"i0": "resolved"})
    assert charges(kubectl, run) == []


@pytest.mark.long
def test_a_job_quota_is_told_and_a_raised_one_goes_on(kubectl, operator):
    def quota(jobs: int) -> dict:
        metadata = {"name": "jobs"}
        hard = {"hard": {"count/jobs.batch": str(jobs)}}
        return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": hard}

    kubectl.apply(quota(0))
    kubectl.wait_until(["resourcequota", "jobs"], lambda found: "hard" in found.get("status", {}))
    kubectl.apply(suite_config_map(scripted("i0")), scripted_run("jobless"))
    wait_for(kubectl, "jobless", lambda run: reason(run) == names.REASON_QUOTA, 15)
    kubectl.apply(quota(5))
    run = wait_for_end(kubectl, "jobless", 60)
    assert_true_end(kubectl, run, {"i0": "resolved"})


@pytest.mark.early
@pytest.mark.long
def test_a_missing_image_costs_its_own_instance_only(kubectl, operator):
    """The first verdict is kept, the pod is not waited for without end, the third gets its turn."""
    absent = scripted("absent", image="localhost/benchwarden-not-there:1")
    kubectl.apply(suite_config_map(scripted("first"), absent, scripted("third")))
    # The kubelet tells of a failed pull 10 to 15 s after it: the patience must be longer to see it told.
    execution = {"batchSize": 3, "pendingTimeoutSeconds": 20, "infraRetriesPerTrial": 1}
    kubectl.apply(scripted_run("pulling", execution=execution))
    waiting = wait_for(
        kubectl, "pulling", lambda run: reason(run) == names.REASON_WAITING_FOR_PODS, 60
    )
    assert "not-there" in condition(waiting, "Progressing")["message"]
    run = wait_for_end(kubectl, "pulling", 120)
    assert charges(kubectl, run) == [("absent", "image_pull")] * 2
    assert_true_end(
        kubectl,
        run,
        {"first": "resolved", "third": "resolved"},
        names.REASON_COMPLETED_WITH_MISSING,
    )
    assert run["status"]["coverage"] == "0.6667"


@pytest.mark.long
def test_what_no_node_can_hold_is_missing_and_said_to_be_unschedulable(kubectl, operator):
    kubectl.apply(suite_config_map(scripted("i0")))
    execution = {
        "nodeSelector": {"example.test/none": "such"},
        "pendingTimeoutSeconds": 10,
        "infraRetriesPerTrial": 0,
    }
    kubectl.apply(scripted_run("nowhere", execution=execution))
    wait_for(kubectl, "nowhere", lambda run: reason(run) == names.REASON_WAITING_FOR_PODS, 15)
    run = wait_for_end(kubectl, "nowhere", 60)
    assert condition(run, "Succeeded")["reason"] == names.REASON_NO_VERDICTS
    assert run["status"]["outcomes"] == {"unschedulable": 1}
    assert run_of(kubectl, "nowhere")["status"]["counts"]["missing"] == 1


def limit_range(memory: str) -> dict:
    limit = {"type": "Container", "max": {"memory": memory}}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small"},
        "spec": {"limits": [limit]},
    }


@pytest.mark.long
def test_a_limit_range_is_told_in_its_own_words_and_a_raised_one_goes_on(kubectl, operator):
    kubectl.apply(limit_range("32Mi"))
    kubectl.apply(suite_config_map(scripted("i0")), scripted_run("large"))
    run = wait_for(kubectl, "large", lambda run: reason(run) == names.REASON_POD_REFUSED, 30)
    assert "maximum memory usage per Container is 32Mi" in condition(run, "Progressing")["message"]
    kubectl.apply(limit_range("8Gi"))
    run = wait_for_end(kubectl, "large", 100)
    assert_true_end(kubectl, run, {"i0": "resolved"})
    assert charges(kubectl, run) == []


@pytest.mark.long
def test_a_policy_of_the_cluster_that_refuses_pods_is_told_and_a_removed_one_goes_on(
    kubectl, operator
):
    """A ValidatingAdmissionPolicy stands for every admission webhook: the refusal reaches us alike."""
    name = kubectl.namespace
    chosen = {"matchLabels": {"kubernetes.io/metadata.name": kubectl.namespace}}
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": chosen},
            "validations": [{"expression": "false", "message": "no pods on Mondays"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    probe = ("run", "probe", "--image=x", "--dry-run=server")
    try:
        kubectl.apply(policy, binding)
        await_true(lambda: refused(kubectl, *probe), 30, "the policy is not in force")
        kubectl.apply(suite_config_map(scripted("i0")), scripted_run("monday"))
        run = wait_for(kubectl, "monday", lambda run: reason(run) == names.REASON_POD_REFUSED, 30)
        assert "no pods on Mondays" in condition(run, "Progressing")["message"]
    finally:
        kubectl.run("delete", "validatingadmissionpolicybinding", name, "--ignore-not-found")
        kubectl.run("delete", "validatingadmissionpolicy", name, "--ignore-not-found")
    run = wait_for_end(kubectl, "monday", 100)
    assert_true_end(kubectl, run, {"i0": "resolved"})
    assert charges(kubectl, run) == []


def refused(kubectl, *arguments: str) -> bool:
    try:
        kubectl.run(*arguments)
    except ClusterError as error:
        return "no pods on Mondays" in str(error)
    return False
