"""What an agent and a grader are told: two JSON documents, written by the operator, read by the runner.

Reading is strict: an unknown field or a wrong type is an error that names the field, because operator and
runner travel separately (an image each) and a silently dropped field would change what is measured.
"""

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Dict, Tuple, Type, TypeVar, get_args, get_origin, get_type_hints

from benchwarden_runner import protocol

T = TypeVar("T")

# Builds of Claude Code among the tools.
CLAUDE_GLIBC = "claude-glibc"
CLAUDE_MUSL = "claude-musl"
_LARGEST_NUMBER = 1e12


class SpecError(ValueError):
    """A spec document that cannot be read; the message names the field."""


@dataclass(frozen=True)
class ClaudeSpec:
    """How to start Claude Code.

    Attributes:
        version: the exact version that `claude --version` must report; empty = not checked.
        model: full model id.
        effort: low, medium, high, xhigh, max; empty = the model's default.
        max_turns: model calls; 0 = no limit.
        max_budget_usd: decimal string; empty = no limit.
        allowed_tools: the built-in tools that exist for the agent.
        extra_args: appended to the command line as they are.
        base_url: of the Messages API; empty = the vendor's. A path prefix is kept.
        max_retries: the CLI's own retries of an API call, 0-15.
        append_system_prompt: added to the system prompt; empty = nothing.
        user_config: a directory whose files are copied into the agent's CLAUDE_CONFIG_DIR
            (CLAUDE.md, settings.json, skills); empty = none.
        background_tasks: whether the CLI may move commands to the background.
    """

    version: str = ""
    model: str = ""
    effort: str = ""
    max_turns: int = 200
    max_budget_usd: str = ""
    allowed_tools: Tuple[str, ...] = ("Bash", "Read", "Edit", "Write", "Glob", "Grep")
    extra_args: Tuple[str, ...] = ()
    base_url: str = ""
    max_retries: int = 10
    append_system_prompt: str = ""
    user_config: str = ""
    background_tasks: bool = False


@dataclass(frozen=True)
class AgentSpec:
    """What agent-i does.

    Attributes:
        kind: protocol.AGENT_*.
        workdir: the git work tree, absolute.
        base_commit: where the agent starts; empty = HEAD.
        timeout_seconds: the agent's own time; waits for the API do not count, see the next.
        throttle_allowance_seconds: how much API waiting may be added to it.
        command: of an `exec` agent.
        env: plain values added to the agent's environment; secrets come from the container's.
        include_ignored: whether the patch holds files that .gitignore hides.
        cut_history: whether git history beyond the base commit is removed first.
        must_fail_address: `ip:port` that a network policy must block; empty = not probed.
        memory_limit_bytes: for `local`, where no cgroup says it; 0 = the cgroup's limit, if any.
        local: an ordinary process on a user's machine, not a container of its own.
    """

    kind: str
    workdir: str
    base_commit: str = ""
    timeout_seconds: float = 3600.0
    throttle_allowance_seconds: float = 600.0
    command: Tuple[str, ...] = ()
    env: Dict[str, str] = field(default_factory=dict)
    include_ignored: bool = False
    cut_history: bool = True
    must_fail_address: str = ""
    memory_limit_bytes: int = 0
    local: bool = False
    claude: ClaudeSpec = ClaudeSpec()

    def to_json(self) -> str:
        """The document for protocol.FILE_AGENT_SPEC; the same spec gives the same bytes."""
        return _dump(self)

    @classmethod
    def from_json(cls, text: str) -> "AgentSpec":
        """The spec in `text`; SpecError names what is wrong with it."""
        return _read(cls, _loaded(text, "agent"), "agent")


@dataclass(frozen=True)
class ParserSpec:
    """How test outcomes are read.

    Attributes:
        kind: protocol.PARSER_*.
        path: junit: glob of reports, tap: a file, both relative to workdir; tap: empty = the output.
    """

    kind: str = protocol.PARSER_EXIT_CODE
    path: str = ""


