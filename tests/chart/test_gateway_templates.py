"""The chart's gateway as the real helm renders it."""

from __future__ import annotations

import hashlib
import json

import kubernetes_validate
import pytest
import yaml
from tests.chart.generated import CHART

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("chart")]

NAMESPACE = "bench"
NAME = "benchwarden-gateway"
KINDS = {"ConfigMap", "Deployment", "Service", "NetworkPolicy"}
DIGEST = "sha256:" + "c" * 64
GOLDEN = CHART.parents[1] / "tests/golden/chart-gateway-haproxy.cfg"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.fixture
def rendering(helm, tmp_path):
    """Helm's answer to values for the gateway."""

    def render(more=None, **gateway):
        values = {"gateway": {"enabled": True, "secret": {"name": "anthropic"}, **gateway}}
        path = tmp_path / "values.json"
        path.write_text(json.dumps({**values, **(more or {})}))
        return helm("template", "benchwarden", str(CHART), "-n", NAMESPACE, "-f", str(path))

    return render


@pytest.fixture
def render(rendering):
    """The gateway's objects by kind."""

    def rendered(more=None, **gateway):
        done = rendering(more, **gateway)
        assert done.returncode == 0, done.stderr
        objects = [each for each in yaml.safe_load_all(done.stdout) if each]
        return {each["kind"]: each for each in objects if each["metadata"]["name"] == NAME}

    return rendered


def config(found) -> str:
    return found["ConfigMap"]["data"]["haproxy.cfg"]


def lines(found) -> list[str]:
    return [line.strip() for line in config(found).splitlines()]


def pod(found):
    return found["Deployment"]["spec"]["template"]["spec"]


def test_it_is_off_by_default(helm):
    done = helm("template", "benchwarden", str(CHART), "-n", NAMESPACE)
    assert done.returncode == 0, done.stderr
    assert NAME not in done.stdout


def test_kubernetes_knows_all_of_it_and_the_configuration_is_the_golden_one(render):
    found = render()
    assert set(found) == KINDS
    for each in found.values():
        kubernetes_validate.validate(each, "1.34", strict=True)
        assert each["metadata"]["namespace"] == NAMESPACE
        assert each["metadata"]["labels"]["app.kubernetes.io/component"] == "gateway"
    assert config(found) == GOLDEN.read_text()


def test_the_key_comes_from_the_secret_into_one_variable_and_stands_nowhere_else(render):
    found = render(secret={"name": "model-key", "key": "token"})
    (container,) = pod(found)["containers"]
    reference = {"name": "model-key", "key": "token"}
    variable = {
        "name": "BENCHWARDEN_GATEWAY_KEY",
        "valueFrom": {"secretKeyRef": reference},
    }
    assert container["env"] == [variable]
    assert [line for line in lines(found) if "GATEWAY_KEY" in line] == [
        'http-request set-header x-api-key "${BENCHWARDEN_GATEWAY_KEY}"'
    ]
    for dropped in ("authorization", "x-api-key", "proxy-authorization"):
        assert f"http-request del-header {dropped}" in lines(found)


def test_its_pod_keeps_to_the_restricted_standard_and_has_no_token(render):
    spec = pod(render())
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert [each["securityContext"] for each in spec["containers"]] == [RESTRICTED]
    assert [each["name"] for each in spec["volumes"]] == ["config"]


def test_only_pods_of_runs_may_come_in(render):
    policy = render({"watchNamespaces": ["team-a", "team-b"]})["NetworkPolicy"]["spec"]
    (rule,) = policy["ingress"]
    assert rule["from"] == [
        {
            "podSelector": {
                "matchExpressions": [{"key": names.LABEL_RUN_UID, "operator": "Exists"}]
            },
            "namespaceSelector": {
                "matchExpressions": [
                    {
                        "key": names.LABEL_NAMESPACE_NAME,
                        "operator": "In",
                        "values": ["team-a", "team-b"],
                    }
                ]
            },
        }
    ]
    anywhere = render({"clusterWide": True})["NetworkPolicy"]["spec"]["ingress"][0]["from"][0]
    assert anywhere["namespaceSelector"] == {}
    assert anywhere["podSelector"]["matchExpressions"][0]["key"] == names.LABEL_RUN_UID


