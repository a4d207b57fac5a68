"""Secrets are found by what they are declared to be, or by their variable's name; however they are spelled."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden_runner.protocol import ENV_SECRET_NAMES
from benchwarden_runner.redaction import Redactor

VALUE = 'canary "quoted"/and+more'


def redactor(**environment: str) -> Redactor:
    return Redactor(environment)


@pytest.mark.parametrize("name", ["API_KEY", "MY_TOKEN", "DB_PASSWORD", "AWS_ACCESS_KEY_ID"])
def test_names_that_sound_secret_are(name: str) -> None:
    assert redactor(**{name: VALUE}).text(f"a {VALUE} b") == f"a [redacted {name}] b"


def test_a_declared_secret_needs_no_telling_name() -> None:
    plain = redactor(MY_SETTINGS=VALUE)
    declared = redactor(MY_SETTINGS=VALUE, OTHER="x" * 20, **{ENV_SECRET_NAMES: "MY_SETTINGS,GONE"})

    assert plain.text(VALUE) == VALUE
    assert declared.text(f"{VALUE} {'x' * 20}") == f"[redacted MY_SETTINGS] {'x' * 20}"


@pytest.mark.parametrize(
    "spelled", [VALUE, json.dumps(VALUE), quote(VALUE, safe="")], ids=["plain", "json", "url"]
)
def test_a_secret_is_found_in_every_spelling(spelled: str) -> None:
    hidden = redactor(MY_TOKEN=VALUE).data(f"<{spelled}>".encode())

    assert b"canary" not in hidden
    assert b"redacted MY_TOKEN" in hidden


@given(st.binary(max_size=60), st.integers(1, 90), st.binary(max_size=60))
def test_a_secret_across_chunks_is_found_too(before: bytes, size: int, after: bytes) -> None:
    whole = before + VALUE.encode() + after
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    one = redactor(MY_TOKEN=VALUE)

    assert b"".join(one.chunks(chunks)) == one.data(whole)


def test_of_credentials_in_json_what_is_secret_in_them_is_found_by_itself() -> None:
    private = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"
    account = json.dumps({"type": "service_account", "private_key": private, "n_token": 7})
    found = redactor(**{ENV_SECRET_NAMES: "ACCOUNT", "ACCOUNT": account})
    assert found.text(account) == "[redacted ACCOUNT]"
    assert found.text(f"read {private}") == "read [redacted ACCOUNT]"
    assert found.text("service_account") == "service_account"
