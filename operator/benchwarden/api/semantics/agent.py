"""Rules of the agent: no key in plain sight, no flag that undoes the run's own settings."""

from collections.abc import Iterator
from typing import Final

from benchwarden.api.agent import LATEST, AgentSpec, ClaudeCode
from benchwarden.api.references import EnvVar
from benchwarden.api.semantics.address import address_fault
from benchwarden.api.semantics.fault import Fault
from benchwarden.names import ENV_API_KEY, ENV_AUTH_TOKEN

SECRET_VARIABLES: Final = frozenset(
    {
        ENV_API_KEY,
        ENV_AUTH_TOKEN,
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
    }
)
_GOOGLE_CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_FIELD_OF_VARIABLE: Final = {
    ENV_API_KEY: "credentials.apiKey",
    ENV_AUTH_TOKEN: "credentials.authToken",
    "ANTHROPIC_BASE_URL": "baseUrl",
    "ANTHROPIC_MODEL": "model",
}
_FIELD_OF_FLAG: Final = {
    "--model": "model",
    "--effort": "effort",
    "--max-turns": "maxTurns",
    "--max-budget-usd": "maxBudgetUsd",
    "--tools": "allowedTools",
    "--allowedTools": "allowedTools",
    "--allowed-tools": "allowedTools",
    "--append-system-prompt": "appendSystemPrompt",
}
_OWN_FLAGS: Final = frozenset(
    {
        "-c",
        "-p",
        "-r",
        "--bare",
        "--continue",
        "--dangerously-skip-permissions",
        "--fallback-model",
        "--input-format",
        "--no-session-persistence",
        "--output-format",
        "--permission-mode",
        "--print",
        "--restricted",
        "--resume",
        "--safe-mode",
        "--session-id",
        "--setting-sources",
        "--verbose",
        "--version",
    }
)
_OWN_PREFIX: Final = "BENCHWARDEN_"
_FIRST_SINGLE_BINARY: Final = (2, 1, 113)


def agent_faults(agent: AgentSpec) -> Iterator[Fault]:
    """Everything wrong with the agent."""
    if agent.claude_code is not None:
        yield from _claude_faults("spec.agent.claudeCode", agent.claude_code)
    if agent.exec is not None:
        yield from env_faults("spec.agent.exec.env", agent.exec.env)
        if not agent.exec.command[0].strip():
            yield Fault("spec.agent.exec.command[0]", "must name a program")


def env_faults(field: str, env: tuple[EnvVar, ...]) -> Iterator[Fault]:
    """Secrets written as plain values, and variables that benchwarden sets itself."""
    for position, variable in enumerate(env):
        if variable.name.startswith(_OWN_PREFIX):
            yield Fault(
                f"{field}[{position}].name", f"{variable.name} is benchwarden's; take another name"
            )
        if variable.value and _is_secret(variable.name, variable.value):
            yield Fault(
                f"{field}[{position}].value",
                f"{variable.name} is a secret and everyone who may read the run sees it here;"
                " use secretKeyRef",
            )


def _is_secret(name: str, value: str) -> bool:
    """A path to Google's credentials is none, their text is."""
    is_text = name == _GOOGLE_CREDENTIALS and value.lstrip().startswith("{")
    return is_text or name in SECRET_VARIABLES


def _claude_faults(field: str, claude: ClaudeCode) -> Iterator[Fault]:
    yield from env_faults(f"{field}.env", claude.env)
    for position, variable in enumerate(claude.env):
        if own := _FIELD_OF_VARIABLE.get(variable.name):
            yield Fault(
                f"{field}.env[{position}].name", f"{variable.name} is set by {own}; use that"
            )
    for position, argument in enumerate(claude.extra_args):
        flag = argument.partition("=")[0]
        if own := _FIELD_OF_FLAG.get(flag):
            yield Fault(f"{field}.extraArgs[{position}]", f"{flag} is set by {own}; use that")
        elif flag in _OWN_FLAGS:
            yield Fault(f"{field}.extraArgs[{position}]", f"{flag} is benchwarden's; remove it")
    for name, url in (("baseUrl", claude.base_url), ("registryUrl", claude.registry_url)):
        if url is not None and (fault := address_fault(url)):
            yield Fault(f"{field}.{name}", fault)
    if _too_old(claude.version):
        yield Fault(
            f"{field}.version", "versions before 2.1.113 are not one binary; take a newer one"
        )


def _too_old(version: str) -> bool:
    if version == LATEST:
        return False
    numbers = version.partition("-")[0].split(".")
    return tuple(int(number) for number in numbers) < _FIRST_SINGLE_BINARY
