"""Credentials for an npm registry go where npm would send them, and nowhere else."""

import base64

import pytest

from benchwarden_runner.npm_credentials import CredentialsError, of_files, of_secret

PASSWORD = base64.b64encode(b"open sesame").decode()


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("line", "url", "header"),
    [
        ("//n.example.com/:_authToken=t", "https://n.example.com/npm/a.tgz", "Bearer t"),
        ("//n.example.com/npm/:_authToken=t", "https://n.example.com/npm/@a%2fb", "Bearer t"),
        ("//n.example.com/npm:_authToken=t", "https://n.example.com/npm", "Bearer t"),
        (" //N.example.com/ : _authToken = 't' ", "https://n.example.com/", None),
        ('//N.example.com/:_authToken = "t"', "https://n.EXAMPLE.com/a", "Bearer t"),
        ("//n.example.com:443/:_authToken=t", "https://n.example.com/a", "Bearer t"),
        ("//n.example.com:4873/:_authToken=t", "http://n.example.com:4873/a", "Bearer t"),
        ("//n.example.com/:_auth=dTpw", "https://n.example.com/a", "Basic dTpw"),
        ("//[::1]:4873/:_authToken=t", "http://[::1]:4873/a", "Bearer t"),
        ("//n.example.com/npm/:_authToken=t", "https://n.example.com/npmjs/a", None),
        ("//n.example.com/:_authToken=t", "https://n.example.com.evil.org/a", None),
        ("//n.example.com/:_authToken=t", "https://n.example.com:8443/a", None),
        ("_authToken=t", "https://n.example.com/a", None),
        ("; //n.example.com/:_authToken=t", "https://n.example.com/a", None),
        ("# //n.example.com/:_authToken=t", "https://n.example.com/a", None),
    ],
)
def test_a_line_is_for_its_place(line, url, header):
    assert of_files([line], {}).header(url) == header


def test_the_longest_place_decides_and_a_token_wins_over_a_password():
    lines = (
        "//n.example.com/:_authToken=common",
        "//n.example.com/team/:username=u",
        f"//n.example.com/team/:_password={PASSWORD}",
    )
    found = of_files(["\n".join(lines)], {})
    assert found.header("https://n.example.com/a") == "Bearer common"
    assert found.header("https://n.example.com/team/a") == basic("u:open sesame")


def test_the_more_important_file_decides():
    files = ["//n.example.com/:_authToken=first", "//n.example.com/:_authToken=second"]
    assert of_files(files, {}).header("https://n.example.com/") == "Bearer first"


def test_variables_are_filled_in_and_an_absent_one_matters_only_where_it_is_needed():
    text = "//a.example.com/:_authToken=${TOKEN}\n//b.example.com/:_authToken=${ABSENT}"
    found = of_files([text], {"TOKEN": "t"})
    assert found.header("https://a.example.com/") == "Bearer t"
    with pytest.raises(CredentialsError, match="ABSENT"):
        found.header("https://b.example.com/")


@pytest.mark.parametrize(
    "fields",
    ["username=u", f"_password={PASSWORD}", "username=u\n//n/:_password=%%%", "_authToken=a b"],
)
def test_what_cannot_be_sent_is_an_error_that_does_not_repeat_it(fields):
    with pytest.raises(CredentialsError) as caught:
        of_files([f"//n/:{fields}"], {}).header("https://n/a")
    assert "%%%" not in str(caught.value)
    assert "a b" not in str(caught.value)


def test_a_secret_holds_a_token_for_the_registry_or_an_npmrc():
    token = of_secret("npm_abc\n", "https://n.example.com/npm")
    assert token.header("https://n.example.com/npm/a.tgz") == "Bearer npm_abc"
    assert token.header("https://n.example.com/other") is None
    npmrc = of_secret(
        "registry=https://x\n//m.example.com/:_authToken=t\n", "https://n.example.com"
    )
    assert npmrc.header("https://m.example.com/a") == "Bearer t"
    assert npmrc.header("https://n.example.com/a") is None
