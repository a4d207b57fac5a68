"""The run's NetworkPolicy: name resolution, the model's API, what the run allows, and nothing else.

Policies know addresses and labels, no host names, and hold for whole pods, so graders share it. An API behind
a host name that no rule here can express must be opened by `execution.networkPolicy.allowedEgress`;
`unopened_hosts` tells which.
"""

import copy
import ipaddress
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from benchwarden import names
from benchwarden.api.network import Egress
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.documents import agent_environment, plain
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.naming import network_policy_name
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden_runner.specs import CliRelease

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The vendor publishes the addresses at which its API listens; they are stable by its own word.
API_NETWORKS: Final = ("160.79.104.0/23", "2607:6bc0::/48")
METADATA_NETWORKS: Final = tuple(
    ipaddress.ip_network(cidr)
    for cidr in (
        "169.254.169.254/32",  # AWS, Azure, Google, OpenStack and others
        "169.254.170.2/32",  # AWS task credentials
        "169.254.170.23/32",  # AWS pod identity
        "168.63.129.16/32",  # Azure's wire server
        "100.100.100.200/32",  # Alibaba
        "fd00:ec2::254/128",  # AWS
        "fd00:ec2::23/128",  # AWS pod identity
        "fd20:ce::254/128",  # Google
    )
)
_DNS_PORTS: Final = [
    {"port": port, "protocol": protocol}
    for port in (53, 5353)  # OpenShift's DNS pods listen on 5353, and policies see the pod's port
    for protocol in ("UDP", "TCP")
]
_DNS_PEERS: Final = [
    {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}},
    {"namespaceSelector": {"matchLabels": {names.LABEL_NAMESPACE_NAME: "openshift-dns"}}},
    {"ipBlock": {"cidr": "169.254.20.10/32"}},  # node-local DNS cache
]
_AWS_STORAGE: Final = "https://s3.amazonaws.com"
_SERVICE_SUFFIXES: Final = (".svc", ".svc.cluster.local")
_FIELD: Final = "spec.execution.networkPolicy.allowedEgress"


def network_policy(
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    settings: ManifestSettings,
    release: CliRelease | None = None,
) -> dict[str, Any] | None:
    """The policy for all pods of the run, or None if the run wants none.

    A policy is per pod: what `inject` needs to fetch `release`, agents and graders can reach too.

    Raises:
        InvalidInputError: an allowed CIDR is no CIDR, or is a cloud's metadata address.
    """
    if not spec.execution.network_policy.enabled:
        return None
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": run_metadata(run, names.ROLE_NETWORK, network_policy_name(run.name, run.uid)),
        "spec": {
            "podSelector": {"matchLabels": {names.LABEL_RUN_UID: run.uid}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [
                {"to": copy.deepcopy(_DNS_PEERS), "ports": [dict(port) for port in _DNS_PORTS]},
                *_api_rules(spec, settings, release),
                *(
                    _allowed_rule(egress, f"{_FIELD}[{position}]")
                    for position, egress in enumerate(spec.execution.network_policy.allowed_egress)
                ),
            ],
        },
    }


def unopened_hosts(spec: BenchmarkRunSpec) -> tuple[str, ...]:
    """Hosts the spec names that its policy cannot open by itself; empty if it allows any egress itself."""
    policy = spec.execution.network_policy
    if not policy.enabled or policy.allowed_egress:
        return ()
    claude = spec.agent.claude_code
    registry = (claude.registry_url,) if claude is not None and claude.registry_url else ()
    urls = (*_urls(spec), *registry)
    hosts = (urlsplit(url).hostname or url for url in urls if not _url_rules(url))
    return tuple(dict.fromkeys(host for host in hosts if not _is_loopback(host)))


def _api_rules(
    spec: BenchmarkRunSpec, settings: ManifestSettings, release: CliRelease | None
) -> Iterator[dict[str, Any]]:
    claude = spec.agent.claude_code
    through = claude is not None and (
        claude.credentials.mode == "gateway" or _is_gateway(claude.base_url or "", settings)
    )
    if through and settings.gateway_peers:
        yield {"to": copy.deepcopy(list(settings.gateway_peers))}
    if claude is not None and claude.base_url is None:
        yield {
            "to": [{"ipBlock": {"cidr": cidr}} for cidr in API_NETWORKS],
            "ports": [{"port": 443, "protocol": "TCP"}],
        }
    for url in _urls(spec):
        if not (through and _is_gateway(url, settings)):
            yield from _url_rules(url)
    fetched = [_url_rules(build.url) for build in release.builds] if release else []
    for position, rules in enumerate(fetched):
        if rules not in fetched[:position]:
            yield from rules


