"""The isolation paragraph of the design, a test for each of its sentences, on the manifest."""

import json
from typing import Any

import pytest
from tests.unit.manifests.builders import (
    CLAUDE,
    EXEC,
    ORACLE,
    claude_with,
    containers_of,
    instance,
    job_of,
    mount_of,
    pod_of,
    run_spec,
    volume_of,
)

NOP: dict[str, Any] = {"nop": {}}
AGENTS = [ORACLE, NOP, CLAUDE, EXEC]
FORBIDDEN_POD_FIELDS = {
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "shareProcessNamespace",
    "serviceAccountName",
}


@pytest.fixture(params=AGENTS, ids=lambda agent: next(iter(agent)))
def job(request: pytest.FixtureRequest) -> dict[str, Any]:
    return job_of(run_spec(request.param))


def agents(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {n: c for n, c in containers_of(job).items() if n.startswith("agent-")}


def graders(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {n: c for n, c in containers_of(job).items() if n.startswith("grade-")}


def seen_files(job: dict[str, Any], container: str) -> list[str]:
    sources = volume_of(job, f"input-{container}")["projected"]["sources"]
    return [item["path"] for source in sources for item in source["configMap"]["items"]]


def test_tools_can_be_written_by_inject_alone(job: dict[str, Any]) -> None:
    writers = [
        name
        for name, container in containers_of(job).items()
        for mount in container["volumeMounts"]
        if mount["name"] == "tools" and not mount.get("readOnly")
    ]

    assert writers == ["inject"]


def test_every_container_after_inject_sees_the_tools_read_only(job: dict[str, Any]) -> None:
    for name, container in containers_of(job).items():
        tools = mount_of(container, "/benchwarden/tools")
        assert tools is not None
        assert tools["readOnly"] == (name != "inject")


def test_an_agent_writes_its_own_work_directory_only(job: dict[str, Any]) -> None:
    for position, container in enumerate(agents(job).values()):
        assert mount_of(container, "/benchwarden/work") == {
            "name": "work",
            "mountPath": "/benchwarden/work",
            "subPath": str(position),
            "readOnly": False,
        }


def test_a_grader_reads_the_work_of_its_own_agent_only(job: dict[str, Any]) -> None:
    for position, container in enumerate(graders(job).values()):
        assert mount_of(container, "/benchwarden/work") == {
            "name": "work",
            "mountPath": "/benchwarden/work",
            "subPath": str(position),
            "readOnly": True,
        }


def test_work_is_mounted_once_in_agents_and_graders_and_nowhere_else(job: dict[str, Any]) -> None:
    holders = [
        name
        for name, container in containers_of(job).items()
        for mount in container["volumeMounts"]
        if mount["name"] == "work"
    ]

    assert holders == ["agent-0", "grade-0", "agent-1", "grade-1"]


@pytest.mark.parametrize("agent", [NOP, CLAUDE, EXEC], ids=lambda agent: next(iter(agent)))
def test_an_agent_is_given_the_prompt_and_no_tests_or_gold(agent: dict[str, Any]) -> None:
    job = job_of(run_spec(agent))

    assert {name: seen_files(job, name) for name in agents(job)} == {
        "agent-0": ["agent.tgz"],
        "agent-1": ["agent.tgz"],
    }


def test_the_gold_patch_is_mounted_in_oracle_agents_only() -> None:
    job = job_of(run_spec(ORACLE))

    assert seen_files(job, "agent-1") == ["agent.tgz", "gold.tgz"]
    assert seen_files(job, "grade-1") == ["grade.tgz"]


def test_tests_are_mounted_in_graders_only(job: dict[str, Any]) -> None:
    holders = [
        name for name in (*agents(job), *graders(job)) if "grade.tgz" in seen_files(job, name)
    ]

    assert holders == ["grade-0", "grade-1"]


def test_a_container_mounts_its_own_input_read_only_and_no_other(job: dict[str, Any]) -> None:
    for name, container in containers_of(job).items():
        inputs = [m for m in container["volumeMounts"] if m["name"].startswith("input-")]
        if name in {"inject", "finish"}:
            assert inputs == []
        else:
            assert inputs == [
                {"name": f"input-{name}", "mountPath": "/benchwarden/input", "readOnly": True}
            ]


def test_an_input_holds_files_of_its_own_instance_only(job: dict[str, Any]) -> None:
    for name in (*agents(job), *graders(job)):
        position = name.rpartition("-")[2]
        sources = volume_of(job, f"input-{name}")["projected"]["sources"]
        keys = [item["key"] for source in sources for item in source["configMap"]["items"]]
        assert keys
        assert all(key.endswith(f"-{position}.tgz") for key in keys)


def test_every_container_after_inject_has_the_copied_resolv_conf_read_only(
    job: dict[str, Any],
) -> None:
    for name, container in containers_of(job).items():
        mount = mount_of(container, "/etc/resolv.conf")
        if name == "inject":
            assert mount is None
        else:
            assert mount == {
                "name": "tools",
                "mountPath": "/etc/resolv.conf",
                "subPath": "resolv.conf",
                "readOnly": True,
            }


def test_every_container_has_shared_memory_of_its_own(job: dict[str, Any]) -> None:
    volumes = []
    for container in containers_of(job).values():
        mount = mount_of(container, "/dev/shm")
        assert mount is not None
        volumes.append(mount["name"])

    assert len(set(volumes)) == len(volumes)
    for name in volumes:
        assert volume_of(job, name)["emptyDir"]["medium"] == "Memory"


def test_every_empty_directory_has_a_size_limit(job: dict[str, Any]) -> None:
    empty = [v["emptyDir"] for v in pod_of(job)["volumes"] if "emptyDir" in v]

    assert len(empty) >= 4
    assert all(directory["sizeLimit"] for directory in empty)


def test_agents_and_graders_lose_the_capabilities_the_design_names(job: dict[str, Any]) -> None:
    for container in (*agents(job).values(), *graders(job).values()):
        assert container["securityContext"]["capabilities"] == {
            "drop": ["NET_RAW", "MKNOD", "SYS_CHROOT", "SETFCAP", "AUDIT_WRITE"]
        }


def test_the_runners_own_containers_have_no_capability_and_a_read_only_root(
    job: dict[str, Any],
) -> None:
    for name in ("inject", "finish"):
        assert containers_of(job)[name]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        }


def test_no_container_may_gain_privileges_and_all_have_the_default_seccomp_profile(
    job: dict[str, Any],
) -> None:
    assert pod_of(job)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers_of(job).values():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "privileged" not in context
        assert "add" not in context["capabilities"]
        assert "procMount" not in context


def test_a_pod_has_no_service_account_token(job: dict[str, Any]) -> None:
    assert pod_of(job)["automountServiceAccountToken"] is False
    assert "serviceAccountToken" not in json.dumps(pod_of(job))


def test_a_pod_shares_no_namespace_of_the_host_or_between_containers(job: dict[str, Any]) -> None:
    assert not FORBIDDEN_POD_FIELDS & set(pod_of(job))
    assert "hostPath" not in json.dumps(pod_of(job))
    assert "hostPort" not in json.dumps(pod_of(job))


def test_a_message_is_never_taken_from_the_log(job: dict[str, Any]) -> None:
    for container in containers_of(job).values():
        assert container["terminationMessagePolicy"] == "File"
        assert container["terminationMessagePath"] == "/dev/termination-log"


def test_direct_credentials_are_in_agents_by_reference_and_in_no_other_container() -> None:
    spec = run_spec(
        claude_with(
            credentials={"authToken": {"name": "anthropic", "key": "token"}},
            env=[{"name": "EXTRA_TOKEN", "secretKeyRef": {"name": "extra", "key": "t"}}],
        ),
        execution={"env": [{"name": "PROXY_PASS", "secretKeyRef": {"name": "proxy", "key": "p"}}]},
    )
    holders = {
        name: sorted(variable["name"] for variable in container.get("env", ()))
        for name, container in containers_of(job_of(spec)).items()
    }

    given = ["ANTHROPIC_AUTH_TOKEN", "BENCHWARDEN_SECRET_NAMES", "EXTRA_TOKEN", "PROXY_PASS"]
    assert holders == {
        "inject": [],
        "agent-0": given,
        "grade-0": [],
        "agent-1": given,
        "grade-1": [],
        "finish": [],
    }


def test_secrets_are_referenced_and_never_mounted_whole() -> None:
    job = job_of(run_spec(CLAUDE))

    declared, variable = containers_of(job)["agent-0"]["env"]
    assert declared == {"name": "BENCHWARDEN_SECRET_NAMES", "value": "ANTHROPIC_API_KEY"}
    assert variable == {
        "name": "ANTHROPIC_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": "anthropic", "key": "api-key"}},
    }
    assert "envFrom" not in json.dumps(job)
    assert not any("secret" in volume for volume in pod_of(job)["volumes"])


