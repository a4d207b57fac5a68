"""What `make generate` writes into the chart: copies of the CRDs, the permissions, the dashboard, Grafana's alerts."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from tests.chart import dashboard, grafana_alerts

from benchwarden.api.crd import render_all
from benchwarden.manifests.install import LEASE_PERMISSION, PERMISSIONS, rule

CHART = Path(__file__).parents[2] / "charts" / "benchwarden"
FILES = "charts/benchwarden/files"


def chart_files() -> Iterator[tuple[str, str]]:
    """Path from the repository's root and content of every generated file."""
    for name, text in render_all().items():
        if name != "kustomization.yaml":
            yield f"{FILES}/crds/{name}", text
    yield f"{FILES}/rbac.yaml", permissions()
    yield dashboard.PATH, dashboard.render()
    yield grafana_alerts.PATH, grafana_alerts.render()


def permissions() -> str:
    """The rules of the operator's roles; leases are needed in its own namespace only."""
    rules = {
        "rules": [rule(each) for each in PERMISSIONS],
        "leaseRules": [rule(LEASE_PERMISSION)],
    }
    head = "# Generated from operator/benchwarden/manifests/install.py by `make generate`; do not edit.\n"
    return head + yaml.safe_dump(rules, sort_keys=False)
