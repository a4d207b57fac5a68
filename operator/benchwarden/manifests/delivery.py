"""How `inject` comes by Claude Code when no image brings it: from a registry, through a cache volume if there is one.

Only `inject` mounts the cache and only it is given the way out: proxy, certificates, the registry's credentials.
What it brings is checked against the hash in the run's release. Without a release everything here is empty.
"""

from typing import Any, Final

from benchwarden import names
from benchwarden.api.agent import VOLUME
from benchwarden.api.references import SecretKeyRef
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests.environment import ca_mounts, grade_env
from benchwarden.manifests.settings import ManifestSettings
from benchwarden_runner.protocol import ENV_REGISTRY_CREDENTIALS
from benchwarden_runner.specs import CliRelease

CACHE: Final = "cli-cache"
DOWNLOAD_SECONDS: Final = 900  # two archives of 0.2 GB each, on a slow line


def arguments(spec: BenchmarkRunSpec, release: CliRelease | None) -> list[str]:
    """What `inject` is told."""
    if release is None:
        return []
    cache = ["--cache", names.MOUNT_CACHE] if _claim(spec) else []
    message = ["--message", names.TERMINATION_MESSAGE_PATH]
    claude = spec.agent.claude_code
    registry = claude.registry_url if claude is not None else None
    of_token = ["--registry", registry] if registry and _credentials(spec) else []
    return ["--release", release.to_json(), *cache, *of_token, *message]


def environment(spec: BenchmarkRunSpec, release: CliRelease | None) -> dict[str, Any]:
    """The container's `env`: certificates, the registry's credentials, and the proxies of `execution.env`."""
    if release is None:
        return {}
    found = [*grade_env(spec), *_credentials(spec)]
    for variable in spec.execution.env:
        if variable.name.upper() not in (*names.PROXY_VARIABLES, "NO_PROXY"):
            continue
        if variable.secret_key_ref is not None:
            found.append(_of_secret(variable.name, variable.secret_key_ref))
        else:
            found.append({"name": variable.name, "value": variable.value or ""})
    return {"env": found} if found else {}


def mounts(spec: BenchmarkRunSpec, release: CliRelease | None) -> list[dict[str, Any]]:
    """The cache and the certificates."""
    if release is None:
        return []
    cache = [{"name": CACHE, "mountPath": names.MOUNT_CACHE}] if _claim(spec) else []
    return [*cache, *ca_mounts(spec)]


def volumes(spec: BenchmarkRunSpec, release: CliRelease | None) -> list[dict[str, Any]]:
    """The pod's volume of the cache."""
    claim = _claim(spec)
    if release is None or not claim:
        return []
    return [{"name": CACHE, "persistentVolumeClaim": {"claimName": claim}}]


def group(spec: BenchmarkRunSpec, settings: ManifestSettings) -> int | None:
    """Group that is to own the pod's volumes, so that `inject`, which is not root, may fill the cache."""
    return settings.runner_user if _claim(spec) else None


def seconds(release: CliRelease | None) -> int:
    """How much longer `inject` may take."""
    return DOWNLOAD_SECONDS if release is not None else 0


def _credentials(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    claude = spec.agent.claude_code
    if claude is None or claude.registry_credentials is None:
        return []
    return [_of_secret(ENV_REGISTRY_CREDENTIALS, claude.registry_credentials)]


def _of_secret(name: str, secret: SecretKeyRef) -> dict[str, Any]:
    source = {"secretKeyRef": {"name": secret.name, "key": secret.key}}
    return {"name": name, "valueFrom": source}


def _claim(spec: BenchmarkRunSpec) -> str:
    claude = spec.agent.claude_code
    if claude is None or claude.delivered_by != VOLUME:
        return ""
    return claude.cache_claim or ""
