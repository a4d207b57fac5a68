"""The operator's environment becomes its settings."""

from collections.abc import Mapping

import pytest

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.settings import Settings, read_settings


def settings(**environment: str) -> Settings:
    given: Mapping[str, str] = {names.ENV_RUNNER_IMAGE: "runner:1", **environment}
    return read_settings(given, host="laptop", default_namespace="bench")


def test_without_a_runner_image_the_variable_is_named():
    with pytest.raises(InvalidInputError) as caught:
        read_settings({}, host="laptop", default_namespace="bench")
    assert caught.value.field == names.ENV_RUNNER_IMAGE


def test_namespaces_are_a_list_and_none_means_the_whole_cluster():
    assert settings().namespaces == ("bench",)
    assert settings(BENCHWARDEN_NAMESPACES=" a, b,").namespaces == ("a", "b")
    assert settings(BENCHWARDEN_NAMESPACES="").namespaces == ()


@pytest.mark.parametrize("text", ["many", "-1"])
def test_what_is_no_number_is_refused_by_the_name_of_its_variable(text):
    with pytest.raises(InvalidInputError) as caught:
        settings(BENCHWARDEN_METRICS_PORT=text)
    assert caught.value.field == names.ENV_METRICS_PORT


@pytest.mark.parametrize(
    ("host", "address"), [("10.96.0.1", "10.96.0.1:443"), ("fd00::1", "[fd00::1]:443")]
)
def test_in_a_pod_the_api_server_is_what_agents_must_not_reach(host, address):
    inside = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    assert settings(**inside).must_fail_address == address
    assert settings(**inside, BENCHWARDEN_MUST_FAIL_ADDRESS="").must_fail_address == address


def test_the_address_that_must_fail_can_be_chosen_and_is_unknown_outside_a_pod():
    chosen = {
        "BENCHWARDEN_MUST_FAIL_ADDRESS": "192.0.2.1:80",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    }
    assert settings(**chosen).must_fail_address == "192.0.2.1:80"
    assert settings().must_fail_address == ""


def test_a_gateway_is_a_service_and_the_labels_of_its_pods():
    assert settings().gateway_service == ""
    assert settings().gateway_labels == {}
    found = settings(
        BENCHWARDEN_GATEWAY_SERVICE="gw.ops", BENCHWARDEN_GATEWAY_LABELS="a/b=c,component=gateway"
    )
    assert found.gateway_service == "gw.ops"
    assert found.gateway_labels == {"a/b": "c", "component": "gateway"}
    with pytest.raises(InvalidInputError) as caught:
        settings(BENCHWARDEN_GATEWAY_LABELS="component")
    assert caught.value.field == names.ENV_GATEWAY_LABELS
