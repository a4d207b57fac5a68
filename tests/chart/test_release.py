"""The chart on a real cluster: installed, tested, upgraded with a run in flight, rolled back and uninstalled."""

from __future__ import annotations

import json
import time

import pytest
from tests.chart.generated import CHART
from tests.cluster_promises.scene import scripted, scripted_run
from tests.installed import (
    condition,
    ensure_crds,
    ensure_images,
    install_inside,
    run_manifest,
    suite_config_map,
    wait_for_end,
)
from tests.tiny_suite import ensure_tiny_image, task

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(500)]

RELEASE = "benchwarden"
EVERYTHING = (
    "all,configmaps,secrets,serviceaccounts,roles,rolebindings,leases,networkpolicies,"
    f"{names.RUN_PLURAL},{names.SCHEDULE_PLURAL}"
)
CLUSTER_OBJECTS = "clusterroles,clusterrolebindings,customresourcedefinitions"
# What every namespace has, and what helm's own bookkeeping and past events are not.
OF_EVERY_NAMESPACE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}


@pytest.fixture(scope="session")
def images(cluster):
    ensure_crds(cluster.kubectl())
    ensure_tiny_image(cluster)
    return ensure_images(cluster)


@pytest.fixture
def home(cluster, kubectl):
    """The operator's namespace, at restricted Pod Security; runs live in that of `kubectl`, at baseline."""
    namespace = f"{kubectl.namespace}-op"
    run = cluster.kubectl().run
    run("create", "namespace", namespace)
    level = "pod-security.kubernetes.io/enforce"
    run("label", "namespace", namespace, f"{level}=restricted")
    run("label", "namespace", kubectl.namespace, f"{level}=baseline")
    yield cluster.kubectl(namespace)
    run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def release(helm, home, kubectl, images, tmp_path):
    """Runs helm on the release with the values of this cluster."""
    values = tmp_path / "values.json"
    values.write_text(
        json.dumps(
            {
                "crds": {"enabled": False},
                "watchNamespaces": [kubectl.namespace],
                **_images(images),
            }
        )
    )
    common = ("-n", home.namespace, "--kubeconfig", str(home.kubeconfig))

    def run(command: str, *arguments: str, chart: bool = False) -> str:
        given = (str(CHART), "-f", str(values)) if chart else ()
        done = helm(command, RELEASE, *given, *arguments, *common, timeout=180)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    return run


def _images(images):
    operator, runner = (each.rpartition(":") for each in (images.operator, images.runner))
    return {
        "image": {"repository": operator[0], "tag": operator[2]},
        "runner": {"image": {"repository": runner[0], "tag": runner[2]}},
    }


def present(kubectl) -> set[tuple[str, str]]:
    """Objects in a namespace, without what every namespace has."""
    found = kubectl.get(EVERYTHING)["items"]
    return {(each["kind"], each["metadata"]["name"]) for each in found} - OF_EVERY_NAMESPACE


def await_present(kubectl, wanted: set[tuple[str, str]], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while (found := present(kubectl)) != wanted:
        assert time.monotonic() < end, found ^ wanted
        time.sleep(0.5)


@pytest.mark.early
@pytest.mark.long
def test_a_release_lives_and_goes_without_a_trace(release, home, kubectl):
    release("install", "--wait", "--timeout", "120s", chart=True)
    assert "Succeeded" in release("test")

    kubectl.apply(suite_config_map(task("t0")), run_manifest("nothing", agent={"nop": {}}))
    nothing = wait_for_end(kubectl, "nothing")
    assert condition(nothing, "Succeeded")["reason"] == names.REASON_COMPLETED
    assert nothing["status"]["outcomes"] == {"empty_patch": 1}

    slow = "sed -i 's/ - / + /' add.sh; sleep 25"
    kubectl.apply(suite_config_map(scripted("s0", slow), name="slow"))
    kubectl.apply(scripted_run("in-flight", "slow"))
    kubectl.wait_until(
        [names.RUN_PLURAL, "in-flight"],
        lambda run: condition(run, "Progressing").get("reason") == names.REASON_RUNNING,
        seconds=60,
    )
    changed = ("--set", "operator.requestsPerSecond=10", "--set", "podAnnotations.round=two")
    release("upgrade", "--wait", "--timeout", "120s", *changed, chart=True)
    deployment = home.get("deployment", RELEASE)
    assert deployment["spec"]["template"]["metadata"]["annotations"] == {"round": "two"}
    release("rollback", "1", "--wait", "--timeout", "120s")
    assert "annotations" not in home.get("deployment", RELEASE)["spec"]["template"]["metadata"]
    run = wait_for_end(kubectl, "in-flight")
    assert run["status"]["resolvedOfTotal"] == "1/1"
    assert run["status"]["counts"].get("retried", 0) == 0

    release("uninstall", "--wait", "--timeout", "120s")
    await_present(home, set())
    for each in ("nothing", "in-flight"):
        assert kubectl.get(names.RUN_PLURAL, each)["status"]["counts"]["valid"] == 1
    kubectl.run("delete", names.RUN_PLURAL, "--all", "--timeout=30s")
    await_present(kubectl, {("ConfigMap", "suite"), ("ConfigMap", "slow")})
    selector = f"app.kubernetes.io/instance={RELEASE}"
    left = kubectl.get(CLUSTER_OBJECTS, "-l", selector)["items"]
    assert [each for each in left if each["kind"] != "CustomResourceDefinition"] == []


def test_the_api_server_accepts_all_that_the_chart_can_install(helm, home, images):
    """Definitions included, which other tests use at the same time: so nothing is written."""
    values = (
        *("--set", "networkPolicy.enabled=true", "--set", "dashboard.enabled=true"),
        *("--set", "clusterWide=true", "--set", "rbac.aggregateToUserRoles=true"),
    )
    rendered = helm("template", RELEASE, str(CHART), "-n", home.namespace, *values)
    assert rendered.returncode == 0, rendered.stderr
    arguments = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
    told = home.run(*arguments, stdin=rendered.stdout)
    for wanted in (names.RUN_PLURAL, names.SCHEDULE_PLURAL):
        assert f"{wanted}.{names.GROUP} serverside-applied (server dry run)" in told
    assert "clusterrole" in told


@pytest.mark.long
def test_helm_would_take_over_definitions_that_kubectl_applied(helm, home, images):
    common = ("-n", home.namespace, "--kubeconfig", str(home.kubeconfig))
    dry = ("install", RELEASE, str(CHART), "--dry-run=server", *common)
    refused = helm(*dry)
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr
    taken = helm(*dry, "--take-ownership")
    assert taken.returncode == 0, taken.stderr
    assert "rollout status deployment/benchwarden" in taken.stdout


@pytest.mark.long
def test_an_installation_by_plain_manifests_can_be_handed_over(helm, kubectl, images, tmp_path):
    install_inside(kubectl, images)
    kubectl.run("delete", "deployment", RELEASE, "--timeout=60s")
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"crds": {"enabled": False}, **_images(images)}))
    common = ("-n", kubectl.namespace, "--kubeconfig", str(kubectl.kubeconfig))
    wait = ("--wait", "--timeout", "120s")
    taken = helm(
        "install", RELEASE, str(CHART), "-f", str(values), "--take-ownership", *wait, *common
    )
    assert taken.returncode == 0, taken.stderr
    assert helm("uninstall", RELEASE, *wait, *common).returncode == 0
    await_present(kubectl, set())
