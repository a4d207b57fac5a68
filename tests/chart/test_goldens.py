"""Golden manifests of the chart: what a values file makes of it changes only on purpose.

`BENCHWARDEN_GENERATE=1 pytest -m cluster tests/chart/test_goldens.py` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from tests.chart.test_templates import MATRIX, rendering

pytestmark = pytest.mark.cluster

FOLDER = Path(__file__).parents[1] / "golden" / "chart"
ELSEWHERE = "a file of the chart"


def golden(helm, folder, values) -> str:
    """All objects that helm renders, but for what it copies from generated files."""
    done = rendering(helm, folder, values)
    assert done.returncode == 0, done.stderr
    found = []
    for each in yaml.safe_load_all(done.stdout):
        if not each:
            continue
        if each["kind"] in {"CustomResourceDefinition", "PrometheusRule"}:
            each["spec"] = ELSEWHERE
        elif each["kind"] in {"Role", "ClusterRole"}:
            each["rules"] = ELSEWHERE
        elif each["kind"] == "ConfigMap" and "data" in each:
            each["data"] = dict.fromkeys(each["data"], ELSEWHERE)
        found.append(each)
    return yaml.safe_dump_all(found, sort_keys=False, width=110)


@pytest.mark.parametrize("title", MATRIX)
def test_a_release_is_what_it_was(helm, tmp_path, title):
    path = FOLDER / f"{title}.yaml"
    text = golden(helm, tmp_path, MATRIX[title])
    if os.environ.get("BENCHWARDEN_GENERATE"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text, "BENCHWARDEN_GENERATE=1 writes it anew"


def test_there_is_no_golden_of_values_that_are_gone():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(MATRIX)
