"""The cluster does what the operator's pods need of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import config, images, lifecycle, reading
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster

pytestmark = pytest.mark.cluster


def a_container(name: str, image: str, script: str, **more: object) -> dict[str, object]:
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


def a_pod(
    containers: Sequence[Mapping[str, object]], init: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "initContainers": list(init),
        "containers": list(containers),
    }


def finished(pod: Mapping[str, Any]) -> bool:
    return pod["status"].get("phase") in {"Succeeded", "Failed"}


def run_pod(kubectl: Kubectl, spec: Mapping[str, object]) -> Any:
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": spec})
    return kubectl.wait_until(["pod", "it"], finished)


def test_a_job_runs_its_init_containers_in_order_and_keeps_their_messages(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    chain = [
        a_container(
            f"step-{i}",
            cluster.busybox,
            f"cat /work/log; echo {i} >> /work/log; tr -d '\\n' < /work/log > /dev/termination-log",
            volumeMounts=[{"name": "work", "mountPath": "/work"}],
        )
        for i in range(3)
    ]
    spec = a_pod([a_container("finish", cluster.busybox, "exit 0")], chain)
    spec["volumes"] = [{"name": "work", "emptyDir": {}}]
    kubectl.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "chain"},
            "spec": {
                "backoffLimit": 0,
                "podReplacementPolicy": "Failed",
                "template": {"spec": spec},
            },
        }
    )
    job = kubectl.wait_until(["job", "chain"], lambda job: "completionTime" in job["status"])
    assert job["status"]["succeeded"] == 1
    [pod] = kubectl.get("pods", "-l", "batch.kubernetes.io/job-name=chain")["items"]
    ends = [s["state"]["terminated"] for s in pod["status"]["initContainerStatuses"]]
    assert [end["message"] for end in ends] == ["0", "01", "012"]


def test_a_pod_reaches_the_api_server_through_its_service_address(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    script = (
        f'wget -q -O /dev/termination-log --no-check-certificate --header "Authorization: Bearer '
        f'$(cat {account}/token)" https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version'
    )
    pod = run_pod(kubectl, a_pod([a_container("main", cluster.busybox, script)]))
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert end["exitCode"] == 0
    assert json.loads(end["message"])["major"] == "1"


def test_a_container_over_its_memory_limit_is_oom_killed(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    hungry = a_container(
        "main",
        cluster.busybox,
        "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}",
        resources={"limits": {"memory": "32Mi"}},
    )
    pod = run_pod(kubectl, a_pod([hungry]))
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert end["reason"] == "OOMKilled"


def test_an_imported_image_runs(cluster: Cluster, kubectl: Kubectl, tmp_path: Path) -> None:
    if not cluster.loads:
        pytest.skip("no command is given that loads images into the cluster of KUBECONFIG")
    rootfs = tmp_path / "rootfs"
    rootfs.mkdir()
    images.put_busybox(rootfs)
    (rootfs / "etc/mark").write_text("made just now")
    settings = {"Entrypoint": ["/bin/busybox", "cp", "/etc/mark", "/dev/termination-log"]}
    name = "localhost/benchwarden-import-test:1"
    archive = images.image_from_directory(name, rootfs, settings, tmp_path / "image.tar")
    assert cluster.load(archive) == [name]
    pod = run_pod(kubectl, a_pod([{"name": "main", "image": name, "imagePullPolicy": "Never"}]))
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert end["message"] == "made just now"


def test_a_second_up_changes_nothing(cluster: Cluster) -> None:
    if not cluster.own:
        pytest.skip("the cluster is not ours")
    before = sorted(p.read_text() for p in config.paths().run.glob("*.pid"))
    assert lifecycle.up() is False
    assert sorted(p.read_text() for p in config.paths().run.glob("*.pid")) == before


@pytest.mark.disruptive
@pytest.mark.parametrize("name", ["apiserver", "etcd", "kubelet", "containerd"])
def test_a_killed_component_comes_back_and_pods_run_again(
    cluster: Cluster, kubectl: Kubectl, name: str
) -> None:
    if not cluster.own:
        pytest.skip("the cluster is not ours")
    assert lifecycle.stop_component(name, kill=True)
    assert lifecycle.start_component(name) > 0
    pod = run_pod(kubectl, a_pod([a_container("main", cluster.busybox, "exit 0")]))
    assert pod["status"]["phase"] == "Succeeded"


def test_every_call_is_in_the_audit_log_once(cluster: Cluster, kubectl: Kubectl) -> None:
    if not cluster.own:
        pytest.skip("the audit log of this cluster is not ours")
    kubectl.run("create", "configmap", "seen-by-the-audit")
    events = [json.loads(line) for line in config.paths().audit_log.read_text().splitlines()]
    created = [
        event
        for event in events
        if event["verb"] == "create"
        and event.get("objectRef", {}).get("resource") == "configmaps"
        and event["objectRef"].get("namespace") == kubectl.namespace
        and event["user"]["username"] == "benchwarden-admin"
    ]
    assert [event["stage"] for event in created] == ["ResponseComplete"]


def test_pods_resolve_services_and_nothing_else_without_delay(
    cluster: Cluster, kubectl: Kubectl
) -> None:
    if not cluster.own:
        pytest.skip("the name server of this cluster is not ours")
    script = (
        "nslookup kubernetes.default.svc.cluster.local > /dev/termination-log || exit 1; "
        "if nslookup example.test; then exit 2; fi; "
        "if wget -T 30 -q -O- http://203.0.113.1/; then exit 3; fi"
    )
    pod = run_pod(kubectl, a_pod([a_container("main", cluster.busybox, script)]))
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert end["exitCode"] == 0
    assert config.API_SERVICE_ADDRESS in end["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("serviceaccounts", "default"),
        ("serviceaccounts,configmaps,pods",),
        ("configmaps", "-l", "colour=blue,shape"),
        ("configmaps", "--field-selector=metadata.name=kept"),
    ],
    ids=" ".join,
)
def test_what_tests_look_at_without_kubectl_is_what_kubectl_shows(
    cluster: Cluster, kubectl: Kubectl, arguments: tuple[str, ...]
) -> None:
    if not cluster.own:
        pytest.skip("only our own cluster is looked at without kubectl")
    labels = {"colour": "blue", "shape": "round"}
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "labels": labels}}
    kubectl.apply(kept)
    kubectl.wait_until(["configmaps"], lambda found: len(found["items"]) == 2)
    look = reading.parsed(arguments)
    assert look is not None
    shown = json.loads(kubectl.run("get", *arguments, "-o", "json"))
    assert reading.read(config.paths(), kubectl.namespace, look) == shown
