"""What holds for every test: no terminal settings of whoever runs them, and Hypothesis without stopwatch."""

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.cluster_promises.scene", "tests.installed")

NO_SKIPS = "BENCHWARDEN_NO_SKIPS"

# A machine that is busy must not fail a property.
settings.register_profile("unhurried", deadline=None)
# CI judges a change: it tries the same examples each time. New ones are searched for on people's machines.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable" if os.environ.get("CI") else "unhurried")


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch):
    """Output of commands must not depend on the width or colours of the terminal around the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.hookimpl(trylast=True)  # after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a minute begins first, so that nobody waits for it alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("early") is None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can run, a test that is skipped is a test that is missing."""
    config = session.config
    if os.environ.get(NO_SKIPS) != "1" or hasattr(config, "workerinput"):
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    for report in skipped:
        reporter.write_line(f"skipped though nothing was expected to be: {report.nodeid}", red=True)
    if skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
