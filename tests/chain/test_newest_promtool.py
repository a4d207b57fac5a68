"""The alerts' stories again, told by the promtool of the Prometheus that the chain runs."""

from __future__ import annotations

import subprocess

import pytest
from tests.chart.test_rules import RULES, STORIES, assert_passes, played
from tests.cluster import build

pytestmark = [pytest.mark.cluster, pytest.mark.long]


@pytest.fixture(scope="session")
def newest():
    program = build.ensure(build.PROMETHEUS) / "promtool"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def test_it_accepts_the_rules_and_has_nothing_to_lint(newest):
    done = newest("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("title", STORIES)
def test_alert(newest, tmp_path, title):
    assert_passes(newest, tmp_path, played([STORIES[title]]))
