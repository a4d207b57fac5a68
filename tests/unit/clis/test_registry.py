"""A version becomes a release: addresses and hashes of both builds, or the reason why not."""

from pathlib import Path

import pytest
from tests.npm_registry import GLIBC, MUSL, NpmRegistry

from benchwarden import names
from benchwarden.clis import registry
from benchwarden.clis.packument import PUBLIC_REGISTRY, release_of
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden_runner.specs import CliRelease

TOKEN = "npm_canary1234567890"


def test_an_exact_version_is_both_builds_with_their_hashes(npm: NpmRegistry) -> None:
    release = registry.resolve("2.1.329", npm.url)
    assert release.version == "2.1.329"
    assert [(each.name, each.machine) for each in release.builds] == [
        ("claude-glibc", "x64"),
        ("claude-musl", "x64"),
    ]
    for build, package in zip(release.builds, (GLIBC, MUSL), strict=True):
        assert build.integrity == npm.dist(package, "2.1.329")["integrity"]
        assert build.url == npm.dist(package, "2.1.329")["tarball"]
    assert CliRelease.from_json(release.to_json()) == release
    assert npm.fetched() == []


def test_latest_is_what_the_tag_says_and_not_the_highest_number(npm: NpmRegistry) -> None:
    npm.latest = "2.1.329"
    assert registry.resolve("latest", f"{npm.url}/").version == "2.1.329"


def test_an_unknown_version_names_the_field_and_versions_that_exist(npm: NpmRegistry) -> None:
    with pytest.raises(InvalidInputError) as caught:
        registry.resolve("2.1.999", npm.url)
    assert caught.value.field == "spec.agent.claudeCode.version"
    assert caught.value.reason == names.REASON_UNKNOWN_CLI_VERSION
    assert "2.1.999" in str(caught.value)
    assert "2.1.330" in str(caught.value)


def test_a_registry_without_the_package_names_the_field_of_the_address(npm: NpmRegistry) -> None:
    with pytest.raises(InvalidInputError, match="has no package") as caught:
        registry.resolve("2.1.330", f"{npm.url}/elsewhere")
    assert caught.value.field == "spec.agent.claudeCode.registryUrl"


def test_a_registry_without_a_latest_version_asks_for_an_exact_one(npm: NpmRegistry) -> None:
    npm.latest = ""
    with pytest.raises(InvalidInputError, match="give an exact version"):
        registry.resolve("latest", npm.url)


def test_a_registry_that_lets_nobody_in_is_no_use_asking_again(npm: NpmRegistry) -> None:
    npm.statuses["/"] = [401]
    with pytest.raises(InvalidInputError, match="without credentials") as caught:
        registry.resolve("2.1.330", npm.url)
    assert caught.value.reason == names.REASON_REGISTRY_UNAVAILABLE
    assert caught.value.field == "spec.agent.claudeCode.registryUrl"
    assert "npmrc.existingSecret" in str(caught.value)


def npmrc(npm: NpmRegistry, line: str) -> str:
    return f"//{npm.host}:{npm.port}/npm/:{line}\n"


def test_the_operators_own_npmrc_opens_a_registry_and_is_read_anew_each_time(
    npm: NpmRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "npmrc"
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(file))
    monkeypatch.setenv("NPM_TOKEN", TOKEN)
    npm.wants = f"Bearer {TOKEN}"
    with pytest.raises(InvalidInputError, match="without credentials"):
        registry.resolve_here("latest", npm.url)
    file.write_text(npmrc(npm, "_authToken=outdated-token"))
    with pytest.raises(InvalidInputError, match="asks with credentials") as caught:
        registry.resolve_here("latest", npm.url)
    assert "outdated-token" not in str(caught.value)
    file.write_text(npmrc(npm, "_authToken=${NPM_TOKEN}"))
    assert registry.resolve_here("latest", npm.url).version == "2.1.330"


def test_a_registry_that_a_run_names_gets_no_credentials_of_another(
    npm: NpmRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "npmrc").write_text(f"//npm.example.com/:_authToken={TOKEN}\n_auth={TOKEN}\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    assert registry.resolve_here("latest", npm.url).version == "2.1.330"
    assert set(npm.heard) == {""}


def test_what_the_operators_npmrc_says_in_vain_is_told_without_repeating_it(
    npm: NpmRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "npmrc"
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(file))
    for line, problem in (
        ("_authToken=${NOBODY_SET_THIS}", "NOBODY_SET_THIS"),
        (f"_authToken={TOKEN} and more", "no header may have"),
        (f"username={TOKEN}", "no username with its _password"),
    ):
        file.write_text(npmrc(npm, line))
        with pytest.raises(InvalidInputError, match=problem) as caught:
            registry.resolve_here("latest", npm.url)
        assert TOKEN not in str(caught.value)
    assert npm.requests == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_of_the_registry_may_pass(npm: NpmRegistry, status: int) -> None:
    npm.statuses["/"] = [status]
    with pytest.raises(UnavailableError, match=str(status)):
        registry.resolve("2.1.330", npm.url)
    assert registry.resolve("2.1.330", npm.url).version == "2.1.330"


def test_nobody_there_is_said_with_the_address() -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9"):
        registry.resolve("2.1.330", "http://127.0.0.1:9")


@pytest.mark.parametrize("integrity", [None, "", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="])
def test_a_hash_that_cannot_be_checked_is_refused(npm: NpmRegistry, integrity: str | None) -> None:
    npm.dist(MUSL, "2.1.330")["integrity"] = integrity
    with pytest.raises(UnavailableError, match="no hash that can be checked"):
        registry.resolve("2.1.330", npm.url)


@pytest.mark.parametrize("url", [None, "file:///etc/passwd", "ftp://npm.example.com/a.tgz"])
def test_an_archive_is_fetched_over_http_only(npm: NpmRegistry, url: str | None) -> None:
    npm.dist(GLIBC, "2.1.330")["tarball"] = url
    with pytest.raises(UnavailableError, match="no archive's address"):
        registry.resolve("2.1.330", npm.url)


@pytest.mark.parametrize(
    "answer", [{}, {"versions": []}, {"versions": {"2.1.330": None}}, {"versions": {"2.1.330": []}}]
)
def test_nonsense_of_a_registry_is_an_unknown_version(answer: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=r"no version 2\.1\.330"):
        release_of("2.1.330", {GLIBC: answer, MUSL: answer}, "http://npm.example.com")


def test_a_mirror_that_repeats_public_addresses_is_asked_itself() -> None:
    said = {
        package: {
            "versions": {
                "2.1.330": {
                    "dist": {
                        "tarball": f"{PUBLIC_REGISTRY}/{package}/-/a-2.1.330.tgz",
                        "integrity": "sha512-AAAA",
                    }
                }
            }
        }
        for package in (GLIBC, MUSL)
    }
    mirrored = release_of("2.1.330", said, "http://mirror.example.com/npm/")
    assert mirrored.builds[0].url == f"http://mirror.example.com/npm/{GLIBC}/-/a-2.1.330.tgz"
    public = release_of("2.1.330", said, PUBLIC_REGISTRY)
    assert public.builds[0].url == f"{PUBLIC_REGISTRY}/{GLIBC}/-/a-2.1.330.tgz"
