"""The table of what was tested names the versions that the tests really use, and never more."""

import re

import pytest
from tests.claude_binary import VERSION as CLAUDE_VERSION
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/compatibility.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in PAGE.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 4
}


def module(tool: str, path: str) -> str:
    """The version of a Go module that the test bed builds."""
    text = (ROOT / "tests/cluster" / tool / "go.mod").read_text()
    [found] = set(re.findall(rf"^\s*{re.escape(path)} v([\d.]+)", text, re.MULTILINE))
    return found


def locked(package: str) -> str:
    text = (ROOT / "locks/dev.txt").read_text()
    [found] = re.findall(rf"^{package}==([\d.]+)", text, re.MULTILINE)
    return found


def prometheus() -> str:
    """Prometheus 3.x.y has the module version 0.3xx.y."""
    _, minor, patch = module("prometheus", "github.com/prometheus/prometheus").split(".")
    return f"{minor[0]}.{int(minor[1:])}.{patch}"


@pytest.mark.parametrize(
    ("row", "tested"),
    [
        ("Kubernetes", module("kubernetes", "k8s.io/kubernetes")),
        ("Helm", f"{module('helm', 'helm.sh/helm/v3')}, {module('helm4', 'helm.sh/helm/v4')}"),
        ("kopf", locked("kopf")),
        ("kubernetes client", locked("kubernetes")),
        ("Claude Code", CLAUDE_VERSION),
        ("Prometheus", prometheus()),
        ("Alertmanager", module("alertmanager", "github.com/prometheus/alertmanager")),
    ],
)
def test_a_version_in_the_table_is_the_one_that_is_tested(row, tested):
    assert ROWS[row][1] == tested


def test_what_is_wanted_is_what_chart_and_package_say():
    chart = (ROOT / "charts/benchwarden/Chart.yaml").read_text()
    assert f'kubeVersion: "{ROWS["Kubernetes"][0].replace(" ", "")}.0-0"' in chart
    project = (ROOT / "pyproject.toml").read_text()
    python = ROWS["Python of operator and command line"][0].replace(" ", "")
    assert f'requires-python = "{python}"' in project
    for name in ("kopf", "kubernetes"):
        row = ROWS["kubernetes client" if name == "kubernetes" else name]
        assert f'"{name}{row[0].replace(" ", "")}"' in project
