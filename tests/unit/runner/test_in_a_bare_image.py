"""The containers as a pod runs them: tools injected, PID 1, a root file system without Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runner import relocate
from tests.claude_binary import ClaudeUnavailableError, ensure_claude
from tests.scripted_api.script import bash, edit, read
from tests.scripted_api.server import ScriptedApi
from tests.unit.runner.builders import RUNNER, archive, repository

from benchwarden_runner import protocol
from benchwarden_runner.inject import inject
from benchwarden_runner.specs import AgentSpec, ClaudeSpec, GradeSpec

CAN_NEST = (
    os.geteuid() == 0
    and shutil.which("busybox") is not None
    and subprocess.run(
        ["unshare", "--pid", "--mount", "--ipc", "--fork", "true"], capture_output=True, check=False
    ).returncode
    == 0
)
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not CAN_NEST, reason="needs root, namespaces and busybox"),
]
PROGRAMS = (
    "bash",
    "git",
    "ls",
    "cat",
    "cp",
    "mkdir",
    "grep",
    "sleep",
    "setsid",
    "env",
    "id",
    "true",
)
DEVICES = ("null", "urandom")


@pytest.fixture(scope="module")
def runner_image(tmp_path_factory):
    """What the runner image holds in /opt/benchwarden."""
    folder = tmp_path_factory.mktemp("opt")
    relocate.relocate(folder / "python")
    shutil.copytree(
        RUNNER / "benchwarden_runner",
        folder / "app" / "benchwarden_runner",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "app" / "__main__.py").write_text(
        "from benchwarden_runner.__main__ import main\n\nraise SystemExit(main())\n"
    )
    return folder


class Image:
    """A root file system, and containers run in it one after the other."""

    def __init__(self, folder: Path, runner_image: Path) -> None:
        self.root = folder / "root"
        for name in ("bin", "proc", "dev", "tmp", "etc", "root", "benchwarden/work/0"):
            (self.root / name).mkdir(parents=True)
        for name in DEVICES:
            (self.root / "dev" / name).touch()
        (self.root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        shutil.copy2(shutil.which("busybox"), self.root / "bin" / "busybox")
        (self.root / "bin" / "sh").symlink_to("busybox")
        self.tools = self.root / "benchwarden" / "tools"
        self.tools.mkdir()
        inject(runner_image, folder / "no-claude", self.tools)
        self.input = self.root / "benchwarden" / "input"
        self.input.mkdir()

    def add_programs(self) -> None:
        """git, bash and a few tools, with their libraries: what benchmark images have."""
        paths = [Path(os.path.realpath(shutil.which(name))) for name in PROGRAMS]
        libraries, loader = relocate.needed_libraries(paths)
        for library in (*libraries, loader):
            target = self.root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(os.path.realpath(library), target)
        for name in PROGRAMS:
            shutil.copy2(os.path.realpath(shutil.which(name)), self.root / "bin" / name)

    def run(self, name: str, env=None):
        """Run a container; its message."""
        log = self.root / "dev" / "termination-log"
        log.write_bytes(b"")
        inside = [
            *relocate.command(Path("/benchwarden/tools/python")),
            *("-I", "/benchwarden/tools/app", name, "--input", "/benchwarden/input"),
            *("--work", "/benchwarden/work/0", "--tools", "/benchwarden/tools"),
            *("--message", "/dev/termination-log", "--message-bytes", "455"),
        ]
        script = f"""
            mount -t proc proc {self.root}/proc
            for name in {" ".join(DEVICES)}; do mount --bind /dev/$name {self.root}/dev/$name; done
            mount --bind {log} {log}
            mount --bind -o ro {self.tools} {self.tools}
            cd / && exec chroot {self.root} "$@"
        """
        self.done = subprocess.run(
            ["unshare", "--pid", "--mount", "--ipc", "--fork", "sh", "-ec", script, "sh", *inside],
            env={"PATH": "/bin:/usr/bin:/sbin:/usr/sbin", "HOME": "/root", **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        message = protocol.decode(log.read_text())
        assert message is not None, self.done
        assert self.done.returncode == 0, self.done
        return message


@pytest.fixture
def image(tmp_path, runner_image) -> Image:
    return Image(tmp_path, runner_image)


GOLD = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n"


def grade(image, command):
    spec = GradeSpec(workdir="/app", test_command=command)
    archive(image.input / "grade.tgz", {protocol.FILE_GRADE_SPEC: spec.to_json()})
    return image.run("grade")


def agent(image, spec, env=None):
    files = {protocol.FILE_AGENT_SPEC: spec.to_json(), protocol.FILE_PROMPT: "Fix it."}
    archive(image.input / "agent.tgz", files)
    return image.run("agent", env)


def test_where_there_is_only_busybox_nop_and_oracle_work_and_grading_says_what_is_missing(image):
    assert agent(image, AgentSpec("nop", "/app")).outcome == protocol.COMPLETED
    archive(image.input / "gold.tgz", {protocol.FILE_GOLD_PATCH: GOLD})
    assert agent(image, AgentSpec("oracle", "/app")).outcome == protocol.COMPLETED
    repository(image.root / "app", {"a.txt": "old\n"})
    telemetry = agent(image, AgentSpec("exec", "/app", command=("sh", "-c", "true")))
    assert (telemetry.outcome, telemetry.reason) == (protocol.HARNESS, "the image has no git")
    verdict = grade(image, "grep -q new a.txt")
    assert (verdict.outcome, verdict.reason) == (protocol.GRADER_ERROR, "the image has no git")


def test_an_agent_and_its_grader_in_an_image_without_python(image):
    image.add_programs()
    repository(image.root / "app", {"a.txt": "old\n"})
    shutil.copytree(image.root / "app", image.root / "pristine")
    script = "echo $$ > pid; echo new > a.txt; (setsid sleep 600 &); ls -l /proc/1/exe >> /dev/null"
    telemetry = agent(image, AgentSpec("exec", "/app", command=("bash", "-c", script)))
    assert telemetry.outcome == protocol.COMPLETED, (telemetry, image.done)
    shutil.rmtree(image.root / "app")
    (image.root / "pristine").rename(image.root / "app")  # the grader's container is a fresh one
    verdict = grade(image, "grep -q new a.txt && ! echo x > /benchwarden/tools/app/x")
    assert verdict.outcome == protocol.RESOLVED, (verdict, image.done)


def test_the_test_process_cannot_reach_into_the_grader(image):
    image.add_programs()
    repository(image.root / "app", {"a.txt": "old\n"})
    (image.root / "benchwarden/work/0" / protocol.FILE_PATCH).write_text(GOLD)
    attack = """
        kill -9 1; kill -9 -1
        (while :; do : > /dev/termination-log; done) &
        rm -f /dev/termination-log; echo '{"outcome":"resolved"}' > /dev/termination-log
        ls -l /proc/1/fd && cat /proc/1/mem
        exit 1
    """
    verdict = grade(image, attack)
    assert verdict.outcome == protocol.UNRESOLVED


@pytest.mark.claude
def test_claude_code_edits_in_an_image_without_node_or_python(image):
    try:
        claude = ensure_claude()
    except ClaudeUnavailableError as error:
        pytest.skip(str(error))
    image.add_programs()
    (image.tools / "claude").mkdir()
    shutil.copy2(claude, image.tools / "claude" / "claude-glibc")
    libraries, _ = relocate.needed_libraries([claude])
    for library in libraries:
        shutil.copy2(os.path.realpath(library), image.root / library.lstrip("/"))
    repository(image.root / "app", {"a.txt": "old\n"})
    turns = [
        bash("git log --all --oneline; id -u"),
        read("/app/a.txt"),
        edit("/app/a.txt", "old", "new"),
    ]
    with ScriptedApi({"turns": turns}) as api:
        spec = AgentSpec(
            "claudeCode",
            "/app",
            claude=ClaudeSpec(base_url=api.base_url, model="claude-sonnet-5-5"),
        )
        telemetry = agent(image, spec, {"ANTHROPIC_API_KEY": "sk-test-12345678"})
    assert telemetry.outcome == protocol.COMPLETED, (telemetry, image.done)
    assert telemetry.tools == {"Bash": 1, "Read": 1, "Edit": 1}
    patch = (image.root / "benchwarden/work/0" / protocol.FILE_PATCH).read_bytes()
    assert b"-old\n+new" in patch


def test_injecting_again_starts_anew(image, runner_image, tmp_path):
    stray = image.tools / "app" / "stray"
    stray.touch()
    inject(runner_image, tmp_path / "none", image.tools)
    assert not stray.exists()
    assert (image.tools / "resolv.conf").exists()


def test_only_claude_runs_carry_claude(runner_image, tmp_path):
    builds = tmp_path / "claude"
    builds.mkdir()
    (builds / "claude-glibc").write_text("binary")
    for kind, carried in (("", True), ("claudeCode", True), ("nop", False)):
        tools = tmp_path / f"tools-{kind}"
        tools.mkdir()
        inject(runner_image, builds, tools, kind)
        assert (tools / "claude" / "claude-glibc").exists() == carried


def test_finish_and_unknown_commands(runner_image):
    words = [sys.executable, "-I", str(runner_image / "app")]
    assert subprocess.run([*words, "finish"], check=False).returncode == 0
    done = subprocess.run([*words, "dance"], capture_output=True, check=False)
    assert done.returncode == 2
