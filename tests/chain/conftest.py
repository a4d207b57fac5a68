"""Fixtures of the chain: the cluster with the product's images, helm, and namespaces."""

from __future__ import annotations

import pytest
from tests.chart.conftest import helm
from tests.cluster.fixtures import cluster, kubectl
from tests.installed import Images, ensure_crds, ensure_images
from tests.tiny_suite import ensure_tiny_image

__all__ = ["cluster", "helm", "kubectl"]


@pytest.fixture(scope="session")
def images(cluster) -> Images:
    if not cluster.own:
        pytest.skip("pods must reach this machine, and this machine Services: only the own cluster")
    ensure_crds(cluster.kubectl())
    ensure_tiny_image(cluster)
    return ensure_images(cluster)


@pytest.fixture
def home(cluster, kubectl):
    """The operator's namespace, at restricted Pod Security; runs live in that of `kubectl`."""
    namespace = f"{kubectl.namespace}-op"
    run = cluster.kubectl().run
    run("create", "namespace", namespace)
    run("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    yield cluster.kubectl(namespace)
    run("delete", "namespace", namespace, "--wait=false")
