"""Fixtures of the chart's tests: the real programs, and the cluster for those who ask for it."""

import subprocess
from collections.abc import Callable

import pytest
from tests.cluster import build, packages, reach
from tests.cluster.fixtures import cluster, kubectl

__all__ = ["cluster", "kubectl"]


@pytest.fixture(scope="session")
def helm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs helm, built on first use; never raises."""
    if reach.skipped():
        pytest.skip(f"{reach.SKIP_VARIABLE} is set")
    program = build.ensure(build.HELM) / "helm"

    def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
        command = [str(program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)

    return run


@pytest.fixture(scope="session")
def promtool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs promtool, installed on first use; never raises."""
    if reach.skipped():
        pytest.skip(f"{reach.SKIP_VARIABLE} is set")
    packages.ensure(packages.PACKAGE_TARGETS["promtool"])
    program = packages.program("promtool")
    assert program

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run