def _is_gateway(url: str, settings: ManifestSettings) -> bool:
    """Whether `url` names the installation's own gateway, whose pods are open already."""
    service, host = settings.gateway_service, urlsplit(url).hostname or ""
    named = host in {service, *(f"{service}{suffix}" for suffix in _SERVICE_SUFFIXES)}
    return bool(service and settings.gateway_peers) and named


def _urls(spec: BenchmarkRunSpec) -> tuple[str, ...]:
    """Addresses of API, proxies and artifact storage, as far as the spec names them in plain text."""
    claude = spec.agent.claude_code
    base = (claude.base_url,) if claude is not None and claude.base_url else ()
    given = {
        **plain(spec.execution.env),
        **plain(agent_environment(spec.agent)),
    }
    proxies = (
        value
        for name, value in sorted(given.items())
        if name.upper() in names.PROXY_VARIABLES and "://" in value
    )
    s3 = spec.artifacts.s3
    storage = () if s3 is None else (s3.endpoint_url or _AWS_STORAGE,)
    return tuple(dict.fromkeys((*base, *proxies, *storage)))


def _url_rules(url: str) -> list[dict[str, Any]]:
    """The rule that opens the host of `url`, or none if its host is a name from outside the cluster."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _service_rules(host)
    if address.is_loopback:
        return []
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [
        {
            "to": [{"ipBlock": {"cidr": str(ipaddress.ip_network(address))}}],
            "ports": [{"port": port, "protocol": "TCP"}],
        }
    ]


def _service_rules(host: str) -> list[dict[str, Any]]:
    """A Service's own labels and target ports are unknown here, its namespace is not."""
    for suffix in _SERVICE_SUFFIXES:
        _, dot, namespace = host.removesuffix(suffix).rpartition(".")
        if host.endswith(suffix) and dot:
            labels = {names.LABEL_NAMESPACE_NAME: namespace}
            return [{"to": [{"namespaceSelector": {"matchLabels": labels}}]}]
    if host and "." not in host and host != "localhost":
        return [{"to": [{"podSelector": {}}]}]
    return []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _allowed_rule(egress: Egress, field: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"to": [_allowed_peer(egress, field)]}
    if egress.ports:
        rule["ports"] = [
            port.model_dump(mode="json", by_alias=True, exclude_none=True) for port in egress.ports
        ]
    return rule


def _allowed_peer(egress: Egress, field: str) -> dict[str, Any]:
    if egress.cidr is not None:
        return {"ipBlock": _ip_block(egress.cidr, egress.except_, field)}
    selectors = {
        "podSelector": egress.pod_selector,
        "namespaceSelector": egress.namespace_selector,
    }
    return {
        name: selector.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for name, selector in selectors.items()
        if selector is not None
    }


def _ip_block(cidr: str, closed: tuple[str, ...], field: str) -> dict[str, Any]:
    """The block without metadata addresses, whatever it was asked to hold."""
    network = _network(cidr, f"{field}.cidr")
    exceptions = [
        _network(text, f"{field}.except[{position}]") for position, text in enumerate(closed)
    ]
    for position, exception in enumerate(exceptions):
        if not _holds(network, exception) or exception == network:
            raise InvalidInputError(
                f"{exception} is not a part of {network}",
                reason=names.REASON_INVALID_SPEC,
                field=f"{field}.except[{position}]",
            )
    for metadata in METADATA_NETWORKS:
        if _holds(metadata, network):
            raise InvalidInputError(
                f"{network} is a cloud's metadata address, which hands out credentials; it stays closed",
                reason=names.REASON_INVALID_SPEC,
                field=f"{field}.cidr",
            )
        if _holds(network, metadata) and not any(_holds(e, metadata) for e in exceptions):
            exceptions.append(metadata)
    block: dict[str, Any] = {"cidr": str(network)}
    return {**block, "except": [str(e) for e in exceptions]} if exceptions else block


def _network(text: str, field: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidInputError(
            f"{text} is no CIDR: {error}", reason=names.REASON_INVALID_SPEC, field=field
        ) from None


def _holds(outer: Network, inner: Network) -> bool:
    """Whether all addresses of `inner` are in `outer`."""
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )
