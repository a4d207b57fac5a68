"""The real CLI in the surroundings users have: a proxy, a private CA, other providers, a telemetry collector."""

import json
import subprocess
from dataclasses import replace

import pytest
from tests.http_proxy import HttpProxy
from tests.private_ca import HOST, make_ca
from tests.provider_api import ACCESS_TOKEN, ProviderApi
from tests.unit.runner.claude_bench import KEY, MODEL, spec

from benchwarden.names import CA_VARIABLES
from benchwarden_runner import protocol

pytestmark = pytest.mark.claude

TOKEN = "planted-token-0123456789"


@pytest.fixture(scope="module")
def private_ca(tmp_path_factory):
    return make_ca(tmp_path_factory.mktemp("ca"))


def through_proxy(bench, api, proxy, **trust):
    asked = spec(bench, api, env={"HTTPS_PROXY": proxy.url})
    asked = replace(asked, claude=replace(asked.claude, base_url=f"https://{HOST}:8443"))
    return bench.agent(asked, env={"ANTHROPIC_API_KEY": KEY, **trust})


@pytest.fixture
def tls_api(private_ca):
    with ProviderApi(private_ca / "host.pem") as api:
        api.base_url = api.url
        yield api


def test_the_api_is_reached_through_a_proxy_by_a_certificate_of_a_private_ca(
    bench, tls_api, private_ca
):
    trust = dict.fromkeys(CA_VARIABLES, str(private_ca / "ca.crt"))
    with HttpProxy(tls_api.port) as proxy:
        telemetry = through_proxy(bench, tls_api, proxy, **trust)
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert set(proxy.asked) == {f"CONNECT {HOST}:8443"}
    assert tls_api.to("/v1/messages")[0].headers["x-api-key"] == KEY


def test_without_the_private_ca_nothing_is_said_to_the_api(bench, tls_api):
    with HttpProxy(tls_api.port) as proxy:
        telemetry = through_proxy(bench, tls_api, proxy)
    assert telemetry.outcome == protocol.API_CONNECTION, telemetry
    assert proxy.asked
    assert tls_api.requests == []


def elsewhere(bench, api, variables, secrets, model=MODEL):
    """Run against another provider, as `agent.claudeCode.env` sets one up."""
    asked = spec(bench, api, env=variables, model=model)
    asked = replace(asked, claude=replace(asked.claude, base_url=""))
    return bench.agent(asked, env=secrets)


@pytest.fixture
def provider():
    with ProviderApi() as api:
        api.base_url = api.url
        yield api


def test_bedrock_is_asked_at_its_own_address_with_its_own_token(bench, provider):
    model = "us.anthropic.claude-sonnet-5-5-v1:0"
    variables = {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": "eu-central-1",
        "ANTHROPIC_BEDROCK_BASE_URL": provider.url,
    }
    telemetry = elsewhere(bench, provider, variables, {"AWS_BEARER_TOKEN_BEDROCK": TOKEN}, model)
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    (asked,) = provider.to("/invoke-with-response-stream")
    assert asked.path == f"/model/{model}/invoke-with-response-stream"
    for request in provider.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert "x-api-key" not in request.headers
    # Beside the agent's own request, the CLI tries with one token which other models there are.
    others = [each for each in provider.requests if each is not asked]
    assert {each.body["max_tokens"] for each in others} <= {1}


def test_bedrock_with_keys_signs_its_requests_for_the_region(bench, provider):
    variables = {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": "eu-central-1",
        "ANTHROPIC_BEDROCK_BASE_URL": provider.url,
    }
    secrets = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": TOKEN}
    telemetry = elsewhere(bench, provider, variables, secrets, "anthropic.claude-sonnet-5-5-v1:0")
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    signed = provider.to("/model/")[0].headers["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in signed
    assert TOKEN not in json.dumps(provider.to("/model/")[0].headers)


def test_vertex_is_asked_for_project_and_region(bench, provider):
    variables = {
        "CLAUDE_CODE_USE_VERTEX": "1",
        "CLAUDE_CODE_SKIP_VERTEX_AUTH": "1",
        "CLOUD_ML_REGION": "europe-west1",
        "ANTHROPIC_VERTEX_PROJECT_ID": "bench-project",
        "ANTHROPIC_VERTEX_BASE_URL": f"{provider.url}/v1",
    }
    telemetry = elsewhere(bench, provider, variables, {}, "claude-sonnet-5-5@20260101")
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    place = "/v1/projects/bench-project/locations/europe-west1/publishers/anthropic/models/"
    assert provider.to(":streamRawPredict")[0].path.startswith(f"{place}claude-sonnet-5-5@20260101")


@pytest.fixture(scope="module")
def google(tmp_path_factory):
    """Google's addresses by a certificate of ours, and a service account's credentials as a Secret has them."""
    folder = make_ca(tmp_path_factory.mktemp("google"), "*.googleapis.com")
    made = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    key = subprocess.run(made, capture_output=True, text=True, check=True).stdout
    account = {
        "type": "service_account",
        "project_id": "bench-project",
        "private_key_id": "planted",
        "private_key": key,
        "client_email": "bench@bench-project.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return folder, json.dumps(account)


def test_vertex_logs_in_with_a_service_account_from_a_secret(bench, google):
    folder, account = google
    variables = {
        "CLAUDE_CODE_USE_VERTEX": "1",
        "CLOUD_ML_REGION": "europe-west1",
        "ANTHROPIC_VERTEX_PROJECT_ID": "bench-project",
    }
    trust = dict.fromkeys(CA_VARIABLES, str(folder / "ca.crt"))
    with ProviderApi(folder / "host.pem") as api, HttpProxy(api.port) as proxy:
        api.base_url = api.url
        secrets = {"GOOGLE_APPLICATION_CREDENTIALS": account, **trust}
        telemetry = elsewhere(
            bench,
            api,
            {**variables, "HTTPS_PROXY": proxy.url},
            secrets,
            "claude-sonnet-5-5@20260101",
        )
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    assert "assertion" in api.to("/token")[0].body
    asked = api.to(":streamRawPredict")[0]
    assert asked.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert set(proxy.asked) == {
        "CONNECT oauth2.googleapis.com:443",
        "CONNECT europe-west1-aiplatform.googleapis.com:443",
    }


def test_an_oauth_token_is_sent_as_one(bench, provider):
    asked = spec(bench, provider)
    telemetry = bench.agent(asked, env={"CLAUDE_CODE_OAUTH_TOKEN": TOKEN})
    assert telemetry.outcome == protocol.COMPLETED, telemetry
    headers = provider.to("/v1/messages")[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert "oauth" in headers["anthropic-beta"]
    assert "x-api-key" not in headers


def test_the_clis_own_metrics_reach_a_collector_and_only_if_asked_for(bench, provider):
    with ProviderApi() as collector:
        variables = {
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_RESOURCE_ATTRIBUTES": "benchmark=nightly",
        }
        asked = spec(bench, provider, env=variables)
        telemetry = bench.agent(asked, env={"ANTHROPIC_API_KEY": KEY})
        assert telemetry.outcome == protocol.COMPLETED, telemetry
        exported = [
            (metric["name"], resource["resource"])
            for request in collector.to("/v1/metrics")
            for resource in request.body["resourceMetrics"]
            for scope in resource["scopeMetrics"]
            for metric in scope["metrics"]
        ]
        assert "claude_code.token.usage" in {name for name, _ in exported}
        attributes = {each["key"]: each["value"] for each in exported[0][1]["attributes"]}
        assert attributes["benchmark"] == {"stringValue": "nightly"}
        assert KEY not in json.dumps([each.body for each in collector.requests])
        heard = len(collector.requests)
        bench.agent(spec(bench, provider), env={"ANTHROPIC_API_KEY": KEY})
        assert len(collector.requests) == heard
