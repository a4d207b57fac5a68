"""Who solves the instances: Claude Code, the gold patch, nobody, or a command of your own."""

from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Rule, Unique, at_most_one, exactly_one
from benchwarden.api.references import ConfigMapRef, Environment, SecretKeyRef
from benchwarden.api.scalars import Bool, DnsSubdomain, HttpUrl, Int, Money

LATEST: Final = "latest"
IMAGE: Final = "image"
REGISTRY: Final = "registry"
VOLUME: Final = "volume"
_ALIASES = ("sonnet", "opus", "haiku", "best", "default", "opusplan")
_PROVIDER_VARIABLES = (
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
)

Tool = Annotated[str, StringConstraints(pattern=patterns.TOOL, max_length=200)]
Argument = Annotated[str, StringConstraints(max_length=4096)]


def _brings_credentials(agent: "ClaudeCode") -> bool:
    given = agent.credentials.api_key or agent.credentials.auth_token
    return (
        agent.credentials.mode != "direct"
        or given is not None
        or any(variable.name in _PROVIDER_VARIABLES for variable in agent.env)
    )


class Credentials(KubeModel):
    """How the agent's requests are authorised."""

    rules: ClassVar[tuple[Rule, ...]] = (
        at_most_one("apiKey", "authToken"),
        Rule(
            cel="self.mode != 'gateway' || (!has(self.apiKey) && !has(self.authToken))",
            message="with mode gateway the gateway adds the key; remove apiKey and authToken",
            holds=lambda own: own.mode != "gateway" or not (own.api_key or own.auth_token),
            field="mode",
        ),
    )

    mode: Literal["direct", "gateway"] = "direct"
    """`direct`: the key is in the agent's environment, where the model's shell can read it.
    `gateway`: no key in any pod; a proxy at `baseUrl` adds it."""
    api_key: SecretKeyRef | None = None
    """API key, sent as `x-api-key`."""
    auth_token: SecretKeyRef | None = None
    """Token, sent as `Authorization: Bearer`."""


class UserConfig(KubeModel):
    """Your own Claude Code configuration, part of what is measured."""

    config_map: ConfigMapRef
    """ConfigMap whose keys become files in the CLI's configuration folder (CLAUDE.md, settings.json)."""


