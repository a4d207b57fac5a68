"""The probe Job."""

import json

from tests.unit.manifests.builders import (
    CLAUDE,
    RUN,
    SETTINGS,
    claude_with,
    containers_of,
    mount_of,
    pod_of,
    run_spec,
    volume_of,
)

from benchwarden.manifests.inputs import probe_input
from benchwarden.manifests.naming import probe_name
from benchwarden.manifests.probe import probe_job


def test_a_probe_checks_what_was_injected_with_the_agents_credentials() -> None:
    containers = containers_of(probe_job(RUN, run_spec(CLAUDE), SETTINGS, 1))

    assert list(containers) == ["inject", "probe"]
    assert containers["probe"]["command"] == [
        *("python3", "-I", "/opt/benchwarden/app", "probe", "--input", "/benchwarden/input"),
        *("--tools", "/benchwarden/tools", "--message", "/dev/termination-log"),
        *("--message-bytes", "4096"),
    ]
    assert [variable["name"] for variable in containers["probe"]["env"]] == [
        "BENCHWARDEN_SECRET_NAMES",
        "ANTHROPIC_API_KEY",
    ]
    assert "env" not in containers["inject"]


def test_a_probe_is_one_of_the_runs_pods_so_the_network_policy_holds_for_it() -> None:
    job = probe_job(RUN, run_spec(CLAUDE), SETTINGS, 1)

    labels = job["spec"]["template"]["metadata"]["labels"]
    assert labels["benchwarden.dev/run-uid"] == RUN.uid
    assert labels["benchwarden.dev/role"] == "probe"
    assert job["metadata"]["name"] == probe_name(RUN.name, RUN.uid, 1)


def test_each_attempt_of_a_probe_has_its_own_name_and_input() -> None:
    jobs = [probe_job(RUN, run_spec(CLAUDE), SETTINGS, attempt) for attempt in (1, 2)]

    assert jobs[0]["metadata"]["name"] != jobs[1]["metadata"]["name"]
    for job in jobs:
        config_map = probe_input(RUN, run_spec(CLAUDE), SETTINGS, job["metadata"]["name"])
        source = volume_of(job, "input-probe")["projected"]["sources"][0]["configMap"]
        assert source["name"] == config_map["metadata"]["name"]
        assert [item["key"] for item in source["items"]] == list(config_map["binaryData"])


def test_a_probe_writes_nowhere_but_to_its_scratch_directory() -> None:
    job = probe_job(RUN, run_spec(CLAUDE), SETTINGS, 1)
    probe = containers_of(job)["probe"]

    assert probe["securityContext"]["readOnlyRootFilesystem"] is True
    assert mount_of(probe, "/tmp") == {"name": "scratch", "mountPath": "/tmp"}
    assert volume_of(job, "scratch")["emptyDir"]["sizeLimit"]
    tools = mount_of(probe, "/benchwarden/tools")
    assert tools is not None
    assert tools["readOnly"] is True


def test_a_probe_waits_in_no_queue_and_not_for_ever() -> None:
    job = probe_job(RUN, run_spec(CLAUDE, execution={"queueName": "q"}), SETTINGS, 1)

    assert "suspend" not in job["spec"]
    assert "queue" not in json.dumps(job["metadata"]["labels"])
    assert pod_of(job)["activeDeadlineSeconds"] == 900


def test_a_probe_has_the_users_configuration_and_certificates() -> None:
    spec = run_spec(
        claude_with(userConfig={"configMap": {"name": "team"}}),
        execution={"caBundle": {"configMap": {"name": "ca"}}},
    )
    probe = containers_of(probe_job(RUN, spec, SETTINGS, 1))["probe"]

    assert mount_of(probe, "/benchwarden/user-config")
    assert mount_of(probe, "/benchwarden/ca")
