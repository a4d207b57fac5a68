"""The probe Job: before the fan-out one pod checks CLI, credentials and model with one cheap request.

It injects the tools as batch pods do, so what it reports is what agents will run.
"""

from typing import Any, Final

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests import containers, delivery, environment, isolation
from benchwarden.manifests.job import job
from benchwarden.manifests.naming import input_name, probe_name
from benchwarden.manifests.pod import input_volume, pod_ground
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden_runner.specs import CliRelease

PROBE_SECONDS: Final = 600  # the CLI itself repeats failed requests for three minutes


def probe_job(
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    settings: ManifestSettings,
    attempt: int,
    release: CliRelease | None = None,
) -> dict[str, Any]:
    """The run's probe; create `inputs.probe_input` first. `attempt` counts from 1."""
    name = probe_name(run.name, run.uid, attempt)
    inject = containers.inject(spec, settings, release)
    probe = containers.probe(spec, settings)
    pod_spec = {
        **pod_ground(spec, delivery.group(spec, settings)),
        "activeDeadlineSeconds": (
            PROBE_SECONDS + spec.execution.pull_allowance_seconds + delivery.seconds(release)
        ),
        "initContainers": [inject],
        "containers": [probe],
        "volumes": [
            isolation.disk_volume(isolation.TOOLS, isolation.TOOLS_MIB),
            isolation.disk_volume("scratch", isolation.SCRATCH_MIB),
            isolation.shared_memory_volume(inject["name"]),
            isolation.shared_memory_volume(probe["name"]),
            input_volume(
                probe["name"], [(input_name(name, 0), names.INPUT_AGENT, names.INPUT_AGENT)]
            ),
            *environment.ca_volumes(spec),
            *environment.user_config_volumes(spec),
            *delivery.volumes(spec, release),
        ],
    }
    return job(run, spec, name, names.ROLE_PROBE, pod_spec, {})
