"""What a run asks of one instance, as the runner's own documents; the cluster and the local executor share it.

Plain environment values travel here, where nothing expands them; secrets are the pod's business.
"""

from collections.abc import Iterable

from benchwarden.api.agent import AgentSpec as AgentChoice
from benchwarden.api.agent import ClaudeCode
from benchwarden.api.references import EnvVar
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.suites.instance import Instance
from benchwarden_runner import protocol, specs

_LATEST = "latest"
_DEFAULT_RETRIES = 10


def agent_document(
    spec: BenchmarkRunSpec,
    instance: Instance,
    *,
    cli_version: str = "",
    must_fail_address: str = "",
    user_config: str = "",
) -> specs.AgentSpec:
    """What the agent's supervisor is told.

    Args:
        spec: the run.
        instance: what it works on.
        cli_version: the CLI's version as the probe found it; empty before the probe.
        must_fail_address: `ip:port` that the network policy must block.
        user_config: directory in which the user's own configuration is found; empty = none.
    """
    claude = spec.agent.claude_code
    return specs.AgentSpec(
        kind=spec.agent.kind,
        workdir=instance.workdir,
        base_commit=instance.base_commit,
        timeout_seconds=float(agent_timeout_seconds(spec, instance)),
        throttle_allowance_seconds=float(spec.execution.throttle_allowance_seconds),
        command=spec.agent.exec.command if spec.agent.exec else (),
        env={
            **plain(spec.execution.env),
            **dict(instance.env),
            **plain(agent_environment(spec.agent)),
        },
        include_ignored=claude.include_ignored_files if claude else False,
        must_fail_address=must_fail_address,
        claude=_claude(claude, cli_version, user_config) if claude else specs.ClaudeSpec(),
    )


def grade_document(spec: BenchmarkRunSpec, instance: Instance) -> specs.GradeSpec:
    """What the grader is told, but for the contents of files (see `grade_files`)."""
    return specs.GradeSpec(
        workdir=instance.workdir,
        test_command=instance.test_command,
        base_commit=instance.base_commit,
        timeout_seconds=float(grade_timeout_seconds(spec, instance)),
        setup_command=instance.setup_command,
        env={**plain(spec.execution.env), **dict(instance.env)},
        parser=specs.ParserSpec(kind=instance.parser.kind, path=instance.parser.path),
        fail_to_pass=instance.fail_to_pass,
        pass_to_pass=instance.pass_to_pass,
        restore_paths=instance.restore_paths,
        skipped_counts_as_pass=instance.skipped_counts_as_pass,
        test_files=tuple(
            specs.TestFileEntry(path=file.path, executable=file.executable)
            for file in instance.test_files
        ),
        scripts=tuple(
            specs.TestFileEntry(path=file.path, executable=file.executable)
            for file in instance.scripts
        ),
        apply=instance.apply,
        any_pass_counts=instance.any_pass_counts,
    )


def agent_files(document: specs.AgentSpec, instance: Instance) -> dict[str, bytes]:
    """Files of the agent's archive: what it is told and the prompt, nothing else."""
    return {
        protocol.FILE_AGENT_SPEC: document.to_json().encode(),
        protocol.FILE_PROMPT: instance.prompt.encode(),
    }


def gold_files(instance: Instance) -> dict[str, bytes]:
    """Files of the archive that only an oracle agent sees."""
    return {protocol.FILE_GOLD_PATCH: instance.gold_patch.encode()}


def grade_files(document: specs.GradeSpec, instance: Instance) -> dict[str, bytes]:
    """Files of the grader's archive: what it is told, the tests and the parser."""
    files = {protocol.FILE_GRADE_SPEC: document.to_json().encode()}
    if instance.test_patch:
        files[protocol.FILE_TEST_PATCH] = instance.test_patch.encode()
    if instance.parser.script:
        files[protocol.FILE_PARSER] = instance.parser.script.encode()
    for position, file in enumerate(instance.test_files):
        files[f"{protocol.DIRECTORY_TEST_FILES}/{position}"] = file.content
    for position, file in enumerate(instance.scripts):
        files[f"{protocol.DIRECTORY_SCRIPTS}/{position}"] = file.content
    return files


def agent_timeout_seconds(spec: BenchmarkRunSpec, instance: Instance) -> int:
    """The agent's time: the instance's own, else the run's."""
    return instance.agent_timeout_seconds or spec.execution.agent_timeout_seconds


def grade_timeout_seconds(spec: BenchmarkRunSpec, instance: Instance) -> int:
    """The grader's time: the instance's own, else the run's."""
    return instance.grade_timeout_seconds or spec.execution.grade_timeout_seconds


def agent_environment(agent: AgentChoice) -> tuple[EnvVar, ...]:
    """Variables that the spec gives to the agent alone."""
    if agent.claude_code is not None:
        return agent.claude_code.env
    return agent.exec.env if agent.exec is not None else ()


def plain(environment: Iterable[EnvVar]) -> dict[str, str]:
    """The variables that are given as values."""
    return {variable.name: variable.value for variable in environment if variable.value is not None}


def _claude(claude: ClaudeCode, cli_version: str, user_config: str) -> specs.ClaudeSpec:
    asked = "" if claude.version == _LATEST else claude.version
    return specs.ClaudeSpec(
        version=cli_version or asked,
        model=claude.model,
        effort=claude.effort or "",
        max_turns=claude.max_turns,
        max_budget_usd=claude.max_budget_usd,
        allowed_tools=claude.allowed_tools,
        extra_args=claude.extra_args,
        base_url=claude.base_url or "",
        max_retries=_DEFAULT_RETRIES if claude.max_retries is None else claude.max_retries,
        append_system_prompt=claude.append_system_prompt or "",
        user_config=user_config,
    )
