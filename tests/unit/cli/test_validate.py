import json
from pathlib import Path

import pytest
import yaml
from tests.unit.local.builders import Suite
from tests.unit.suites.pro_rows import demo, write_scripts
from tests.unit.suites.rows import jsonl

from benchwarden.api.parse import parse_run
from benchwarden.results.row import Row
from benchwarden.results.shards import lines


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path / "suite")


def rows(path: Path, *outcomes: str) -> Path:
    made = [
        Row(f"i{n}", 0, 1, "verdict", outcome, "b", "2026-03-01T12:00:00Z", tests=(1, 1, 0, 0))
        for n, outcome in enumerate(outcomes)
    ]
    path.write_bytes(lines(made))
    return path


def test_a_local_validation_writes_the_list_a_selection_takes(run, suite: Suite, tmp_path: Path):
    suite.write({"good": "x"})
    bad = json.loads(suite.write({"bad": "x"}, gold_patch="").read_text())
    sound = json.loads(suite.write({"good": "x"}).read_text())
    free = {**sound, "id": "free", "test_command": "true"}
    (suite.root / "tasks.jsonl").write_bytes(jsonl(sound, bad, free))
    words = ("--local", "--trials", "2", "--write", "quarantine.yaml", "-o", "json")
    code, out, err = run("validate", suite.run_file(), *words)
    assert code == 1, err
    found = json.loads(out)
    assert [entry["id"] for entry in found["quarantine"]] == ["bad", "free"]
    assert found["quarantine"][0]["reason"].startswith("gold fails: empty_patch")
    assert found["quarantine"][1]["reason"].startswith("nop passes")
    assert found["unproven"] == []
    listed = yaml.safe_load((tmp_path / "quarantine.yaml").read_text())
    assert listed == found["quarantine"]
    selection = {"quarantine": listed}
    tasks = {"source": {"path": str(suite.root / "tasks.jsonl")}}
    again = suite.run_file(name="again", suite={"tasks": tasks, "selection": selection})
    code, out, _ = run("validate", again, "--local", "--trials", "1")
    assert (code, out) == (0, "1 instances: 0 to quarantine, 0 unproven\n")


def test_rows_of_cluster_runs_are_judged_alike(run, tmp_path: Path):
    first = rows(tmp_path / "o1.jsonl", "resolved", "resolved")
    second = rows(tmp_path / "o2.jsonl", "resolved", "unresolved")
    nop = rows(tmp_path / "nop.jsonl", "empty_patch")
    words = ("--from-results", first, "--from-results", second, "--nop", nop)
    code, out, _ = run("validate", *words)
    assert code == 1
    assert "nop passes" in out
    assert "gold flaky: 1 of 2 passed; unresolved" in out
    assert "2 instances: 2 to quarantine, 0 unproven" in out


def test_manifests_are_the_same_run_with_the_two_agents(run, suite: Suite):
    suite.write({"one": "x"})
    path = suite.run_file(agent="{exec: {command: [make]}}", budget={"maxTokens": 5})
    code, out, _ = run("validate", path, "--manifests", "--trials", "4")
    assert code == 0
    made = [parse_run(document, strict=True) for document in yaml.safe_load_all(out)]
    assert [each.metadata.name for each in made] == ["tiny-oracle", "tiny-nop"]
    assert [each.spec.agent.kind for each in made] == ["oracle", "nop"]
    assert [each.spec.execution.trials_per_instance for each in made] == [4, 1]
    assert made[0].spec.budget is None


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("run.yaml",),
        ("run.yaml", "--local", "--manifests"),
        ("--local",),
        ("run.yaml", "--from-results", "rows.jsonl"),
        ("--from-results", "not-there.jsonl"),
    ],
)
def test_a_call_that_says_not_what_to_do_is_refused(run, words):
    code, out, err = run("validate", *words)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_a_pro_suite_is_validated_from_its_rows_and_scripts(run, tmp_path: Path):
    made = demo(tmp_path / "repo")
    row = made.row(local={"archive": "repo"})
    broken = {**row, "instance_id": "instance_broken", "patch": row["patch"].replace("//", "/ 3 +")}
    (tmp_path / "pro.jsonl").write_bytes(jsonl(row, broken))
    write_scripts(tmp_path, row["instance_id"])
    write_scripts(tmp_path, "instance_broken")
    suite = {
        "source": {"path": str(tmp_path / "pro.jsonl")},
        "runScripts": {"path": str(tmp_path)},
        "officialScoring": True,
    }
    file = tmp_path / "pro.yaml"
    document = {
        "apiVersion": "benchwarden.dev/v1alpha1",
        "kind": "BenchmarkRun",
        "metadata": {"name": "pro"},
        "spec": {"suite": {"swebenchPro": suite}, "agent": {"nop": {}}},
    }
    file.write_text(yaml.safe_dump(document))
    code, out, err = run("validate", file, "--local", "--trials", "1", "-o", "json")
    assert code == 1, err
    (entry,) = json.loads(out)["quarantine"]
    assert entry["id"] == "instance_broken"
    assert "test_half failed" in entry["reason"]
    status = json.loads((tmp_path / "out" / "pro" / "oracle" / "status.json").read_text())
    assert (status["officialPassRate"], status["passRate"]) == ("0.5000", "0.5000")
