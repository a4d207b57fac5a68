from typing import Any

import pytest
from tests.bad_specs.corpus import GOOD, a_run, merged

from benchwarden.api.parse import parse_run
from benchwarden.api.semantics import check
from benchwarden.errors import InvalidInputError


def checked(patch: Any, *, base: str = "oracle") -> None:
    check(parse_run(a_run(merged(GOOD[base], patch)), strict=True).spec)


def resources(requests: Any, limits: Any) -> Any:
    return {"execution": {"resources": {"requests": requests, "limits": limits}}}


def egress(*rules: Any) -> Any:
    return {"execution": {"networkPolicy": {"allowedEgress": list(rules)}}}


@pytest.mark.parametrize(
    "patch",
    [
        resources({"memory": "2Gi"}, {"memory": "2048Mi"}),
        resources({"cpu": "1"}, {"cpu": "1000m"}),
        resources({"memory": "8Gi"}, {}),  # the default limit gives way
        resources({}, {"memory": "512Mi"}),  # the default request gives way
        {"execution": {"nodeSelector": {"kubernetes.io/arch": "amd64"}}},
        {
            "execution": {
                "imageRewrites": [{"prefix": "docker.io/", "replacement": "mirror:5000/hub/"}]
            }
        },
        {
            "execution": {
                "imageRewrites": [
                    {"prefix": "a/b/", "replacement": "m/"},
                    {"prefix": "a/", "replacement": "m/"},
                ]
            }
        },
        egress({"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"], "ports": [{"port": 443}]}),
        egress({"cidr": "2001:db8::/32"}),
        egress({"podSelector": {"matchLabels": {"app": "gateway"}}, "namespaceSelector": {}}),
        {"suite": {"selection": {"include": ["a", "b"], "sample": {"size": 2}}}},
        {"suite": {"tasks": {"source": {"configMap": None, "url": "https://example.com/t.jsonl"}}}},
        {"execution": {"env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]}},
    ],
)
def test_what_makes_sense_is_admitted(patch: Any) -> None:
    checked(patch)


@pytest.mark.parametrize("version", ["latest", "2.1.113", "2.1.330", "3.0.0-beta.1"])
def test_versions_with_a_single_binary_are_admitted(version: str) -> None:
    checked({"agent": {"claudeCode": {"version": version}}}, base="claude")


def test_providers_bring_their_credentials_in_variables() -> None:
    token = {"name": "CLAUDE_CODE_OAUTH_TOKEN", "secretKeyRef": {"name": "s", "key": "k"}}
    checked({"agent": {"claudeCode": {"credentials": None, "env": [token]}}}, base="claude")


def test_a_gateway_needs_no_key() -> None:
    gateway = {"baseUrl": "http://gateway:8080", "credentials": {"mode": "gateway", "apiKey": None}}
    checked({"agent": {"claudeCode": gateway}}, base="claude")


def test_a_secret_never_appears_in_the_message_that_refuses_it() -> None:
    env = [{"name": "ANTHROPIC_API_KEY", "value": "sk-very-secret"}]
    with pytest.raises(InvalidInputError) as caught:
        checked({"agent": {"claudeCode": {"env": env}}}, base="claude")
    assert "very-secret" not in str(caught.value)


def test_many_faults_are_counted() -> None:
    bad = [{"cidr": f"10.0.0.{last}/8"} for last in range(1, 9)]
    with pytest.raises(InvalidInputError, match=r"and 3 more$"):
        checked(egress(*bad))
