"""The operator's environment is read once; what is wrong is named."""

import pytest

from benchwarden.errors import InvalidInputError
from benchwarden.settings import read_settings

GIVEN = {"BENCHWARDEN_RUNNER_IMAGE": "example.test/runner:1"}


def read(**environment):
    return read_settings({**GIVEN, **environment}, host="host-1", default_namespace="here")


def test_without_namespaces_the_operators_own_is_watched():
    assert read().namespaces == ("here",)


def test_an_empty_list_means_the_whole_cluster():
    assert read(BENCHWARDEN_NAMESPACES="").namespaces == ()


def test_namespaces_are_separated_by_commas():
    assert read(BENCHWARDEN_NAMESPACES="a, b").namespaces == ("a", "b")


def test_the_pods_name_is_the_identity_so_that_a_restarted_container_goes_on_at_once():
    assert read(BENCHWARDEN_POD_NAME="operator-0").identity == "operator-0"
    assert read().identity == "host-1"


def test_a_missing_runner_image_is_named():
    with pytest.raises(InvalidInputError, match="BENCHWARDEN_RUNNER_IMAGE"):
        read_settings({}, host="h", default_namespace="n")


@pytest.mark.parametrize("text", ["many", "-1"])
def test_a_number_that_is_none_is_named(text):
    with pytest.raises(InvalidInputError, match="BENCHWARDEN_LEASE_SECONDS"):
        read(BENCHWARDEN_LEASE_SECONDS=text)
