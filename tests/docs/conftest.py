"""Fixtures of the walks: a cluster with the product's images, a namespace of the walk's own, the programs of a user."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import build
from tests.cluster.fixtures import cluster, kubectl
from tests.cluster.kubectl import Kubectl, kubectl_program
from tests.cluster_promises.mini_suite_images import load_images
from tests.cluster_promises.own_operator import an_operator
from tests.docs.pages import ROOT
from tests.installed import ensure_crds, ensure_images
from tests.mini_suite import ensure_mini_suite

__all__ = ["cluster", "kubectl"]


@pytest.fixture(scope="session")
def installed(cluster) -> None:
    """The definitions of this checkout are in the cluster."""
    ensure_crds(cluster.kubectl())


@pytest.fixture(scope="session")
def product(cluster, installed) -> dict[str, str]:
    """The images of this checkout and of the mini suite, loaded; what `{operator}` and `{runner}` stand for."""
    images = ensure_images(cluster)
    if cluster.own:
        load_images(cluster, ensure_mini_suite())
    return {
        "operator": images.operator.removesuffix(":test"),
        "runner": images.runner.removesuffix(":test"),
    }


@pytest.fixture
def place(cluster, product, tmp_path) -> Callable[[bool], Any]:
    """Makes a namespace with or without an operator; gives the environment of somebody who uses it."""

    @contextmanager
    def made(operator: bool) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        namespace = f"docs-{uuid.uuid4().hex[:8]}"
        whole = cluster.kubectl()
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_bytes(cluster.kubeconfig.read_bytes())
        program = kubectl_program()
        assert program
        context = ("config", "set-context", "--current", f"--namespace={namespace}")
        subprocess.run(
            [program, f"--kubeconfig={kubeconfig}", *context], check=True, capture_output=True
        )
        helm = build.ensure(build.HELM)
        path = f"{ROOT / '.venv/bin'}:{Path(program).parent}:{helm}:/usr/local/bin:/usr/bin:/bin"
        environment = {"KUBECONFIG": str(kubeconfig), "PATH": path}
        with ExitStack() as stack:
            stack.callback(
                whole.run, "delete", "namespace", namespace, "--ignore-not-found", "--wait=false"
            )
            if operator:
                inside = ready_namespace(whole, cluster.kubectl(namespace))
                stack.enter_context(an_operator(inside, tmp_path, f"{product['runner']}:test"))
            yield environment, {**product, "namespace": namespace}

    return made


def ready_namespace(whole: Kubectl, inside: Kubectl) -> Kubectl:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inside.namespace}}
    whole.run("apply", "-f", "-", stdin=json.dumps(namespace))
    inside.wait_until(
        ["serviceaccounts"],
        lambda found: any(each["metadata"]["name"] == "default" for each in found["items"]),
    )
    return inside
