"""Artifacts in a batch pod: who may see what, who holds the credentials, and that nothing else changes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.manifests.builders import (
    RUN,
    SETTINGS,
    claude_with,
    containers_of,
    instance,
    job_of,
    mount_of,
    pod_of,
    run_spec,
    volume_of,
)

from benchwarden import names
from benchwarden.artifacts.assignment import Assignment
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.acceptance import check
from benchwarden.manifests.network import network_policy, unopened_hosts

VOLUME = {"persistentVolumeClaim": {"claimName": "kept", "path": "nightly"}}
BUCKET = {
    "s3": {
        "url": "s3://bench/nightly",
        "endpointUrl": "http://192.0.2.7:9000",
        "credentials": {"name": "storage"},
    }
}
BOTH = pytest.mark.parametrize("artifacts", [VOLUME, BUCKET], ids=["volume", "bucket"])


def job_with(artifacts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return job_of(run_spec(artifacts=artifacts, **more), instance("a"), instance("b"))


@BOTH
def test_the_uploader_is_a_sidecar_that_starts_before_any_agent(artifacts: dict[str, Any]) -> None:
    chain = pod_of(job_with(artifacts))["initContainers"]

    assert [each["name"] for each in chain][:3] == ["inject", "uploader", "agent-0"]
    assert chain[1]["restartPolicy"] == "Always"
    assert [each["name"] for each in chain if "restartPolicy" in each] == ["uploader"]
    assert chain[1]["image"] == SETTINGS.uploader_image


@BOTH
def test_only_the_uploader_holds_the_storage(artifacts: dict[str, Any]) -> None:
    containers = containers_of(job_with(artifacts))
    others = json.dumps([each for name, each in containers.items() if name != "uploader"])

    assert "storage" not in others
    assert "AWS_" not in others
    assert names.MOUNT_ARTIFACTS not in others
    assert "kept" not in others


@BOTH
def test_each_grader_leaves_its_log_in_a_place_that_only_the_uploader_reads(
    artifacts: dict[str, Any],
) -> None:
    containers = containers_of(job_with(artifacts))

    for position in ("0", "1"):
        mount = mount_of(containers[f"grade-{position}"], names.MOUNT_LOGS)
        assert mount is not None
        assert (mount["subPath"], mount.get("readOnly", False)) == (position, False)
        assert f"{names.MOUNT_LOGS}/test.log" in containers[f"grade-{position}"]["command"]
        assert mount_of(containers[f"agent-{position}"], names.MOUNT_LOGS) is None
        work = mount_of(containers[f"grade-{position}"], names.MOUNT_WORK)
        assert work is not None
        assert work["readOnly"] is True


@BOTH
def test_the_uploader_reads_all_and_writes_nothing_of_the_pod(artifacts: dict[str, Any]) -> None:
    uploader = containers_of(job_with(artifacts))["uploader"]
    writable = {
        mount["mountPath"] for mount in uploader["volumeMounts"] if not mount.get("readOnly", False)
    }

    assert writable <= {"/dev/shm", names.MOUNT_ARTIFACTS}
    assert uploader["securityContext"]["readOnlyRootFilesystem"] is True
    assert uploader["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not [m for m in uploader["volumeMounts"] if m["name"].startswith("input-grade")]


def test_storage_credentials_are_references_and_a_missing_secret_holds_nothing_up() -> None:
    environment = {e["name"]: e for e in containers_of(job_with(BUCKET))["uploader"]["env"]}

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert environment[name]["valueFrom"] == {
            "secretKeyRef": {"name": "storage", "key": name, "optional": True}
        }


def test_the_agents_key_is_not_the_uploaders() -> None:
    job = job_of(run_spec(claude_with(), artifacts=BUCKET), instance("a"))

    assert "ANTHROPIC" in json.dumps(containers_of(job)["agent-0"]["env"])
    assert "ANTHROPIC" not in json.dumps(containers_of(job)["uploader"])


def test_the_assignment_says_where_and_whose() -> None:
    environment = {e["name"]: e for e in containers_of(job_with(VOLUME))["uploader"]["env"]}
    assignment = Assignment.from_json(environment[names.ENV_UPLOAD]["value"])

    assert str(assignment.destination) == "/benchwarden/artifacts/nightly"
    assert assignment.run == f"{RUN.namespace}/{RUN.name}/{RUN.uid}"
    assert [member.instance for member in assignment.members] == ["a", "b"]


def test_a_volume_is_owned_by_the_uploaders_group_and_a_bucket_needs_none() -> None:
    assert pod_of(job_with(VOLUME))["securityContext"]["fsGroup"] == SETTINGS.runner_user
    assert "fsGroup" not in pod_of(job_with(BUCKET))["securityContext"]
    assert volume_of(job_with(VOLUME), "artifacts")["persistentVolumeClaim"] == {
        "claimName": "kept"
    }


def test_the_disk_limit_grows_by_what_graders_may_leave() -> None:
    execution = {"resources": {"limits": {"ephemeralStorage": "1Gi"}}}

    def limit(**more: Any) -> int:
        job = job_of(run_spec(execution=execution, **more), instance("a"))
        return int(containers_of(job)["finish"]["resources"]["limits"]["ephemeral-storage"])

    logs = int(volume_of(job_with(BUCKET), "logs")["emptyDir"]["sizeLimit"].removesuffix("Mi"))
    assert limit(artifacts=BUCKET) - limit() == logs // 2 * 1024**2


def test_without_artifacts_nothing_is_added() -> None:
    none = job_of(run_spec(artifacts={"none": {}}))

    assert "uploader" not in containers_of(none)
    assert "--log" not in json.dumps(none)


def test_the_storages_address_is_opened_where_a_policy_can_say_it() -> None:
    policy = network_policy(RUN, run_spec(artifacts=BUCKET), SETTINGS)
    assert policy is not None
    assert {
        "to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}],
        "ports": [{"port": 9000, "protocol": "TCP"}],
    } in policy["spec"]["egress"]

    aws = {"s3": {"url": "s3://bench", "credentials": {"name": "storage"}}}
    assert unopened_hosts(run_spec(artifacts=aws)) == ("s3.amazonaws.com",)


@BOTH
def test_an_installation_that_cannot_upload_says_so(artifacts: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="BENCHWARDEN_UPLOADER_IMAGE") as refusal:
        check(run_spec(artifacts=artifacts), [instance()], replace(SETTINGS, uploader_image=""))

    assert (refusal.value.reason, refusal.value.field) == ("Unsupported", "spec.artifacts")
