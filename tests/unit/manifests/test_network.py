"""The run's NetworkPolicy."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.manifests.builders import (
    CLAUDE,
    EXEC,
    ORACLE,
    RUN,
    SETTINGS,
    claude_with,
    job_of,
    run_spec,
)

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.network import METADATA_NETWORKS, network_policy, unopened_hosts
from benchwarden.manifests.settings import ManifestSettings, gateway_peers


def policy_of(spec: Any, settings: ManifestSettings = SETTINGS) -> dict[str, Any]:
    policy = network_policy(RUN, spec, settings)
    assert policy is not None
    return policy


def egress_beyond_dns(spec: Any, settings: ManifestSettings = SETTINGS) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = policy_of(spec, settings)["spec"]["egress"]
    return rules[1:]


def allowing(*egress: dict[str, Any], agent: Any = ORACLE) -> Any:
    return run_spec(agent, execution={"networkPolicy": {"allowedEgress": list(egress)}})


def test_the_policy_selects_exactly_the_pods_of_the_run() -> None:
    selector = policy_of(run_spec())["spec"]["podSelector"]
    labels = job_of(run_spec())["spec"]["template"]["metadata"]["labels"]

    assert selector == {"matchLabels": {"benchwarden.dev/run-uid": RUN.uid}}
    assert selector["matchLabels"].items() <= labels.items()


def test_nothing_may_connect_to_a_pod() -> None:
    spec = policy_of(run_spec())["spec"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"] == []


def test_without_a_model_only_names_can_be_resolved() -> None:
    (dns,) = policy_of(run_spec(ORACLE))["spec"]["egress"]

    assert {(port["protocol"], port["port"]) for port in dns["ports"]} == {
        ("UDP", 53),
        ("TCP", 53),
        ("UDP", 5353),
        ("TCP", 5353),
    }
    assert not any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in dns["to"])


def test_a_policy_can_be_switched_off() -> None:
    off = run_spec(execution={"networkPolicy": {"enabled": False}})

    assert network_policy(RUN, off, SETTINGS) is None


def test_the_policy_goes_when_the_run_goes() -> None:
    (owner,) = policy_of(run_spec())["metadata"]["ownerReferences"]

    assert (owner["kind"], owner["uid"]) == ("BenchmarkRun", RUN.uid)


def test_the_vendors_api_is_open_where_no_other_address_is_given() -> None:
    assert egress_beyond_dns(run_spec(CLAUDE)) == [
        {
            "to": [
                {"ipBlock": {"cidr": "160.79.104.0/23"}},
                {"ipBlock": {"cidr": "2607:6bc0::/48"}},
            ],
            "ports": [{"port": 443, "protocol": "TCP"}],
        }
    ]


@pytest.mark.parametrize(
    ("url", "cidr", "port"),
    [
        ("http://198.19.255.1:8089/runs/1", "198.19.255.1/32", 8089),
        ("https://203.0.113.7", "203.0.113.7/32", 443),
        ("http://[2001:db8::1]/x", "2001:db8::1/128", 80),
    ],
)
def test_an_api_given_by_its_address_is_open_at_its_port_only(
    url: str, cidr: str, port: int
) -> None:
    assert egress_beyond_dns(run_spec(claude_with(baseUrl=url))) == [
        {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": port, "protocol": "TCP"}]}
    ]


@pytest.mark.parametrize("suffix", ["svc", "svc.cluster.local"])
def test_an_api_behind_a_service_opens_the_services_namespace(suffix: str) -> None:
    spec = run_spec(claude_with(baseUrl=f"http://gateway.llm.{suffix}:8080/x"))

    labels = {"kubernetes.io/metadata.name": "llm"}
    assert egress_beyond_dns(spec) == [{"to": [{"namespaceSelector": {"matchLabels": labels}}]}]


def test_an_api_behind_a_service_of_the_same_namespace_opens_that() -> None:
    spec = run_spec(claude_with(baseUrl="http://gateway:8080"))

    assert egress_beyond_dns(spec) == [{"to": [{"podSelector": {}}]}]


def test_a_gateway_is_reached_as_the_installation_says() -> None:
    peer = {"podSelector": {"matchLabels": {"app": "gateway"}}, "namespaceSelector": {}}
    settings = ManifestSettings(runner_image="r", gateway_peers=(peer,))
    spec = run_spec(
        claude_with(baseUrl="https://gateway.example.com", credentials={"mode": "gateway"})
    )

    assert egress_beyond_dns(spec, settings) == [{"to": [peer]}]


LABELS = {"app.kubernetes.io/component": "gateway"}
OWN_GATEWAY = ManifestSettings(
    runner_image="r",
    gateway_service="bw-gateway.ops",
    gateway_peers=gateway_peers("bw-gateway.ops", LABELS),
)


@pytest.mark.parametrize("host", ["bw-gateway.ops", "bw-gateway.ops.svc.cluster.local"])
@pytest.mark.parametrize(
    "credentials", [{"mode": "gateway"}, {"apiKey": {"name": "n", "key": "k"}}]
)
def test_the_installations_own_gateway_is_open_and_not_its_whole_namespace(
    host: str, credentials: dict[str, object]
) -> None:
    url = f"http://{host}:8080/runs/daily"
    spec = run_spec(claude_with(baseUrl=url, credentials=credentials))

    namespace = {"matchLabels": {names.LABEL_NAMESPACE_NAME: "ops"}}
    peer = {"namespaceSelector": namespace, "podSelector": {"matchLabels": LABELS}}
    assert egress_beyond_dns(spec, OWN_GATEWAY) == [{"to": [peer]}]


def test_another_service_beside_the_gateway_is_opened_by_its_own_rule() -> None:
    spec = run_spec(claude_with(baseUrl="http://other.ops.svc:8080"))

    (rule,) = egress_beyond_dns(spec, OWN_GATEWAY)
    assert rule == {
        "to": [{"namespaceSelector": {"matchLabels": {names.LABEL_NAMESPACE_NAME: "ops"}}}]
    }


def test_an_installation_without_a_gateway_has_no_peers() -> None:
    assert gateway_peers("", LABELS) == gateway_peers("bw-gateway.ops", {}) == ()


def test_a_proxy_that_is_named_is_open() -> None:
    spec = run_spec(
        EXEC, execution={"env": [{"name": "https_proxy", "value": "http://10.1.2.3:3128"}]}
    )

    assert egress_beyond_dns(spec) == [
        {
            "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
            "ports": [{"port": 3128, "protocol": "TCP"}],
        }
    ]


def test_allowed_destinations_are_taken_over() -> None:
    spec = allowing(
        {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"], "ports": [{"port": 443}]},
        {
            "podSelector": {"matchLabels": {"app": "db"}},
            "namespaceSelector": {},
            "ports": [{"port": 1, "endPort": 9, "protocol": "UDP"}],
        },
    )

    assert egress_beyond_dns(spec) == [
        {
            "to": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}],
            "ports": [{"port": 443, "protocol": "TCP"}],
        },
        {
            "to": [{"podSelector": {"matchLabels": {"app": "db"}}, "namespaceSelector": {}}],
            "ports": [{"port": 1, "endPort": 9, "protocol": "UDP"}],
        },
    ]


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "169.254.0.0/16", "168.0.0.0/5"])
def test_a_clouds_metadata_addresses_stay_closed(cidr: str) -> None:
    (rule,) = egress_beyond_dns(allowing({"cidr": cidr}))
    closed = rule["to"][0]["ipBlock"]["except"]

    assert "169.254.169.254/32" in closed
    network = ipaddress.ip_network(cidr)
    assert all(ipaddress.ip_network(each).subnet_of(network) for each in closed)


def test_ipv6_metadata_addresses_stay_closed_too() -> None:
    (rule,) = egress_beyond_dns(allowing({"cidr": "::/0"}))

    assert "fd00:ec2::254/128" in rule["to"][0]["ipBlock"]["except"]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_no_cidr_opens_a_metadata_address(address: int, prefix: int) -> None:
    cidr = f"{ipaddress.ip_address(address)}/{prefix}"
    try:
        rules = egress_beyond_dns(allowing({"cidr": cidr}))
    except InvalidInputError:
        return
    block = rules[0]["to"][0]["ipBlock"]
    opened = ipaddress.IPv4Network(block["cidr"])
    closed = [ipaddress.IPv4Network(each) for each in block.get("except", ())]

    for metadata in METADATA_NETWORKS:
        if isinstance(metadata, ipaddress.IPv4Network) and metadata.subnet_of(opened):
            assert any(metadata.subnet_of(each) for each in closed)


@pytest.mark.parametrize(
    ("egress", "field"),
    [
        ({"cidr": "169.254.169.254/32"}, "allowedEgress[0].cidr"),
        ({"cidr": "300.1.1.1/8"}, "allowedEgress[0].cidr"),
        ({"cidr": "10.0.0.0/33"}, "allowedEgress[0].cidr"),
        ({"cidr": "10.0.0.0/8", "except": ["11.0.0.0/8"]}, "allowedEgress[0].except[0]"),
        ({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}, "allowedEgress[0].except[0]"),
        ({"cidr": "10.0.0.0/8", "except": ["10.0.0/8"]}, "allowedEgress[0].except[0]"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_by_name(
    egress: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        policy_of(allowing(egress))

    assert refusal.value.field == f"spec.execution.networkPolicy.{field}"


def test_hosts_that_only_the_user_can_open_are_told() -> None:
    spec = run_spec(
        claude_with(baseUrl="https://llm.example.com/v1"),
        execution={"env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}]},
    )

    assert unopened_hosts(spec) == ("llm.example.com", "proxy.example.com")


@pytest.mark.parametrize(
    "spec",
    [
        run_spec(CLAUDE),
        run_spec(claude_with(baseUrl="http://127.0.0.1:9")),
        run_spec(claude_with(baseUrl="http://localhost:9")),
        run_spec(claude_with(baseUrl="http://gw.llm.svc")),
        allowing({"cidr": "203.0.113.0/24"}, agent=claude_with(baseUrl="https://a.example.com")),
        run_spec(
            claude_with(baseUrl="https://a.example.com"),
            execution={"networkPolicy": {"enabled": False}},
        ),
    ],
)
def test_no_host_is_told_where_nothing_is_left_to_open(spec: Any) -> None:
    assert unopened_hosts(spec) == ()
