"""Repositories, input archives and runner calls for tests, made of the smallest true things."""

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

from benchwarden_runner import protocol
from benchwarden_runner.specs import AgentSpec, GradeSpec

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "runner"
# The runner must work under any interpreter from 3.9 on; the tests themselves need the project's.
PYTHON = os.environ.get("BENCHWARDEN_TEST_RUNNER_PYTHON", sys.executable)


def git(folder, *words, data=None, check=True) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    words = ("-c", "protocol.file.allow=always", *words)
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, input=data, capture_output=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"git {words}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "replace").strip()


def put(folder: Path, files: dict) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(folder: Path, files: dict, message: str = "change") -> str:
    put(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, files: dict) -> str:
    """A new repository with one commit of `files`; returns the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return commit(folder, files, "base")


def archive(path: Path, files: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


class Place:
    """Folders of one instance, and the runner's calls on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = folder / "repo"
        self.input = folder / "input"
        self.work = folder / "work" / "0"
        self.message_path = folder / "message"
        self.tools = folder / "tools"
        for path in (self.input, self.work, self.tools):
            path.mkdir(parents=True)
        self.done = None

    def agent(self, spec: AgentSpec, prompt="Fix it.", gold=None, **options) -> protocol.Telemetry:
        files = {protocol.FILE_AGENT_SPEC: spec.to_json(), protocol.FILE_PROMPT: prompt}
        archive(self.input / "agent.tgz", files)
        if gold is not None:
            archive(self.input / "gold.tgz", {protocol.FILE_GOLD_PATCH: gold})
        message = self.call("agent", **options)
        assert isinstance(message, protocol.Telemetry)
        return message

    def grade(self, spec: GradeSpec, patch=None, files=(), **options) -> protocol.Verdict:
        if patch is not None:
            put(self.work, {protocol.FILE_PATCH: patch})
        archive(self.input / "grade.tgz", {protocol.FILE_GRADE_SPEC: spec.to_json(), **dict(files)})
        message = self.call("grade", **options)
        assert isinstance(message, protocol.Verdict)
        return message

    def probe(self, spec: AgentSpec, **options) -> protocol.ProbeReport:
        archive(self.input / "agent.tgz", {protocol.FILE_AGENT_SPEC: spec.to_json()})
        message = self.call("probe", **options)
        assert isinstance(message, protocol.ProbeReport)
        return message

    def command(self, name: str, message_bytes: int = 4096) -> list:
        start = f"import sys; sys.path.insert(0, {str(RUNNER)!r}); "
        start += "from benchwarden_runner.__main__ import main; sys.exit(main())"
        words = [PYTHON, "-I", "-c", start, name, "--input", str(self.input)]
        words += ["--message", str(self.message_path), "--message-bytes", str(message_bytes)]
        words += ["--tools", str(self.tools)]
        return words if name == "probe" else [*words, "--work", str(self.work)]

    def call(self, name: str, env=None, wrap=(), timeout=120, message_bytes=4096):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **(env or {})}
        self.done = subprocess.run(
            [*wrap, *self.command(name, message_bytes)],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        text = self.message_path.read_text() if self.message_path.exists() else ""
        message = protocol.decode(text)
        assert message is not None, (text, self.done)
        assert self.done.returncode == 0, self.done
        return message

    @property
    def patch(self) -> bytes:
        return (self.work / protocol.FILE_PATCH).read_bytes()

    def agent_spec(self, kind: str, **fields) -> AgentSpec:
        spec = AgentSpec(kind=kind, workdir=str(self.repo), local=True, timeout_seconds=60)
        return replace(spec, **fields)

    def grade_spec(self, **fields) -> GradeSpec:
        spec = GradeSpec(
            workdir=str(self.repo), test_command="true", local=True, timeout_seconds=60
        )
        return replace(spec, **fields)
