"""What the manifests promise, on a real API server and a real kubelet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from benchwarden.manifests.inputs import batch_inputs, pack
from benchwarden.manifests.job import batch_job
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from tests.cluster.config import BASE_IMAGE
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster
from tests.cluster.rootfs import base_image
from tests.unit.manifests.builders import CLAUDE, RUN, batch_of, instance, panel, run_spec
from tests.unit.manifests.cases import ALL

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("manifests")]

JOBS: Final = [name for name, build in ALL.items() if build()["kind"] == "Job"]
# Each line prints `name=yes` if what stands behind it succeeds, else `name=no`.
PRELUDE: Final = """
try() { name=$1; shift; if sh -c "$*" >/dev/null 2>&1; then echo "$name=yes"; else echo "$name=no"; fi; }
exec >/dev/termination-log
"""
INJECT: Final = "mkdir /benchwarden/tools/app && cp /etc/resolv.conf /benchwarden/tools/resolv.conf"
AGENT: Final = (
    PRELUDE
    + """
try is-root test "$(id -u)" = 0
try write-tools touch /benchwarden/tools/mine
try remount-tools mount -o remount,rw /benchwarden/tools
try unmount-tools umount /benchwarden/tools
try write-resolv-conf 'echo nameserver 192.0.2.1 >> /etc/resolv.conf'
try replace-resolv-conf 'rm /etc/resolv.conf'
try write-hosts 'echo 192.0.2.1 poisoned >> /etc/hosts'
try write-input touch /benchwarden/input/mine
try see-grader-input test -e /benchwarden/input/grade.tgz
try see-own-input test -s /benchwarden/input/agent.tgz
try see-other-work test -e /benchwarden/work/patch
try write-work 'echo patch > /benchwarden/work/patch'
try climb-out-of-work 'ls /benchwarden/work/../work/../../1'
try poison-shm 'echo poison > /dev/shm/poison'
try leave-in-root 'echo left > /left && echo left > /tmp/left'
try mknod mknod /tmp/device b 8 0
try chroot chroot / true
try raw-socket python3 -c 'import\\ socket\\;socket.socket\\(2,3,1\\)'
try token test -e /var/run/secrets/kubernetes.io
try has-key 'test -n "$ANTHROPIC_API_KEY"'
"""
)
GRADE: Final = (
    PRELUDE
    + """
