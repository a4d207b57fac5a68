import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.unit.local.builders import Suite

ROOT = Path(__file__).parents[3]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    suite = Suite(tmp_path / "suite")
    suite.write({"one": "say goodbye", "two": "say goodbye"})
    return suite


def test_a_local_run_prints_its_table_and_says_where_everything_is(
    run: Run, suite: Suite, tmp_path: Path
) -> None:
    code, out, err = run("run", suite.run_file(agent="{oracle: {}}"), "--local")
    assert code == 0
    assert "Pass rate 100.0 %" in out
    assert str(tmp_path / "out" / "tiny" / "report.html") in out
    assert "2/2 ✓" in err
    assert "\x1b" not in out + err


def test_json_on_standard_output_is_nothing_but_json(run: Run, suite: Suite) -> None:
    code, out, err = run("run", suite.run_file(agent="{oracle: {}}"), "--local", "-o", "json")
    assert code == 0
    assert json.loads(out)["totals"]["groups"]["pass"] == 2
    assert "report.html" in err


def test_report_and_results_read_a_run_again(run: Run, suite: Suite, tmp_path: Path) -> None:
    run("run", suite.run_file(agent="{nop: {}}"), "--local")
    code, out, _ = run("report", "out/tiny", "-o", "yaml")
    assert code == 0
    assert yaml.safe_load(out)["totals"]["passRatio"] == 0.0
    _, out, _ = run("report", "out/tiny/results.jsonl", "--html", "page.html")
    assert "Pass rate 0.0 %" in out
    assert "<!doctype html>" in (tmp_path / "page.html").read_text()
    _, out, _ = run("results", "out/tiny", "-o", "json")
    assert [row["outcome"] for row in json.loads(out)] == ["empty_patch", "empty_patch"]
    _, out, _ = run("results", "out/tiny")
    assert "empty_patch" in out


def test_a_plan_starts_nothing(run: Run, suite: Suite, tmp_path: Path) -> None:
    path = suite.run_file(execution={"batchSize": 1, "trialsPerInstance": 2})
    code, out, _ = run("plan", path, "-o", "json")
    assert code == 0
    planned = json.loads(out)
    assert (planned["trials"], len(planned["batches"])) == (4, 4)
    assert planned["worstCostUsd"] == {
        "firstAttempts": "0",
        "withAllRetries": "0",
        "budget": None,
        "atMost": "0",
    }
    assert run("run", path, "--dry-run", "-o", "json")[:2] == (0, out)
    assert not (tmp_path / "out").exists()


def test_a_plan_says_the_worst_cost_of_a_paid_agent(run: Run, suite: Suite) -> None:
    agent = """{claudeCode: {version: 2.1.330, model: claude-x, maxBudgetUsd: "1.5",
        credentials: {apiKey: {name: key, key: key}}}}"""
    path = suite.run_file(agent=agent, budget={"maxUsd": "2"})
    _, out, _ = run("plan", path)
    assert "$3.0 if every trial uses its whole budget once, $9.0 with every retry" in out
    assert "budget of $2" in out
    assert "At most       $2" in out


def test_a_suite_is_checked_line_by_line(run: Run, suite: Suite) -> None:
    code, out, _ = run("suite", "check", suite.root / "tasks.jsonl")
    assert code == 0
    assert "2 tasks, all well-formed" in out
    with (suite.root / "tasks.jsonl").open("a") as file:
        file.write('{"id": "three"}\n')
    code, _, err = run("suite", "check", suite.root / "tasks.jsonl")
    assert code == 2
    assert "line 3" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "absent.yaml", "--local"], "error: FILE: there is no absent.yaml"),
        (["run", "run.yaml"], "error: --local: add it to run on this machine"),
        (["plan", "run.yaml", "--config-map", "x"], "error: --config-map: 'x' is not NAME=PATH"),
        (["report", "./absent"], "error: PATH: absent is neither a run's directory"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(run: Run, words: list[str], says: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(says)
    assert err.count("\n") == 1


def test_a_field_at_fault_is_named(run: Run, suite: Suite) -> None:
    path = suite.run_file(execution={"parallelism": 0})
    code, _, err = run("run", path, "--local")
    assert code == 2
    assert err.startswith("error: spec.execution.parallelism: must be at least 1")


def test_what_is_not_here_is_exit_3(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BENCHWARDEN_CACHE", str(tmp_path))
    code, _, err = run("claude", "fetch", "2.1.330")
    assert code == 3
    assert "npm is needed" in err


def test_a_run_that_gives_no_answer_is_exit_1(run: Run, suite: Suite) -> None:
    (suite.root / "work.tgz").write_bytes(b"broken")
    path = suite.run_file(execution={"infraRetriesPerTrial": 0})
    code, out, _ = run("run", path, "--local")
    assert code == 1
    assert "2 infra" in out


def test_a_run_that_got_worse_than_its_base_is_exit_4(run: Run, suite: Suite) -> None:
    suite.write({f"i{number}": "say goodbye" for number in range(5)})
    assert run("run", suite.run_file(name="base", agent="{oracle: {}}"), "--local")[0] == 0
    path = suite.run_file(name="now", agent="{nop: {}}", compareTo={"run": "base"})
    assert run("run", path, "--local")[0] == 4


def test_crds_and_version_are_printed(run: Run) -> None:
    code, out, _ = run("crd")
    assert code == 0
    kinds = [each["kind"] for each in yaml.safe_load_all(out)]
    assert kinds == ["CustomResourceDefinition"] * 2
    assert run("--version")[1] == run("version")[1]


def test_as_a_kubectl_plugin_it_says_so_in_its_help(run: Run) -> None:
    assert "Usage: kubectl benchwarden" in run("--help", program="/bin/kubectl-benchwarden")[1]


def test_help_imports_nothing_heavy() -> None:
    heavy = ("scipy", "numpy", "kopf", "kubernetes", "pydantic", "rich", "jinja2", "yaml")
    code = (
        "import sys; import benchwarden.cli.app; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_130_and_keeps_its_results(
    suite: Suite, tmp_path: Path, number: signal.Signals
) -> None:
    marker = tmp_path / "working"
    command = f"if mkdir {tmp_path}/first; then echo done; else touch {marker}; sleep 300; fi"
    path = suite.run_file(agent=json.dumps({"exec": {"command": ["sh", "-c", command]}}))
    words = [sys.executable, "-m", "benchwarden", "run", str(path), "--local", "--out", "kept"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=_environment(), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("error: interrupted; the same command again goes on\n")
    assert (tmp_path / "kept" / "results.jsonl").read_text().count("\n") == 1
    assert not (tmp_path / "kept" / "scratch.path").exists()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'runner'}"}
