"""Settings of the operator process: its environment, read once into a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchwarden import names
from benchwarden.clis.registry import default_registry
from benchwarden.errors import InvalidInputError

DEFAULT_METRICS_PORT = 8080
DEFAULT_LEASE_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Settings:
    """What the installation decides.

    Attributes:
        namespaces: watched ones; empty = the whole cluster.
        identity: who holds the lease; the pod's name, so that a restarted container continues at once.
        own_namespace: where the lease is kept.
        must_fail_address: `ip:port` that a run's network policy must block; in a pod the API server's
            Service, to which batch pods have no business. Empty = agents do not look.
        gateway_service: `name.namespace` of the installation's gateway; empty = it has none.
        gateway_labels: labels of the gateway's pods.
        uploader_image: the operator's own image, which also uploads artifacts; empty = runs keep none.
        npm_registry: where the agent's CLI comes from if a run names no registry; as npm is set up here.
    """

    runner_image: str
    runner_pull_policy: str
    namespaces: tuple[str, ...]
    own_namespace: str
    identity: str
    metrics_port: int
    lease_seconds: int
    requests_per_second: float
    must_fail_address: str
    gateway_service: str
    gateway_labels: Mapping[str, str]
    npm_registry: str
    uploader_image: str = ""


def read_settings(environment: Mapping[str, str], *, host: str, default_namespace: str) -> Settings:
    """Settings from environment variables.

    Args:
        environment: usually `os.environ`.
        host: identity if the pod's name is not given.
        default_namespace: of the credentials in use.

    Raises:
        InvalidInputError: a variable is missing or cannot be used; names it.
    """
    image = environment.get(names.ENV_RUNNER_IMAGE, "")
    if not image:
        raise InvalidInputError(
            "set it to the runner image of this release",
            reason="Usage",
            field=names.ENV_RUNNER_IMAGE,
        )
    listed = environment.get(names.ENV_NAMESPACES, default_namespace)
    return Settings(
        runner_image=image,
        runner_pull_policy=environment.get(names.ENV_RUNNER_PULL_POLICY, "IfNotPresent"),
        namespaces=tuple(part.strip() for part in listed.split(",") if part.strip()),
        own_namespace=environment.get(names.ENV_POD_NAMESPACE, "") or default_namespace,
        identity=environment.get(names.ENV_POD_NAME, "") or host,
        metrics_port=int(_number(environment, names.ENV_METRICS_PORT, DEFAULT_METRICS_PORT)),
        lease_seconds=int(_number(environment, names.ENV_LEASE_SECONDS, DEFAULT_LEASE_SECONDS)),
        requests_per_second=_number(environment, names.ENV_REQUESTS_PER_SECOND, 20),
        must_fail_address=environment.get(names.ENV_MUST_FAIL_ADDRESS, "")
        or _api_server(environment),
        gateway_service=environment.get(names.ENV_GATEWAY_SERVICE, ""),
        gateway_labels=_labels(environment, names.ENV_GATEWAY_LABELS),
        npm_registry=default_registry(environment),
        uploader_image=environment.get(names.ENV_UPLOADER_IMAGE, ""),
    )


def _api_server(environment: Mapping[str, str]) -> str:
    """`ip:port` of the API server as pods see it; empty outside a pod."""
    host = environment.get(names.ENV_KUBERNETES_HOST, "")
    port = environment.get(names.ENV_KUBERNETES_PORT, "")
    if not host or not port:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _labels(environment: Mapping[str, str], name: str) -> Mapping[str, str]:
    pairs = [part.partition("=") for part in environment.get(name, "").split(",") if part]
    if not all(key and equals for key, equals, _ in pairs):
        raise InvalidInputError("write KEY=VALUE,KEY=VALUE", reason="Usage", field=name)
    return {key: value for key, _, value in pairs}


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value < 0:
        raise InvalidInputError(
            f"{text!r} is not a number of 0 or more", reason="Usage", field=name
        )
    return value
