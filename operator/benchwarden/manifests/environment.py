"""Environment that the pod itself carries: secrets by reference, for agents alone, and where certificates are.

Plain values are in the documents (see `documents`). Graders get no credentials, whatever the spec names.
"""

from typing import Any

from benchwarden import names
from benchwarden.api.agent import Credentials
from benchwarden.api.references import SecretKeyRef
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests.documents import agent_environment
from benchwarden_runner.protocol import ENV_SECRET_NAMES


def agent_env(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """Environment of agents and the probe: certificates and every secret the spec gives the agent.

    Which ones are secret is declared beside them, so that no name hides a value from redaction.
    """
    claude = spec.agent.claude_code
    secrets = _credentials(claude.credentials) if claude else {}
    for variable in (*spec.execution.env, *agent_environment(spec.agent)):
        if variable.secret_key_ref is not None:
            secrets[variable.name] = variable.secret_key_ref
    declared = [{"name": ENV_SECRET_NAMES, "value": ",".join(sorted(secrets))}] if secrets else []
    return [
        *grade_env(spec),
        *declared,
        *(
            {
                "name": name,
                "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}},
            }
            for name, secret in secrets.items()
        ),
    ]


def grade_env(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """Environment of graders: certificates, and no secret at all."""
    if spec.execution.ca_bundle is None:
        return []
    path = f"{names.MOUNT_CA}/{names.CA_FILE}"
    return [{"name": name, "value": path} for name in names.CA_VARIABLES]


def ca_volumes(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """The volume of the user's certificates, if any."""
    bundle = spec.execution.ca_bundle
    if bundle is None:
        return []
    items = [{"key": bundle.config_map.key, "path": names.CA_FILE}]
    return [{"name": "ca", "configMap": {"name": bundle.config_map.name, "items": items}}]


def ca_mounts(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """The mount of the user's certificates, if any."""
    if spec.execution.ca_bundle is None:
        return []
    return [{"name": "ca", "mountPath": names.MOUNT_CA, "readOnly": True}]


def user_config_volumes(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """The volume of the user's own agent configuration, if any."""
    claude = spec.agent.claude_code
    if claude is None or claude.user_config is None:
        return []
    return [{"name": "user-config", "configMap": {"name": claude.user_config.config_map.name}}]


def user_config_mounts(spec: BenchmarkRunSpec) -> list[dict[str, Any]]:
    """The mount of the user's own agent configuration, if any: for agents only."""
    if not user_config_volumes(spec):
        return []
    return [{"name": "user-config", "mountPath": names.MOUNT_USER_CONFIG, "readOnly": True}]


def _credentials(credentials: Credentials) -> dict[str, SecretKeyRef]:
    given = {
        names.ENV_API_KEY: credentials.api_key,
        names.ENV_AUTH_TOKEN: credentials.auth_token,
    }
    return {name: secret for name, secret in given.items() if secret is not None}
