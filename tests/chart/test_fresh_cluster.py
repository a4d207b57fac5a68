"""The chart on a cluster that has never seen it: helm brings the definitions, default values, then a second release.

Alone on the cluster: it takes the definitions away, and with them every run; and one operator watches everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.chart.generated import CHART
from tests.chart.test_release import CLUSTER_OBJECTS, RELEASE, _images, await_present, home, images
from tests.installed import (
    await_true,
    ensure_crds,
    run_manifest,
    suite_config_map,
    wait_for_end,
)
from tests.tiny_suite import task

from benchwarden import names

__all__ = ["home", "images"]
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.long,
    pytest.mark.timeout(600),
]

OF_A_RELEASE = "all,roles,rolebindings,leases,networkpolicies"
DEFINITIONS = tuple(f"{each}.{names.GROUP}" for each in (names.RUN_PLURAL, names.SCHEDULE_PLURAL))


@pytest.fixture
def fresh(cluster, images):
    """A cluster without our definitions, which come back as the other tests know them."""
    if not cluster.own:
        pytest.skip(
            "only the project's own cluster may lose its definitions, and every run with them"
        )
    whole = cluster.kubectl()
    forget(whole)
    yield whole
    forget(whole)
    ensure_crds(whole)


def forget(whole) -> None:
    whole.run("delete", "crd", "--ignore-not-found", "--timeout=50s", *DEFINITIONS)


@pytest.fixture
def helm_at(helm, images, tmp_path) -> Callable[..., Any]:
    """Runs helm as somebody who works in one namespace, with default values but for the images' names."""
    values = tmp_path / "images.json"
    values.write_text(json.dumps(_images(images)))

    def run(kubectl, command: str, *arguments: str, chart: bool = False) -> Any:
        given = (str(CHART), "-f", str(values)) if chart else ()
        common = ("-n", kubectl.namespace, "--kubeconfig", str(kubectl.kubeconfig))
        wait = () if command == "test" else ("--wait", "--timeout", "120s")
        return helm(command, RELEASE, *given, *arguments, *wait, *common, timeout=180)

    return run


def done(finished) -> str:
    assert finished.returncode == 0, finished.stderr + finished.stdout
    return finished.stdout


def start(kubectl, name: str) -> None:
    kubectl.apply(suite_config_map(task("t0")), run_manifest(name, agent={"nop": {}}))


def assert_it_ends(kubectl, name: str) -> None:
    assert wait_for_end(kubectl, name)["status"]["outcomes"] == {"empty_patch": 1}


def test_default_values_are_enough_and_a_second_release_minds_its_own_namespace(
    fresh, home, kubectl, helm_at
):
    """The first release is in `home`, the second in the namespace of `kubectl`."""
    done(helm_at(home, "install", chart=True))
    assert "Succeeded" in done(helm_at(home, "test"))
    start(kubectl, "not-mine")
    at_baseline = "pod-security.kubernetes.io/enforce=baseline"
    home.run("label", "namespace", home.namespace, "--overwrite", at_baseline)
    start(home, "mine")
    assert_it_ends(home, "mine")
    assert "status" not in kubectl.get(names.RUN_PLURAL, "not-mine")

    refused = helm_at(kubectl, "install", chart=True)
    assert refused.returncode != 0
    assert "invalid ownership metadata" in refused.stderr
    done(helm_at(kubectl, "install", "--set", "crds.enabled=false", chart=True))
    assert_it_ends(kubectl, "not-mine")

    done(
        helm_at(home, "upgrade", "--reset-then-reuse-values", "--set", "podLabels.a=b", chart=True)
    )
    done(helm_at(home, "uninstall"))
    for kept in DEFINITIONS:
        fresh.run("get", "crd", kept)
    start(kubectl, "after-the-first-has-gone")
    assert_it_ends(kubectl, "after-the-first-has-gone")
    done(helm_at(home, "install", chart=True))
    start(home, "installed-again")
    assert_it_ends(home, "installed-again")
    assert home.get(names.RUN_PLURAL, "mine")["status"]["counts"]["valid"] == 1
    for each in (home, kubectl):
        done(helm_at(each, "uninstall"))


def test_one_release_serves_the_whole_cluster_and_leaves_no_right_behind(
    fresh, home, kubectl, helm_at
):
    done(helm_at(home, "install", "--set", "clusterWide=true,crds.keep=false", chart=True))
    start(kubectl, "anywhere")
    assert_it_ends(kubectl, "anywhere")
    kubectl.run("delete", names.RUN_PLURAL, "anywhere", "--timeout=30s")
    await_present(kubectl, {("ConfigMap", "suite")})

    done(helm_at(home, "uninstall"))
    ours = f"app.kubernetes.io/instance={RELEASE}"
    assert fresh.get(CLUSTER_OBJECTS, "-l", ours)["items"] == [], "definitions were not to be kept"
    await_true(lambda: home.get(OF_A_RELEASE)["items"] == [], 60, "the namespace is empty")
