"""A work place with a small repository and the real Claude Code, for tests of the runner and of suites."""

import pytest
from tests.claude_binary import ClaudeUnavailableError, ensure_claude
from tests.unit.runner.builders import Place, repository


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def claude():
    try:
        return ensure_claude()
    except ClaudeUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def bench(place, claude):
    repository(place.repo, {"calc.py": "def add(a, b):\n    return a - b\n"})
    (place.tools / "claude").symlink_to(claude.parent)
    return place
