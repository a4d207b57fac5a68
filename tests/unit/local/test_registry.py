"""A local run gets its CLI with the user's own npm from the registry that the spec names."""

import platform
import shutil
from pathlib import Path

import pytest
from tests.npm_registry import NpmRegistry, program

from benchwarden.errors import UnavailableError
from benchwarden.local import claude_code

pytestmark = [
    pytest.mark.claude,
    pytest.mark.skipif(
        platform.machine() != "x86_64", reason="the registry of the tests has builds for x64 only"
    ),
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NpmRegistry:
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    folder = tmp_path / "npm"
    folder.mkdir()
    return NpmRegistry(folder).publish("2.1.329").publish("2.1.330")


def test_npm_finds_latest_and_brings_it_checked(npm: NpmRegistry, tmp_path: Path) -> None:
    with npm:
        assert claude_code.latest(npm.url) == "2.1.330"
        folder = claude_code.fetch("2.1.329", tmp_path / "cache", npm.url)
    binary = next(folder.glob("claude-*"))
    assert binary.read_bytes() == program("2.1.329", binary.name)
    assert all(path.startswith("/@anthropic-ai/claude-code") for path in npm.requests)


def test_what_is_not_what_the_registry_says_is_not_installed(
    npm: NpmRegistry, tmp_path: Path
) -> None:
    npm.tamper("2.1.330")
    with npm, pytest.raises(UnavailableError, match="wanted sha512"):
        claude_code.fetch("2.1.330", tmp_path / "cache", npm.url)
    assert not list((tmp_path / "cache").rglob("claude-*"))
