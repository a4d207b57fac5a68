from pathlib import Path

import pytest
import yaml
from tests.unit.api.api_server import admit

from benchwarden.api.parse import parse_run
from benchwarden.api.semantics import check

FOLDER = Path(__file__).parents[3] / "examples"
SCHEDULES = sorted(FOLDER.glob("schedule-*.yaml"))
EXAMPLES = sorted(set(FOLDER.glob("*.yaml")) - set(SCHEDULES))


def test_there_is_an_example_for_each_agent_and_one_comparison() -> None:
    kinds = [parse_run(yaml.safe_load(file.read_text())).spec.agent.kind for file in EXAMPLES]
    assert {"oracle", "nop", "claudeCode", "exec"} <= set(kinds)
    assert any("compareTo" in file.read_text() for file in EXAMPLES)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_is_a_good_spec(file: Path) -> None:
    run = parse_run(yaml.safe_load(file.read_text()), strict=True)
    check(run.spec)
    assert run.metadata.name == file.stem
    assert admit(yaml.safe_load(file.read_text())["spec"]) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_tells_how_to_apply_it(file: Path) -> None:
    assert f"kubectl apply -f examples/{file.name}" in file.read_text() or file.stem == "compare"
