"""Everything that could make a manifest impossible, asked before the first object of a run is created."""

from collections.abc import Iterable

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests.inputs import check_sizes
from benchwarden.manifests.job import refuse_unsupported
from benchwarden.manifests.network import network_policy
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden.suites.instance import Instance

_NO_RUN = RunIdentity(name="", namespace="", uid="")


def check(
    spec: BenchmarkRunSpec, instances: Iterable[Instance], settings: ManifestSettings
) -> None:
    """Refuse a run whose probe, policy, inputs or batches could not be built later.

    Raises:
        InvalidInputError: names the field or the instances at fault.
    """
    refuse_unsupported(spec, settings)
    network_policy(_NO_RUN, spec, settings)
    check_sizes(spec, instances, settings)
