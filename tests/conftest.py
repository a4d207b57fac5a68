"""What holds for every test: no terminal settings of whoever runs them, and Hypothesis without stopwatch."""

import pytest
from hypothesis import settings

# A machine that is busy must not fail a property.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch):
    """Output of commands must not depend on the width or colours of the terminal around the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
