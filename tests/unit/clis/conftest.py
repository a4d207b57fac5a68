from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.npm_registry import NpmRegistry


@pytest.fixture
def npm(tmp_path: Path) -> Iterator[NpmRegistry]:
    """A registry with three versions."""
    folder = tmp_path / "npm"
    folder.mkdir()
    with NpmRegistry(folder) as registry:
        for version in ("2.1.328", "2.1.329", "2.1.330"):
            registry.publish(version)
        yield registry
