"""The chart where a platform team is strict: every namespace restricted, closed, with a quota, and no cluster rights.

The test cluster's network enforces no policy: what policies say is tested elsewhere, here only that they are
accepted and that nothing which the product needs is refused.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from tests.chart.generated import CHART
from tests.chart.test_release import RELEASE, _images, await_present, home, images
from tests.cluster.rootfs import base_image
from tests.cluster_promises.scene import SMALL
from tests.installed import condition, run_manifest, suite_config_map, wait_for_end
from tests.layered_image import layer_on
from tests.tiny_suite import make_repository, task

from benchwarden import names

__all__ = ["home", "images"]
pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]

IMAGE = "localhost/benchwarden-tiny-nobody:1"
NOBODY = "65534"
INSTALLER = "installer"


@pytest.fixture(scope="session")
def rootless_image(cluster) -> str:
    """The tiny suite's image for a user that is not root; the repository is writable for all."""
    with tempfile.TemporaryDirectory() as scratch:
        layer = Path(scratch) / "layer"
        make_repository(layer / "repo")
        for path in (layer / "repo", *(layer / "repo").rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        cluster.load(layer_on(base_image(), layer, IMAGE, user=NOBODY))
    return IMAGE


def closed(namespace: str) -> list[dict]:
    """What a strict team puts into a namespace before anything else."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "quota", "namespace": namespace},
            "spec": {
                "hard": {
                    "requests.cpu": "2",
                    "requests.memory": "3Gi",
                    "limits.cpu": "8",
                    "limits.memory": "4Gi",
                    "requests.ephemeral-storage": "20Gi",
                    "pods": "6",
                    "count/jobs.batch": "10",
                    "count/configmaps": "30",
                }
            },
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "limits", "namespace": namespace},
            "spec": {
                "limits": [
                    {
                        "type": "Container",
                        "default": {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                        "defaultRequest": {
                            "cpu": "50m",
                            "memory": "64Mi",
                            "ephemeral-storage": "100Mi",
                        },
                        "max": {"cpu": "2", "memory": "2Gi"},
                    }
                ]
            },
        },
    ]


def installer_of(home, kubectl, folder: Path) -> Path:
    """A kubeconfig of somebody who may do everything in the two namespaces and nothing elsewhere."""
    home.run("create", "serviceaccount", INSTALLER)
    subject = f"--serviceaccount={home.namespace}:{INSTALLER}"
    for each in (home, kubectl):
        each.run("create", "role", INSTALLER, "--verb=*", "--resource=*.*")
        each.run("create", "rolebinding", INSTALLER, f"--role={INSTALLER}", subject)
    config = yaml.safe_load(home.kubeconfig.read_text())
    token = home.run("create", "token", INSTALLER).strip()
    config["users"] = [{"name": INSTALLER, "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"]["user"] = INSTALLER
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_strict_platform_team_can_install_test_and_run(
    helm, home, kubectl, cluster, images, rootless_image, tmp_path
):
    restricted = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl().run("label", "namespace", kubectl.namespace, "--overwrite", restricted)
    for each in (home, kubectl):
        each.apply(*closed(each.namespace))
    before = {("NetworkPolicy", "default-deny"), ("ServiceAccount", INSTALLER)}
    before |= {("Role", INSTALLER), ("RoleBinding", INSTALLER)}
    kubeconfig = installer_of(home, kubectl, tmp_path)
    values = tmp_path / "values.json"
    values.write_text(
        json.dumps(
            {
                "crds": {"enabled": False},
                "watchNamespaces": [kubectl.namespace],
                "networkPolicy": {"enabled": True},
                **_images(images),
            }
        )
    )
    common = ("-n", home.namespace, "--kubeconfig", str(kubeconfig))
    wait = ("--wait", "--timeout", "180s")
    done = helm("install", RELEASE, str(CHART), "-f", str(values), *wait, *common)
    assert done.returncode == 0, done.stderr
    tested = helm("test", RELEASE, *common)
    assert "Succeeded" in tested.stdout, tested.stderr

    kubectl.apply(
        suite_config_map(*(task(f"t{n}", image=rootless_image) for n in range(3))),
        run_manifest("large", execution={"podSecurity": "restricted"}),
    )
    refused = kubectl.wait_until(
        [names.RUN_PLURAL, "large"],
        lambda run: condition(run, "Progressing").get("reason") == names.REASON_POD_REFUSED,
        60,
    )
    told = condition(refused, "Progressing")["message"]
    assert "maximum memory usage per Container is 2Gi" in told
    kubectl.run("delete", names.RUN_PLURAL, "large")
    small = {"podSecurity": "restricted", "batchSize": 2, "resources": SMALL}
    kubectl.apply(run_manifest("strict", execution=small))
    run = wait_for_end(kubectl, "strict")
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED, run["status"]
    assert run["status"]["outcomes"] == {"resolved": 3}, run["status"]

    gone = helm("uninstall", RELEASE, *wait, *common)
    assert gone.returncode == 0, gone.stderr
    await_present(home, before)
