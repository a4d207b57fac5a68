"""A suite of tiny tasks, and a listener that keeps what it hears."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from benchwarden.local.executor import Listener
from benchwarden.local.runfile import read_run_file
from benchwarden.local.session import Request
from benchwarden.results.row import Row
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

SCRIPTED = (sys.executable, str(Path(__file__).parent / "scripted_runner.py"))
GOLD = "--- a/greet.sh\n+++ b/greet.sh\n@@ -1 +1 @@\n-echo hello\n+echo goodbye\n"


class Suite:
    """A folder with a suite of tiny tasks on a repository that needs git and a shell, nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        repository = root / "repo"
        repository.mkdir(parents=True)
        (repository / "greet.sh").write_text("echo hello\n")
        _git(repository, "init", "--quiet", "--initial-branch=main")
        _git(repository, "add", ".")
        _git(repository, "commit", "--quiet", "--message", "first")
        with tarfile.open(root / "work.tgz", "w:gz") as tar:
            tar.add(repository, ".")

    def write(self, prompts: dict[str, str], **changes: Any) -> Path:
        """Write tasks.jsonl with one task for each id and prompt."""
        path = self.root / "tasks.jsonl"
        rows = [_task(name, prompt) | changes for name, prompt in prompts.items()]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def run_file(self, *, name: str = "tiny", agent: str = "{nop: {}}", **spec: Any) -> Path:
        """Write a BenchmarkRun over tasks.jsonl."""
        execution = json.dumps(spec.pop("execution", {}))
        more = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in spec.items())
        path = self.root / f"{name}.yaml"
        path.write_text(
            "apiVersion: benchwarden.dev/v1alpha1\n"
            "kind: BenchmarkRun\n"
            f"metadata: {{name: {name}}}\n"
            "spec:\n"
            f"  suite: {{tasks: {{source: {{path: {self.root / 'tasks.jsonl'}}}}}}}\n"
            f"  agent: {agent}\n"
            f"  execution: {execution}\n{more}"
        )
        return path


class Ledger:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.launched: list[str] = []
        self.said: list[str] = []

    def listener(self) -> Listener:
        return Listener(
            planned=lambda plan, rows: None,
            launched=lambda action: self.launched.append(action.name),
            recorded=self._record,
            told=lambda sentence, warning: self.said.append(sentence),
        )

    def _record(self, rows: tuple[Row, ...]) -> None:
        self.rows += rows


def request_of(path: Path, **changes: Any) -> Request:
    file = read_run_file(path)
    panel = load_panel(file.run.spec.suite, OutsideSources(file.read_config_map))
    known: dict[str, Any] = {
        "environment": {"PATH": os.environ["PATH"]},
        "runner": SCRIPTED,
        "parallelism": 2,
    }
    return Request(file=file, panel=panel, **(known | changes))


def _task(id: str, prompt: str) -> dict[str, Any]:
    return {
        "id": id,
        "image": "example/tiny:1",
        "workdir": "/repo",
        "prompt": prompt,
        "test_command": "sh test.sh",
        "parser": {"kind": "exitCode"},
        "fail_to_pass": ["goodbye"],
        "gold_patch": GOLD,
        "test_files": [
            {"path": "test.sh", "content": 'test "$(sh greet.sh)" = goodbye\n'},
        ],
        "local": {"archive": "work.tgz"},
    }


def _git(where: Path, *words: str) -> None:
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(where)}
    subprocess.run(["git", *identity, *words], cwd=where, env=environment, check=True)
