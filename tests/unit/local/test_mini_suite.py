"""Real code in a local run: the bundled suite, from an example's own file, hard instances included."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.mini_suite import ensure_mini_suite

from benchwarden.local.runfile import read_run_file
from benchwarden.local.session import Request, run_locally
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

pytestmark = pytest.mark.timeout(600)  # the first test that asks builds the suite
EXAMPLE = Path(__file__).parents[3] / "examples" / "run-oracle.yaml"
CHOSEN = ["xmltodict-0.15.0", "parse-1.20.2", "parse-1.20.2-needs-memory"]


def chosen_of_the_example(folder: Path) -> Path:
    document = yaml.safe_load(EXAMPLE.read_text())
    document["spec"]["suite"]["selection"] = {"include": CHOSEN}
    document["spec"]["execution"]["infraRetriesPerTrial"] = 0
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


async def test_gold_patches_of_real_packages_resolve_and_memory_is_contained(
    tmp_path: Path, ledger: Any
) -> None:
    folder = ensure_mini_suite()
    file = read_run_file(chosen_of_the_example(tmp_path), {"mini-suite": folder})
    sources = OutsideSources(file.read_config_map)
    panel = load_panel(file.run.spec.suite, sources, local_root=file.local_root())
    request = Request(file, panel, tmp_path / "out", dict(os.environ))
    result = await run_locally(request, ledger.listener(), lambda: datetime.now(UTC))
    found = {each.key.instance: each for each in result.summary.results}
    assert found["xmltodict-0.15.0"].outcome == found["parse-1.20.2"].outcome == "resolved"
    hungry = found["parse-1.20.2-needs-memory"].row
    assert hungry is not None
    assert hungry.outcome != "resolved"
    assert "memory limit" in hungry.reason or hungry.outcome == "agent_oom"
