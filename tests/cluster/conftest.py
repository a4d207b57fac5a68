"""Makes the cluster fixtures known to the tests of this folder."""

from tests.cluster.fixtures import cluster, kubectl

__all__ = ["cluster", "kubectl"]