try write-tools touch /benchwarden/tools/mine
try poisoned-resolv-conf grep -q 192.0.2.1 /etc/resolv.conf
try poisoned-hosts grep -q poisoned /etc/hosts
try same-resolv-conf cmp /etc/resolv.conf /benchwarden/tools/resolv.conf
try see-agent-input test -e /benchwarden/input/agent.tgz
try see-own-input test -s /benchwarden/input/grade.tgz
try read-work grep -q patch /benchwarden/work/patch
try write-work touch /benchwarden/work/mine
try poisoned-shm test -e /dev/shm/poison
try use-shm touch /dev/shm/mine
try see-agents-root test -e /left -o -e /tmp/left
try token test -e /var/run/secrets/kubernetes.io
try has-key 'test -n "$ANTHROPIC_API_KEY"'
"""
)


@pytest.mark.parametrize("name", ALL)
def test_the_server_takes_a_manifest_without_a_warning(kubectl: Kubectl, name: str) -> None:
    manifest = ALL[name]()
    manifest["metadata"]["namespace"] = kubectl.namespace
    said = kubectl.run(
        *("apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-"),
        stdin=json.dumps(manifest),
    )

    assert "created" in said


@pytest.mark.parametrize("name", JOBS)
def test_a_pod_passes_the_pod_security_level_it_is_made_for(
    cluster: Cluster, kubectl: Kubectl, name: str
) -> None:
    template = ALL[name]()["spec"]["template"]
    restricted = template["spec"]["securityContext"].get("runAsNonRoot", False)
    level = "restricted" if restricted else "baseline"
    cluster.kubectl().run(
        *("label", "namespace", kubectl.namespace),
        f"pod-security.kubernetes.io/enforce={level}",
    )
    for field in ("runtimeClassName", "priorityClassName"):  # the cluster need not have them
        template["spec"].pop(field, None)
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {**template["metadata"], "name": "try", "namespace": kubectl.namespace}

    assert "created" in kubectl.run(
        *("apply", "--dry-run=server", "--warnings-as-errors", "-f", "-"), stdin=json.dumps(pod)
    )


@pytest.fixture(scope="module", autouse=True)
def _base_image_is_there(cluster: Cluster) -> None:
    """The pods here run on the base image itself."""
    if cluster.loads:
        cluster.load(base_image())


def hostile_batch(
    kubectl: Kubectl, change: Callable[[dict[str, Any]], None] = lambda pod: None
) -> dict[str, set[str]]:
    """What succeeded in each container of a batch of two whose agents try everything."""
    kubectl.run("create", "secret", "generic", "anthropic", "--from-literal=api-key=sk-test")
    members = (instance("a", image=BASE_IMAGE), instance("b", image=BASE_IMAGE))
    settings = ManifestSettings(runner_image=BASE_IMAGE)
    run = RunIdentity(RUN.name, kubectl.namespace, RUN.uid)
    light = {"resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}}
    spec = run_spec(CLAUDE, execution=light)
    batch, instances = batch_of(*members), panel(*members)
    job = batch_job(run, spec, batch, instances, settings)
    del job["metadata"]["ownerReferences"]  # there is no run to own it
    pod = job["spec"]["template"]["spec"]
    for container in (*pod["initContainers"], *pod["containers"]):
        role = container["name"].partition("-")[0]
        script = {"inject": INJECT, "agent": AGENT, "grade": GRADE, "finish": "true"}[role]
        container["command"] = ["sh", "-c", script]
        change(container)
    kubectl.apply(job)
    name = job["metadata"]["name"]
    uid = kubectl.get("job", name)["metadata"]["uid"]
    kubectl.apply(*batch_inputs(run, pack(spec, batch, instances, settings), name, uid))

    kubectl.wait_until(["job", name], lambda found: found["status"].get("succeeded"), 120)

    (ended,) = kubectl.get("pods", "-l", f"job-name={name}")["items"]
    return {
        each["name"]: succeeded(each)
        for each in ended["status"]["initContainerStatuses"]
        if each["name"] != "inject"
    }


def succeeded(container: dict[str, Any]) -> set[str]:
    message: str = container["state"]["terminated"]["message"]
    tried = dict(line.split("=", 1) for line in message.splitlines())
    return {name for name, answer in tried.items() if answer == "yes"}


def test_a_hostile_agent_leaves_nothing_for_its_grader_or_its_successors(kubectl: Kubectl) -> None:
    found = hostile_batch(kubectl)

    agent = {
        *("is-root", "see-own-input", "write-work", "leave-in-root", "has-key"),
        *("poison-shm", "write-hosts"),  # in vain: see the grader
    }
    grade = {"same-resolv-conf", "see-own-input", "read-work", "use-shm"}
    assert found == {"agent-0": agent, "grade-0": grade, "agent-1": agent, "grade-1": grade}


def test_without_the_measures_the_same_agent_poisons_its_grader(kubectl: Kubectl) -> None:
    def bare(container: dict[str, Any]) -> None:
        if container["name"] != "inject":
            container["securityContext"] = {}
            container["volumeMounts"] = [
                {**mount, "readOnly": False}
                for mount in container["volumeMounts"]
                if mount["mountPath"] not in {"/dev/shm", "/etc/resolv.conf"}
            ]

    found = hostile_batch(kubectl, bare)

    assert found["agent-0"] >= {
        *("write-tools", "write-resolv-conf", "poison-shm"),
        *("mknod", "chroot", "raw-socket"),
    }
    assert found["grade-0"] >= {
        *("write-tools", "poisoned-resolv-conf", "poisoned-shm", "write-work"),
    }
