"""The registry is the one npm would ask."""

import pytest

from benchwarden.clis.npm_settings import registry_of
from benchwarden.clis.packument import PUBLIC_REGISTRY
from benchwarden.clis.registry import default_registry


@pytest.mark.parametrize(
    ("environment", "files", "found"),
    [
        ({}, [], PUBLIC_REGISTRY),
        ({}, ["audit = false\n; registry=http://old\n# registry=http://older\n"], PUBLIC_REGISTRY),
        ({"NPM_CONFIG_REGISTRY": "http://a/npm/"}, [], "http://a/npm"),
        ({"npm_config_registry": "http://a"}, ["registry=http://b"], "http://a"),
        ({}, ["registry = 'http://b/'", "registry=http://c"], "http://b"),
        ({"npm_config_registry": ""}, ["", "registry=http://c"], "http://c"),
        ({"npm_config_registry": "http://a"}, ["@anthropic-ai:registry=http://s/"], "http://s"),
        ({}, ["registry=http://b", "@anthropic-ai:registry=http://s"], "http://s"),
    ],
)
def test_variable_then_files_then_the_public_one_and_a_scope_before_all(
    environment, files, found
) -> None:
    assert registry_of(environment, files) == found


def test_a_users_own_file_is_read(tmp_path) -> None:
    (tmp_path / ".npmrc").write_text("@anthropic-ai:registry=https://npm.example.com/\n")
    assert default_registry({"HOME": str(tmp_path)}) == "https://npm.example.com"
    other = tmp_path / "other"
    other.write_text("@anthropic-ai:registry=https://other.example.com\n")
    given = {"HOME": str(tmp_path), "npm_config_userconfig": str(other)}
    assert default_registry(given) == "https://other.example.com"
