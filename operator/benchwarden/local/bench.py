"""A bench is where one member works: its folders, what it is told, and the runner's command lines."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import benchwarden_runner
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.scalars import quantity_value
from benchwarden.local import workspace
from benchwarden.local.keeping import keep_in_place
from benchwarden.local.processes import Command
from benchwarden.manifests import documents
from benchwarden.manifests.archive import tar_gz
from benchwarden.manifests.resources import instance_resources
from benchwarden.names import INPUT_AGENT, INPUT_GOLD, INPUT_GRADE
from benchwarden.planning.plan import Member
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden_runner import protocol

AGENT: Final = "agent"
GRADE: Final = "grade"
PROBE: Final = "probe"
MESSAGE: Final = "message"
LOG_SUFFIX: Final = ".log"

# Behind the supervisor's own limits: starting up, stopping a group, writing the message.
_SUPERVISION_SECONDS: Final = 120.0
_PROBE_SECONDS: Final = 180.0


@dataclass(frozen=True, slots=True)
class Shop:
    """What all benches of a run share.

    Attributes:
        tools: the folder that `--tools` names; holds `claude` if the agent is Claude Code.
        common: environment of agents and graders.
        credentials: what only agents and the probe get.
        runner: command that starts the runner, without its arguments.
        cli_version: the CLI's version as the plan has it; empty before and without one.
        user_config: folder with the user's own agent configuration; empty = none.
    """

    spec: BenchmarkRunSpec
    tools: Path
    common: Mapping[str, str]
    credentials: Mapping[str, str]
    runner: tuple[str, ...]
    cli_version: str = ""
    user_config: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """One member's place.

    Attributes:
        scratch: for its work trees; removed with the batch.
        work: for what agent hands to grader; kept with the results.
    """

    shop: Shop
    instance: Instance
    scratch: Path
    work: Path
    message_bytes: int

    def prepare(self, step: str) -> Command:
        """Lay out a fresh work tree and the inputs of this step only; return what to run."""
        place = self.scratch / step
        repository = place / "repo"
        workspace.unpack(self.instance, repository)
        for folder in ("input", "home", "tmp"):
            (place / folder).mkdir(exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        for name, content in self._archives(step, repository).items():
            (place / "input" / name).write_bytes(content)
        log = ("--log", str(self.work / protocol.FILE_TEST_LOG)) if step == GRADE else ()
        return Command(
            arguments=(
                *_arguments(self.shop, step, place, self.message_bytes),
                *("--work", str(self.work)),
                *log,
            ),
            environment=self._environment(step, place),
            directory=place,
            log=self.work / f"{step}{LOG_SUFFIX}",
            deadline_seconds=self._deadline_seconds(step),
            memory_limit_bytes=self._memory_bytes(),
        )

    def read_message(self, step: str) -> str:
        """What the step's supervisor left to say; empty if nothing."""
        return read_message(self.scratch / step)

    def keep(self, member: Member) -> None:
        """Add to what the member left what makes it complete; OSError if that cannot be written."""
        keep_in_place(member, self.work, self.scratch / AGENT / "input")

    def _archives(self, step: str, repository: Path) -> dict[str, bytes]:
        instance = replace(self.instance, workdir=str(repository))
        spec = self.shop.spec
        if step == GRADE:
            graded = replace(
                documents.grade_document(spec, instance),
                local=True,
                memory_limit_bytes=self._memory_bytes(),
            )
            return {INPUT_GRADE: tar_gz(documents.grade_files(graded, instance))}
        told = documents.agent_document(
            spec,
            instance,
            cli_version=self.shop.cli_version,
            user_config=self.shop.user_config,
        )
        told = replace(told, local=True, memory_limit_bytes=self._memory_bytes())
        files = documents.agent_files(told, instance)
        archives = {INPUT_AGENT: tar_gz(files)}
        if spec.agent.kind == protocol.AGENT_ORACLE:
            archives[INPUT_GOLD] = tar_gz(documents.gold_files(instance))
        return archives

    def _environment(self, step: str, place: Path) -> dict[str, str]:
        found = _homely(self.shop.common, place)
        if step == AGENT:
            found |= self.shop.credentials
        first = workspace.path_entries(self.instance)
        found["PATH"] = ":".join([*first, found.get("PATH", "/usr/bin:/bin")])
        return found

    def _deadline_seconds(self, step: str) -> float:
        spec = self.shop.spec
        if step == GRADE:
            return documents.grade_timeout_seconds(spec, self.instance) + _SUPERVISION_SECONDS
        return (
            documents.agent_timeout_seconds(spec, self.instance)
            + spec.execution.throttle_allowance_seconds
            + _SUPERVISION_SECONDS
        )

    def _memory_bytes(self) -> int:
        wanted = instance_resources(self.shop.spec.execution.resources, self.instance.resources)
        limit = wanted.get("limits", {}).get("memory")
        return int(quantity_value(limit)) if limit else 0


def probe_command(shop: Shop, place: Path) -> Command:
    """What the probe runs; its one request tells whether agents could work at all."""
    for folder in ("input", "home", "tmp"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    nothing = Instance(
        id=PROBE,
        image="",
        workdir=str(place / "home"),
        base_commit="",
        prompt="",
        test_command="",
        parser=ResultParser(kind=protocol.PARSER_EXIT_CODE),
        fail_to_pass=(),
    )
    told = documents.agent_document(shop.spec, nothing, user_config=shop.user_config)
    files = documents.agent_files(replace(told, local=True), nothing)
    (place / "input" / INPUT_AGENT).write_bytes(tar_gz(files))
    return Command(
        arguments=_arguments(shop, PROBE, place, protocol.CONTAINER_MESSAGE_BYTES),
        environment={**_homely(shop.common, place), **shop.credentials},
        directory=place,
        log=place / f"{PROBE}{LOG_SUFFIX}",
        deadline_seconds=_PROBE_SECONDS,
    )


def read_message(place: Path) -> str:
    """The message file below `place`, as the kubelet would read it: cut, never failing."""
    try:
        with (place / MESSAGE).open("rb") as file:
            return file.read(protocol.CONTAINER_MESSAGE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def runner_command() -> tuple[str, ...]:
    """Starts the installed runner in an isolated interpreter, whatever the user's Python settings."""
    home = str(Path(benchwarden_runner.__file__).absolute().parents[1])
    start = (
        f"import sys, runpy; sys.path.insert(0, {home!r}); "
        "runpy.run_module('benchwarden_runner', run_name='__main__', alter_sys=True)"
    )
    return (sys.executable, "-I", "-c", start)


def _arguments(shop: Shop, step: str, place: Path, message_bytes: int) -> tuple[str, ...]:
    return (
        *shop.runner,
        step,
        *("--input", str(place / "input")),
        *("--tools", str(shop.tools)),
        *("--message", str(place / MESSAGE)),
        *("--message-bytes", str(message_bytes)),
    )


def _homely(common: Mapping[str, str], place: Path) -> dict[str, str]:
    """A home and a temporary folder of its own: settings and caches of the user are no part of a task."""
    return {**common, "HOME": str(place / "home"), "TMPDIR": str(place / "tmp")}
