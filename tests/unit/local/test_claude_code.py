import base64
import hashlib
import io
import json
import os
import platform
import sys
import tarfile
from pathlib import Path

import pytest

from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.local import claude_code

pytestmark = pytest.mark.skipif(
    platform.system() != "Linux", reason="Claude Code is fetched for Linux only"
)


class Registry:
    """An npm that serves one package from a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.archive = root / "package.tgz"
        with tarfile.open(self.archive, "w:gz") as tar:
            entry = tarfile.TarInfo("package/claude")
            entry.size = 7
            tar.addfile(entry, io.BytesIO(b"program"))
        digest = hashlib.sha512(self.archive.read_bytes()).digest()
        self.integrity = "sha512-" + base64.b64encode(digest).decode()
        self.calls = root / "calls"
        self.calls.touch()

    def install(self, *, integrity: str = "") -> None:
        answers = {"version": "2.1.330", "dist.integrity": integrity or self.integrity}
        script = self.root / "npm"
        script.write_text(
            f"#!{sys.executable}\n"
            "import json, shutil, sys\n"
            f"open({str(self.calls)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            "if sys.argv[1] == 'pack':\n"
            f"    shutil.copy({str(self.archive)!r}, 'anthropic-ai-claude-code.tgz'); print('[]')\n"
            "else:\n"
            f"    print(json.dumps({json.dumps(answers)}[sys.argv[3]]))\n"
        )
        script.chmod(0o755)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    root = tmp_path / "bin"
    root.mkdir()
    monkeypatch.setenv("PATH", f"{root}:{os.environ['PATH']}")
    return Registry(root)


def test_a_version_is_fetched_checked_and_then_cached(registry: Registry, tmp_path: Path) -> None:
    registry.install()
    folder = claude_code.fetch("2.1.330", tmp_path / "cache")
    assert folder == claude_code.cached("2.1.330", tmp_path / "cache")
    binary = next(folder.glob("claude-*"))
    assert os.access(binary, os.X_OK)
    sums = (folder / "SHA256SUMS").read_text()
    assert sums == f"{hashlib.sha256(b'program').hexdigest()}  {binary.name}\n"
    assert (folder / "VERSION").read_text() == "2.1.330\n"
    calls = registry.calls.read_text()
    claude_code.fetch("2.1.330", tmp_path / "cache")
    assert registry.calls.read_text() == calls


def test_latest_becomes_a_version(registry: Registry, tmp_path: Path) -> None:
    registry.install()
    assert claude_code.fetch("latest", tmp_path / "cache").name == "2.1.330"


def test_a_wrong_checksum_installs_nothing(registry: Registry, tmp_path: Path) -> None:
    registry.install(integrity="sha512-AAAA")
    with pytest.raises(UnavailableError, match="nothing was installed"):
        claude_code.fetch("2.1.330", tmp_path / "cache")
    with pytest.raises(UnavailableError, match="benchwarden claude fetch"):
        claude_code.cached("2.1.330", tmp_path / "cache")


def test_a_word_that_is_no_version_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.install()
    with pytest.raises(InvalidInputError, match="is no version"):
        claude_code.fetch("../../etc", tmp_path / "cache")


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="npm is needed"):
        claude_code.fetch("2.1.330", tmp_path / "cache")


def test_the_cache_follows_the_environment() -> None:
    found = claude_code.cache_directory({"BENCHWARDEN_CACHE": "/srv/cache"})
    assert found == Path("/srv/cache/claude-code")
    assert claude_code.cache_directory({}).parts[-2:] == ("benchwarden", "claude-code")
