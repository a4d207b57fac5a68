"""Helm 4 makes of the chart what Helm 3 makes of it, and installs it."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml
from tests.chart.generated import CHART
from tests.chart.test_release import RELEASE, _images, await_present, home, images
from tests.chart.test_templates import MATRIX, rendering
from tests.cluster import build

__all__ = ["home", "images"]
pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def helm4():
    """Runs Helm 4, built on first use; never raises."""
    program = build.ensure(build.HELM4) / "helm"

    def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
        command = [str(program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)

    return run


def objects(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, ...], dict]:
    assert done.returncode == 0, done.stderr
    found = [each for each in yaml.safe_load_all(done.stdout) if each]
    return {
        (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace", "")): each
        for each in found
    }


def test_it_is_helm_4(helm4):
    assert helm4("version", "--short").stdout.startswith("v4.")


@pytest.mark.parametrize("title", MATRIX)
def test_both_render_the_same_objects(helm, helm4, tmp_path, title):
    ours = objects(rendering(helm4, tmp_path, MATRIX[title]))
    assert ours
    assert ours == objects(rendering(helm, tmp_path, MATRIX[title]))


@pytest.mark.parametrize("title", MATRIX)
def test_helm_4_has_no_complaint(helm4, tmp_path, title):
    path = tmp_path / "values.json"
    path.write_text(json.dumps(MATRIX[title]))
    done = helm4("lint", "--strict", str(CHART), "-n", "bench", "-f", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_helm_4_refuses_a_typo(helm4, tmp_path):
    done = rendering(helm4, tmp_path, {"image": {"tagg": "1"}})
    assert done.returncode != 0
    assert "tagg" in done.stderr


def test_a_release_of_helm_4_lives_and_goes_without_a_trace(helm4, home, kubectl, images, tmp_path):
    values = tmp_path / "values.json"
    watched = {"crds": {"enabled": False}, "watchNamespaces": [kubectl.namespace]}
    values.write_text(json.dumps({**watched, **_images(images)}))
    common = ("-n", home.namespace, "--kubeconfig", str(home.kubeconfig))
    wait = ("--wait", "--timeout", "180s")
    given = (RELEASE, str(CHART), "-f", str(values), *wait, *common)
    changed = ("--set", "podAnnotations.round=two")
    for command in (
        ("install", *given),
        ("test", RELEASE, *common),
        ("upgrade", *given, *changed),
        ("rollback", RELEASE, "1", *wait, *common),
        ("uninstall", RELEASE, *wait, *common),
    ):
        done = helm4(*command, timeout=240)
        assert done.returncode == 0, (command[0], done.stderr)
    await_present(home, set())
    await_present(kubectl, set())