class ClaudeCode(KubeModel):
    """The real Claude Code CLI, without a terminal, inside the instance's own image."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"!(self.model in {list(_ALIASES)!r})",
            message="give a full model id: an alias changes its meaning with the CLI version",
            holds=lambda agent: agent.model not in _ALIASES,
            field="model",
        ),
        Rule(
            cel="double(self.maxBudgetUsd) > 0.0",
            message="must be more than 0",
            holds=lambda agent: Decimal(agent.max_budget_usd) > 0,
            field="maxBudgetUsd",
        ),
        Rule(
            cel="self.credentials.mode != 'gateway' || has(self.baseUrl)",
            message="credentials.mode gateway needs baseUrl, the address of the gateway",
            holds=lambda agent: agent.credentials.mode != "gateway" or agent.base_url is not None,
            field="baseUrl",
        ),
        Rule(
            cel=(
                "self.credentials.mode != 'direct' || has(self.credentials.apiKey)"
                " || has(self.credentials.authToken)"
                f" || (has(self.env) && self.env.exists(e, e.name in {list(_PROVIDER_VARIABLES)!r}))"
            ),
            message=(
                "credentials.mode direct needs apiKey or authToken (a Secret's name and key),"
                " or a provider's variables in env"
            ),
            holds=_brings_credentials,
            field="credentials",
        ),
        Rule(
            cel="(has(self.delivery) && self.delivery == 'volume') == has(self.cacheClaim)",
            message="cacheClaim and delivery volume need each other",
            holds=lambda agent: (agent.delivery == VOLUME) == (agent.cache_claim is not None),
            field="cacheClaim",
        ),
        Rule(
            cel=(
                "!has(self.delivery) || self.delivery != 'image'"
                " || (self.version != 'latest' && !has(self.registryUrl))"
            ),
            message="an image brings one version: give it and no registryUrl, or another delivery",
            holds=lambda agent: (
                agent.delivery != IMAGE or (agent.version != LATEST and agent.registry_url is None)
            ),
            field="delivery",
        ),
        Rule(
            cel="!has(self.registryCredentials) || has(self.registryUrl)",
            message="give registryUrl, to which they are sent",
            holds=lambda agent: (
                agent.registry_credentials is None or agent.registry_url is not None
            ),
            field="registryCredentials",
        ),
    )

    version: Annotated[
        str,
        StringConstraints(
            pattern=patterns.CLI_VERSION,
            max_length=64,
        ),
    ]
    """Exact CLI version such as `2.1.330`, or `latest`, which is resolved once for the whole run."""
    model: Annotated[
        str,
        StringConstraints(pattern=patterns.MODEL, max_length=256),
    ]
    """Full model id; never an alias such as `sonnet`."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """Reasoning effort; the model's own default if unset."""
    max_turns: Annotated[Int, Field(ge=1, le=10_000)] = 200
    """Largest number of model calls for one instance."""
    max_budget_usd: Money = "5"
    """Most that one instance may cost, in US dollars as text; overshoots by up to one model call."""
    allowed_tools: Annotated[
        tuple[Tool, ...],
        Field(min_length=1, max_length=64),
        Unique(),
    ] = ("Bash", "Read", "Edit", "Write", "Glob", "Grep")
    """The built-in tools the agent has."""
    extra_args: Annotated[tuple[Argument, ...], Field(max_length=32)] = ()
    """More arguments for the CLI, after benchwarden's own."""
    env: Environment = ()
    """More environment variables for the agent, also for other providers (Bedrock, Vertex)."""
    base_url: HttpUrl | None = None
    """Address of the Messages API or of a gateway; the CLI's own default if unset."""
    credentials: Credentials = Credentials()
    """How the agent's requests are authorised."""
    max_retries: Annotated[Int, Field(ge=0, le=15)] | None = None
    """How often the CLI repeats a failed request."""
    append_system_prompt: Annotated[str, StringConstraints(max_length=32_768)] | None = None
    """Text added to the end of the CLI's system prompt."""
    user_config: UserConfig | None = None
    """Your own CLAUDE.md, settings and skills."""
    include_ignored_files: Bool = False
    """Count files that git ignores as part of the agent's patch."""
    registry_url: HttpUrl | None = None
    """npm registry of the CLI; the operator's own if unset."""
    registry_credentials: SecretKeyRef | None = None
    """Token or `.npmrc` that pods send to registryUrl."""
    delivery: Literal["image", "registry", "volume"] | None = None
    """How pods get the CLI; unset: `registry` for `latest` or with registryUrl, else `image`."""
    cache_claim: DnsSubdomain | None = None
    """PersistentVolumeClaim that keeps what the registry gave."""

    @property
    def delivered_by(self) -> str:
        """How pods get the CLI, the default worked out."""
        if self.delivery is not None:
            return self.delivery
        return REGISTRY if self.version == LATEST or self.registry_url is not None else IMAGE


class Oracle(KubeModel):
    """Applies the gold patch: every sound instance resolves, which proves suite and cluster."""


class Nop(KubeModel):
    """Changes nothing: every sound instance stays unresolved, which proves the tests."""


class Exec(KubeModel):
    """Any command that edits the work tree: bring your own agent."""

    command: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=64)]
    """Program and arguments, run in the work tree with the prompt on standard input."""
    env: Environment = ()
    """Environment variables for the command."""


class AgentSpec(KubeModel):
    """Who solves the instances: exactly one of claudeCode, oracle, nop, exec."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("claudeCode", "oracle", "nop", "exec"),)

    claude_code: ClaudeCode | None = None
    """The real Claude Code CLI."""
    oracle: Oracle | None = None
    """The gold patch."""
    nop: Nop | None = None
    """No change at all."""
    exec: Exec | None = None
    """A command of your own."""

    @property
    def kind(self) -> str:
        """Name of the agent that is set, as in YAML: claudeCode, oracle, nop or exec."""
        if self.claude_code is not None:
            return "claudeCode"
        if self.oracle is not None:
            return "oracle"
        return "nop" if self.nop is not None else "exec"