def test_a_gateway_leaves_no_credential_in_the_pod() -> None:
    spec = run_spec(
        claude_with(credentials={"mode": "gateway"}, baseUrl="http://gateway.bw.svc:8080/runs/1")
    )

    assert "secretKeyRef" not in json.dumps(job_of(spec))


def test_a_grader_gets_the_certificates_but_not_the_users_agent_configuration() -> None:
    spec = run_spec(
        claude_with(userConfig={"configMap": {"name": "team-claude"}}),
        execution={"caBundle": {"configMap": {"name": "ca", "key": "root.pem"}}},
    )
    containers = containers_of(job_of(spec))

    assert mount_of(containers["grade-0"], "/benchwarden/ca")
    assert mount_of(containers["grade-0"], "/benchwarden/user-config") is None
    assert mount_of(containers["agent-0"], "/benchwarden/user-config")
    assert {v["name"]: v["value"] for v in containers["grade-0"]["env"]}[
        "SSL_CERT_FILE"
    ] == "/benchwarden/ca/ca.crt"


def test_restricted_pods_run_no_container_as_root_and_drop_everything() -> None:
    job = job_of(run_spec(execution={"podSecurity": "restricted"}))

    assert pod_of(job)["securityContext"]["runAsNonRoot"] is True
    for container in containers_of(job).values():
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_baseline_pods_leave_the_user_of_benchmark_images_alone() -> None:
    job = job_of(run_spec())

    assert "runAsNonRoot" not in pod_of(job)["securityContext"]
    for container in (*agents(job).values(), *graders(job).values()):
        assert "runAsNonRoot" not in container["securityContext"]
        assert "runAsUser" not in container["securityContext"]


def test_a_repeated_instance_shares_its_archives_but_not_its_work() -> None:
    one = instance("calc-1")
    job = job_of(run_spec(), one, one)

    first = volume_of(job, "input-grade-0")["projected"]
    assert volume_of(job, "input-grade-1")["projected"] == first
    work = mount_of(containers_of(job)["agent-1"], "/benchwarden/work")
    assert work is not None
    assert work["subPath"] == "1"