def test_policy_service_and_deployment_choose_the_gateway_and_never_the_operator(render, rendering):
    found = render()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    operators = [
        each
        for each in yaml.safe_load_all(rendering().stdout)
        if each and each["metadata"]["name"] == "benchwarden" and each["kind"] == "Service"
    ]
    assert not operators[0]["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize(
    ("upstream", "server", "host", "path"),
    [
        ("https://api.anthropic.com", "api.anthropic.com:443 ssl ", "api.anthropic.com", ""),
        ("https://llm.example.com:8443/v2/", "llm.example.com:8443 ssl ", "llm.example.com:8443", "/v2"),
        ("http://litellm.ai.svc:4000", "litellm.ai.svc:4000 ", "litellm.ai.svc:4000", ""),
    ],
)  # fmt: skip
def test_requests_go_on_to_the_upstream(render, upstream, server, host, path):
    found = render(upstream=upstream)
    (line,) = (each for each in lines(found) if each.startswith("server "))
    assert line.startswith(f"server model {server}")
    assert ("ssl verify required ca-file @system-ca" in line) == upstream.startswith("https")
    assert f"http-request set-header host {host}" in lines(found)
    moved = [each for each in lines(found) if "set-path" in each]
    assert moved == ([f"http-request set-path {path}%[path]"] if path else [])
    open_ports = [each["port"] for each in found["NetworkPolicy"]["spec"]["egress"][1]["ports"]]
    assert open_ports == [int(server.partition(":")[2].split()[0])]


def test_bearer_image_and_placement_are_by_value(render):
    found = render(
        auth="bearer",
        image={"repository": "mirror.example.com/haproxy", "digest": DIGEST},
        replicas=3,
        tolerations=[{"operator": "Exists"}],
        egressTo=[{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    )
    assert 'http-request set-header authorization "Bearer ${BENCHWARDEN_GATEWAY_KEY}"' in lines(
        found
    )
    assert "http-request set-header x-api-key" not in config(found)
    assert pod(found)["containers"][0]["image"] == f"mirror.example.com/haproxy@{DIGEST}"
    assert found["Deployment"]["spec"]["replicas"] == 3
    assert pod(found)["tolerations"] == [{"operator": "Exists"}]
    rule = found["NetworkPolicy"]["spec"]["egress"][1]
    assert rule["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]


def test_a_new_configuration_starts_new_pods(render):
    sums = []
    for found in (render(), render(upstream="https://other.example.com")):
        meta = found["Deployment"]["spec"]["template"]["metadata"]
        digest = hashlib.sha256(config(found).rstrip("\n").encode()).hexdigest()
        assert meta["annotations"]["checksum/config"] == digest
        sums.append(digest)
    assert sums[0] != sums[1]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"secret": {"name": ""}}, "gateway.secret.name"),
        ({"upstream": "https://x.example.com/\n  server evil"}, "upstream"),
        ({"upstream": "ftp://x.example.com"}, "upstream"),
        ({"paths": ["/v1/messages } # "]}, "paths"),
        ({"auth": "basic"}, "auth"),
        ({"idleTimeoutSeconds": 1}, "idleTimeoutSeconds"),
    ],
    ids=["no-secret", "line-feed", "scheme", "path", "auth", "timeout"],
)
def test_values_that_cannot_work_are_refused(rendering, values, complaint):
    done = rendering(None, **values)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_the_operator_is_told_which_pods_are_the_gateway(rendering, render):
    found = render()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    (operator,) = [
        each
        for each in yaml.safe_load_all(rendering().stdout)
        if each and each["kind"] == "Deployment" and each["metadata"]["name"] == "benchwarden"
    ]
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    given = {each["name"]: each.get("value", "") for each in container["env"]}
    assert given[names.ENV_GATEWAY_SERVICE] == f"{NAME}.{NAMESPACE}"
    told = dict(pair.split("=") for pair in given[names.ENV_GATEWAY_LABELS].split(","))
    assert told == labels
