"""One local run from a request to its summary: check everything first, then start anything."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchwarden.api.agent import IMAGE, LATEST
from benchwarden.api.artifacts import ArtifactsSpec, NoArtifacts
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.local import claude_code, environment, reading, workspace
from benchwarden.local.bench import Shop, runner_command
from benchwarden.local.comparing import base_results
from benchwarden.local.directory import RunDirectory
from benchwarden.local.executor import Assignment, Listener, LocalExecutor
from benchwarden.local.runfile import RunFile
from benchwarden.names import REASON_INVALID_SPEC, REASON_PLAN_CHANGED
from benchwarden.report.summary import Summary
from benchwarden.suites.instance import Panel

TOOLS: Final = "tools"
TOOLS_CLAUDE: Final = "claude"
USER_CONFIG: Final = "user-config"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        out: the run's directory.
        parallelism: batches at the same time; None = the spec's, but not more than processors.
        try_missing_again: as if `spec.retry` had grown by one.
        environment: the user's.
        runner: the command that agents and graders are supervised by.
    """

    file: RunFile
    panel: Panel
    out: Path
    environment: Mapping[str, str]
    parallelism: int | None = None
    try_missing_again: bool = False
    runner: tuple[str, ...] = field(default_factory=runner_command)


@dataclass(frozen=True, slots=True)
class Result:
    """What a local run came to."""

    summary: Summary
    status: Mapping[str, Any]
    report: Path
    results: Path


async def run_locally(request: Request, listener: Listener, now: Callable[[], datetime]) -> Result:
    """Run to the end, or go on with what an earlier call began in the same directory.

    Raises:
        InvalidInputError: the spec, suite or environment does not do; nothing was started.
        UnavailableError: a program that is needed is not here.
        ConflictError: another process works in the directory.
    """
    written = request.file.run.spec
    name = request.file.run.metadata.name
    if written.suspend:
        raise InvalidInputError(
            "is true, so nothing would be started; remove it",
            reason=REASON_INVALID_SPEC,
            field="spec.suspend",
        )
    workspace.check_panel(request.panel)
    common = environment.common(written, request.environment)
    credentials = environment.credentials(written, request.environment)
    directory = RunDirectory(request.out)
    identity = directory.open(name, written, now())
    if written.artifacts.none is None:
        listener.told(f"spec.artifacts is for clusters; here they are in {directory.trials}", True)
    try:
        _prepare(directory, request.panel)
        spec = _adapted(written, request, directory.read_status())
        scratch = directory.fresh_scratch()
        tools, version = _tools(spec, request.environment, directory, scratch)
        spec = _with_version(spec, version)
        assignment = Assignment(
            identity=identity,
            spec=spec,
            panel=request.panel,
            shop=Shop(
                spec=spec,
                tools=tools,
                common=common,
                credentials=credentials,
                runner=request.runner,
                user_config=_user_config(spec, request.file, scratch),
            ),
            scratch=scratch,
            namespace=request.file.run.metadata.namespace,
            base=base_results(spec, directory.root.parent, request.file.read_config_map),
        )
        status = await LocalExecutor(assignment, directory, listener, now).run()
        summary = reading.summary_of(directory, name, status, request.panel.quarantined)
        return Result(summary, status, reading.write_report(directory, summary), directory.results)
    finally:
        directory.remove_scratch()
        directory.close()


def _prepare(directory: RunDirectory, panel: Panel) -> None:
    plan = directory.read_plan()
    if plan is None:
        # Nothing ran yet: what failed before (a key, a missing program) may be mended by now.
        directory.write_status({})
    elif plan.panel_digest != panel.digest:
        raise InvalidInputError(
            f"{directory.root}: the suite's content has changed since this run was planned;"
            " choose another directory or delete this one",
            reason=REASON_PLAN_CHANGED,
            field="--out",
        )


def _adapted(
    spec: BenchmarkRunSpec, request: Request, status: Mapping[str, Any]
) -> BenchmarkRunSpec:
    """The spec with what the command line decides."""
    wanted = request.parallelism
    if wanted is None:
        wanted = min(spec.execution.parallelism, os.cpu_count() or 1)
    changes: dict[str, Any] = {
        "execution": spec.execution.model_copy(update={"parallelism": wanted})
    }
    handled = int(status.get("retriesHandled") or 0)
    changes["retry"] = max(spec.retry, handled + request.try_missing_again)
    changes["artifacts"] = ArtifactsSpec(none=NoArtifacts())  # they stay in the directory
    return spec.model_copy(update=changes)


def _tools(
    spec: BenchmarkRunSpec, own: Mapping[str, str], directory: RunDirectory, scratch: Path
) -> tuple[Path, str]:
    """The folder for `--tools` and the exact version of the Claude Code in it; empty without one.

    Where the spec has a registry give the CLI, it is fetched into the user's cache, which stands for the
    image and for the cache volume of a cluster alike.
    """
    tools = scratch / TOOLS
    tools.mkdir()
    claude = spec.agent.claude_code
    if claude is None:
        return tools, ""
    version, cache = claude.version, claude_code.cache_directory(own)
    if claude.delivered_by == IMAGE:
        found = claude_code.cached(version, cache)
    else:
        source = claude.registry_url or ""
        if version == LATEST:
            version = directory.pinned_version(lambda: claude_code.latest(source))
        found = claude_code.fetch(version, cache, source)
    (tools / TOOLS_CLAUDE).symlink_to(found.absolute())
    return tools, version


def _with_version(spec: BenchmarkRunSpec, version: str) -> BenchmarkRunSpec:
    """The spec as for an image that brings exactly this version: the tools hold it by now."""
    claude = spec.agent.claude_code
    if claude is None:
        return spec
    fetching = ("registry_url", "registry_credentials", "cache_claim")
    here = {"version": version, "delivery": IMAGE, **dict.fromkeys(fetching)}
    agent = spec.agent.model_copy(update={"claude_code": claude.model_copy(update=here)})
    return spec.model_copy(update={"agent": agent})


def _user_config(spec: BenchmarkRunSpec, file: RunFile, scratch: Path) -> str:
    """The folder that stands for the mounted ConfigMap of `userConfig`; empty if there is none."""
    claude = spec.agent.claude_code
    if claude is None or claude.user_config is None:
        return ""
    name = claude.user_config.config_map.name
    folder = scratch / USER_CONFIG
    folder.mkdir()
    for key, content in file.config_map(name).items():
        (folder / Path(key).name).write_bytes(content)
    return str(folder)
