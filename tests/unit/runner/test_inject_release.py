"""Inject brings the CLI from a registry: verified, both builds, and once only where there is a cache."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request

import pytest
from tests.http_proxy import HttpProxy
from tests.npm_registry import GLIBC, NpmRegistry, integrity_of, program
from tests.private_ca import HOST, make_ca
from tests.unit.runner.builders import RUNNER, put

from benchwarden.clis import registry
from benchwarden.errors import UnavailableError
from benchwarden_runner import inject_release, protocol, specs
from benchwarden_runner.agents.claude_command import preferred_builds
from benchwarden_runner.inject_release import ReleaseError, bring
from benchwarden_runner.npm_credentials import NO_CREDENTIALS, of_secret
from benchwarden_runner.specs import CliRelease

VERSION = "2.1.330"
TOKEN = "npm_canary1234567890"


@pytest.fixture
def npm(tmp_path):
    folder = tmp_path / "npm"
    folder.mkdir()
    with NpmRegistry(folder) as found:
        yield found.publish(VERSION)


@pytest.fixture
def x64(monkeypatch):
    monkeypatch.setattr(inject_release.platform, "machine", lambda: "x86_64")


@pytest.fixture
def release(npm, x64):
    return registry.resolve(VERSION, npm.url)


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def never(seconds):
    raise AssertionError(f"waited {seconds} s")


def test_both_builds_come_as_a_runner_image_has_them(npm, release, tmp_path):
    bring(release, tmp_path / "claude", pause=never)
    assert {path.name for path in (tmp_path / "claude").iterdir()} == {
        *("claude-glibc", "claude-musl", "VERSION", "SHA256SUMS")
    }
    for name in (specs.CLAUDE_GLIBC, specs.CLAUDE_MUSL):
        assert (tmp_path / "claude" / name).read_bytes() == program(VERSION, name)
        assert os.access(tmp_path / "claude" / name, os.X_OK)
    assert (tmp_path / "claude" / "VERSION").read_text() == f"{VERSION}\n"
    sums = (tmp_path / "claude" / "SHA256SUMS").read_text().split()
    assert sums[0] == hashlib.sha256(program(VERSION, sums[1])).hexdigest()


def test_an_archive_with_another_hash_is_never_installed(npm, release, tmp_path):
    npm.tamper(VERSION)
    waits = []
    with pytest.raises(ReleaseError, match="not the one that was pinned") as caught:
        bring(release, tmp_path / "claude", pause=waits.append)
    assert len(waits) == inject_release.ATTEMPTS - 1
    assert "registryUrl" in str(caught.value)
    assert not list((tmp_path / "claude").glob("claude-*"))


def test_trouble_that_passes_is_waited_out(npm, release, tmp_path):
    npm.statuses["/@anthropic-ai/claude-code-linux-x64/-/"] = [503, 500]
    waits = []
    bring(release, tmp_path / "claude", pause=waits.append)
    assert waits == [2.0, 4.0]


def test_an_archive_that_is_not_there_is_no_use_asking_again(npm, release, tmp_path):
    npm.statuses["/@anthropic-ai/claude-code-linux-x64/-/"] = [404]
    with pytest.raises(ReleaseError, match="HTTP 404"):
        bring(release, tmp_path / "claude", pause=never)


def test_a_registry_that_wants_credentials_gets_them_and_others_do_not(npm, release, tmp_path):
    npm.wants = f"Bearer {TOKEN}"
    bring(release, tmp_path / "claude", pause=never, credentials=of_secret(TOKEN, npm.url))
    assert (tmp_path / "claude" / "claude-glibc").exists()
    elsewhere = of_secret(TOKEN, "http://npm.example.com/npm")
    with pytest.raises(ReleaseError, match="asked without credentials"):
        bring(release, tmp_path / "other", pause=never, credentials=elsewhere)


def test_credentials_do_not_follow_to_where_a_registry_keeps_its_archives(npm, release, tmp_path):
    with NpmRegistry(npm.folder) as store:
        npm.leads_to, npm.wants = f"http://{store.host}:{store.port}", f"Bearer {TOKEN}"
        bring(release, tmp_path / "claude", pause=never, credentials=of_secret(TOKEN, npm.url))
        assert set(store.heard) == {""}
        assert len(store.fetched()) == 2


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("given", ["with", "without"])
def test_a_registry_that_denies_is_not_asked_again_and_the_reason_says_what_was_sent(
    npm, release, tmp_path, status, given
):
    npm.statuses["/@anthropic-ai/"] = [status]
    credentials = of_secret(TOKEN, npm.url) if given == "with" else NO_CREDENTIALS
    with pytest.raises(ReleaseError) as caught:
        bring(release, tmp_path / "claude", pause=never, credentials=credentials)
    assert str(caught.value).startswith(f"{protocol.REASON_REGISTRY_DENIED}: ")
    assert f"HTTP {status}, asked {given} credentials" in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("text", ["two words", "_authToken=abc", "registry=http://n", "a\nb"])
def test_a_secret_that_is_neither_a_token_nor_an_npmrc_is_refused_unseen(tmp_path, text, release):
    (tmp_path / "source" / "python").mkdir(parents=True)
    (tmp_path / "source" / "app").mkdir()
    message = tmp_path / "message"
    words = ["inject", "--source", tmp_path / "source", "--tools", tmp_path, "--message", message]
    words += ["--release", release.to_json(), "--registry", "http://npm.example.com"]
    done = subprocess.run(
        [sys.executable, "-m", "benchwarden_runner", *map(str, words)],
        env={
            **os.environ,
            "PYTHONPATH": str(RUNNER),
            protocol.ENV_REGISTRY_CREDENTIALS: text,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == protocol.EXIT_HARNESS
    assert f"{protocol.REASON_REGISTRY_DENIED}: they are neither" in message.read_text()
    assert text not in message.read_text() + done.stderr + done.stdout


def test_a_cache_is_filled_once_and_read_by_all_others(npm, release, tmp_path, cache):
    for pod in ("first", "second", "third"):
        bring(release, tmp_path / pod, cache, pause=never)
        assert (tmp_path / pod / "claude-musl").read_bytes() == program(VERSION, "claude-musl")
    assert len(npm.fetched()) == 2
    assert len(list(cache.iterdir())) == 2


def test_a_damaged_cache_is_fetched_anew_and_mended(npm, release, tmp_path, cache):
    bring(release, tmp_path / "first", cache, pause=never)
    for path in cache.iterdir():
        path.write_bytes(path.read_bytes()[:-9] + b"tampered!")
    bring(release, tmp_path / "second", cache, pause=never)
    bring(release, tmp_path / "third", cache, pause=never)
    assert (tmp_path / "second" / "claude-glibc").read_bytes() == program(VERSION, "claude-glibc")
    assert len(npm.fetched()) == 4


def test_a_cache_that_cannot_be_written_costs_time_only(npm, release, tmp_path, capsys):
    bring(release, tmp_path / "claude", tmp_path / "missing", pause=never)
    assert (tmp_path / "claude" / "claude-glibc").exists()
    assert "the cache keeps nothing" in capsys.readouterr().err


def test_a_machine_without_a_build_is_named(release, tmp_path, monkeypatch):
    monkeypatch.setattr(inject_release.platform, "machine", lambda: "riscv64")
    with pytest.raises(ReleaseError, match="no build for riscv64"):
        bring(release, tmp_path / "claude", pause=never)


def test_what_is_no_archive_says_so(npm, tmp_path, x64):
    archive = npm.folder / f"claude-code-linux-x64-{VERSION}.tgz"
    archive.write_bytes(b"no archive")
    npm.dist(GLIBC, VERSION)["integrity"] = integrity_of(archive)
    with pytest.raises(ReleaseError, match="is damaged"):
        bring(registry.resolve(VERSION, npm.url), tmp_path / "claude", pause=never)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return make_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def far_away(tmp_path, ca, x64, monkeypatch):
    """A registry that only a proxy leads to, with a certificate that only a private CA vouches for."""
    folder = tmp_path / "npm"
    folder.mkdir()
    npm = NpmRegistry(folder).behind_tls(ca / "host.pem", f"https://{HOST}:8443")
    with npm.publish(VERSION), HttpProxy(npm.port) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca / "ca.crt"))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        as_a_new_process(monkeypatch)
        yield npm, proxy


def as_a_new_process(monkeypatch):
    """The environment is read when the first address is opened."""
    monkeypatch.setattr(urllib.request, "_opener", None)


def test_operator_and_inject_go_through_a_proxy_and_trust_a_private_ca(far_away, tmp_path):
    npm, proxy = far_away
    bring(registry.resolve("latest", npm.url), tmp_path / "claude", pause=never)
    assert (tmp_path / "claude" / "claude-musl").read_bytes() == program(VERSION, "claude-musl")
    assert set(proxy.asked) == {f"CONNECT {HOST}:8443"}


def test_a_certificate_nobody_vouches_for_is_trouble_of_the_registry(
    far_away, tmp_path, monkeypatch
):
    npm, _ = far_away
    release = registry.resolve(VERSION, npm.url)
    (tmp_path / "none").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    as_a_new_process(monkeypatch)
    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        registry.resolve(VERSION, npm.url)
    with pytest.raises(ReleaseError, match="CERTIFICATE_VERIFY_FAILED"):
        bring(release, tmp_path / "claude", pause=lambda seconds: None)
    assert npm.fetched() == []


@pytest.mark.parametrize("kept", [True, False])
def test_the_command_fills_the_tools_and_leaves_its_reason_where_the_pod_shows_it(
    npm, release, tmp_path, kept
):
    for name in ("python", "app"):
        (tmp_path / "source" / name).mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    message = tmp_path / "message"
    text = release.to_json() if kept else CliRelease("9.9.9").to_json()
    words = ["inject", "--tools", tmp_path / "tools", "--source", tmp_path / "source"]
    words += ["--agent", "claudeCode", "--release", text, "--message", message]
    done = subprocess.run(
        [sys.executable, "-m", "benchwarden_runner", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(RUNNER)},
        capture_output=True,
        check=False,
    )
    if kept:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "tools" / "claude" / "claude-glibc").exists()
        assert (tmp_path / "tools" / "resolv.conf").exists()
        assert not message.exists()
    else:
        assert done.returncode == protocol.EXIT_HARNESS
        assert "Claude Code 9.9.9 has no build" in message.read_text()


def test_a_release_reads_back_as_it_was_written(release):
    assert json.loads(release.to_json())["version"] == VERSION
    assert CliRelease.from_json(release.to_json()) == release


@pytest.mark.parametrize(
    ("files", "first"),
    [
        (("lib/ld-musl-x86_64.so.1",), specs.CLAUDE_MUSL),
        (("lib/ld-musl-x86_64.so.1", "etc/debian_version"), specs.CLAUDE_GLIBC),
        (("lib64/ld-linux-x86-64.so.2",), specs.CLAUDE_GLIBC),
        ((), specs.CLAUDE_GLIBC),
    ],
    ids=["musl", "Debian with musl beside", "glibc", "neither"],
)
def test_the_build_for_the_images_c_library_is_tried_first(tmp_path, files, first):
    put(tmp_path, dict.fromkeys(files, ""))
    order = preferred_builds(str(tmp_path))
    assert order[0] == first
    assert set(order) == {specs.CLAUDE_MUSL, specs.CLAUDE_GLIBC}
