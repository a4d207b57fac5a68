"""Pytest fixtures for tests on a real cluster; import them in a conftest."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.cluster import reach
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """A cluster that answers; without one the tests fail, unless told to be skipped."""
    if reach.skipped():
        pytest.skip(f"{reach.SKIP_VARIABLE} is set")
    try:
        return reach.find_or_start()
    except ClusterError as error:
        pytest.fail(f"no cluster ({reach.SKIP_VARIABLE}=1 skips these tests): {error}")


@pytest.fixture
def kubectl(cluster: Cluster) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, deleted after it."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl().run("create", "namespace", namespace)
    inside = cluster.kubectl(namespace)
    inside.wait_until(
        ["serviceaccounts"],
        lambda found: any(a["metadata"]["name"] == "default" for a in found["items"]),
        120,  # its maker may have just lost the API server to the test before
    )
    yield inside
    cluster.kubectl().run("delete", "namespace", namespace, "--wait=false")