@dataclass(frozen=True)
class TestFileEntry:
    """Where a test file goes; its bytes are in the archive under files/<position in the list>."""

    __test__ = False  # not a test class, whatever its name says to pytest

    path: str
    executable: bool = False


@dataclass(frozen=True)
class GradeSpec:
    """What grade-i does; see `Instance` for the meaning of the fields it shares with it.

    `scripts` are files like `test_files`, but outside the work tree: in the folder that the variable
    protocol.ENV_SCRIPTS names to the tests.
    """

    workdir: str
    test_command: str
    base_commit: str = ""
    timeout_seconds: float = 1800.0
    setup_command: str = ""
    env: Dict[str, str] = field(default_factory=dict)
    parser: ParserSpec = ParserSpec()
    fail_to_pass: Tuple[str, ...] = ()
    pass_to_pass: Tuple[str, ...] = ()
    restore_paths: Tuple[str, ...] = ()
    skipped_counts_as_pass: bool = False
    test_files: Tuple[TestFileEntry, ...] = ()
    scripts: Tuple[TestFileEntry, ...] = ()
    apply: str = protocol.APPLY_LENIENT
    any_pass_counts: bool = False
    max_patch_bytes: int = 32 * 1024 * 1024
    memory_limit_bytes: int = 0
    local: bool = False

    def to_json(self) -> str:
        """The document for protocol.FILE_GRADE_SPEC; the same spec gives the same bytes."""
        return _dump(self)

    @classmethod
    def from_json(cls, text: str) -> "GradeSpec":
        """The spec in `text`; SpecError names what is wrong with it."""
        return _read(cls, _loaded(text, "grade"), "grade")


@dataclass(frozen=True)
class CliBuild:
    """One build of Claude Code in an npm registry.

    Attributes:
        name: of the program among the tools: CLAUDE_GLIBC or CLAUDE_MUSL.
        machine: x64 or arm64.
        url: of the package's archive.
        integrity: the archive's hash as npm writes it: `sha512-` and base64.
    """

    name: str
    machine: str
    url: str
    integrity: str


@dataclass(frozen=True)
class CliRelease:
    """One version of Claude Code with all its builds, resolved once for a run."""

    version: str
    builds: Tuple[CliBuild, ...] = ()

    def to_json(self) -> str:
        """The document that `inject --release` takes; the same release gives the same bytes."""
        return _dump(self)

    @classmethod
    def from_json(cls, text: str) -> "CliRelease":
        """The release in `text`; SpecError names what is wrong with it."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise SpecError(f"release: {error}") from error
        return _read(cls, document, "release")


def _dump(spec: Any) -> str:
    return json.dumps(asdict(spec), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _loaded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{place}: not JSON: {error}") from error


def _read(cls: Type[T], document: Any, place: str) -> T:
    if not isinstance(document, dict):
        raise SpecError(f"{place}: expected an object")
    hints = get_type_hints(cls)
    names = {item.name for item in fields(cls)}  # type: ignore[arg-type]  # a dataclass
    unknown = sorted(set(document) - names)
    if unknown:
        raise SpecError(
            f"{place}.{unknown[0]}: unknown field; operator and runner differ in version"
        )
    values = {
        name: _value(hints[name], value, f"{place}.{name}") for name, value in document.items()
    }
    try:
        return cls(**values)
    except TypeError as error:
        raise SpecError(f"{place}: {error}") from error


def _value(kind: Any, value: Any, place: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _read(kind, value, place)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise SpecError(f"{place}: expected a list")
        item_kind = get_args(kind)[0]
        return tuple(_value(item_kind, item, f"{place}[{i}]") for i, item in enumerate(value))
    if get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise SpecError(f"{place}: expected an object")
        return {key: _value(str, item, f"{place}.{key}") for key, item in value.items()}
    if kind is float and type(value) in (int, float):
        if not abs(value) <= _LARGEST_NUMBER:
            raise SpecError(f"{place}: the number is too large")
        return float(value)
    if type(value) is not kind:
        raise SpecError(f"{place}: expected {kind.__name__}")
    return value
