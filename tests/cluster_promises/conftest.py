"""Fixtures of the promises: a real cluster with the product's images and CRDs in it."""

import pytest
from tests.cluster.fixtures import cluster, kubectl
from tests.installed import Images, ensure_crds, ensure_images
from tests.tiny_suite import ensure_tiny_image

__all__ = ["cluster", "kubectl"]


@pytest.fixture(scope="session")
def images(cluster) -> Images:
    """Operator and runner images of this checkout, loaded; the CRDs applied."""
    ensure_crds(cluster.kubectl())
    return ensure_images(cluster)


@pytest.fixture(scope="session")
def tiny_image(cluster) -> str:
    """An image with git and a shell, holding a small repository at /repo."""
    return ensure_tiny_image(cluster)
