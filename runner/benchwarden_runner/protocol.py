"""The contract between operator and runner: outcome classes, container messages, input files, exit codes.

The operator imports this module and nothing else of the runner. A message is one line of ASCII JSON
whose last key is the CRC32 of all before it: the kubelet cuts long termination messages silently, and
a cut message must read as missing, never as a different result.
"""

import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple, Type, Union

PROTOCOL_VERSION = 1

# The classes of an agent's end (telemetry) and of an instance's outcome (verdict and operator).
COMPLETED = "completed"  # the agent ended by itself; only the grader can say more
RESOLVED = "resolved"
UNRESOLVED = "unresolved"
EMPTY_PATCH = "empty_patch"
PATCH_DOES_NOT_APPLY = "patch_does_not_apply"
AGENT_ERROR = "agent_error"
AGENT_TIMEOUT = "agent_timeout"
AGENT_TURN_LIMIT = "agent_turn_limit"
AGENT_BUDGET = "agent_budget"
AGENT_OOM = "agent_oom"
AGENT_DISK = "agent_disk"
AGENT_PIDS = "agent_pids"
EVICTED = "evicted"
PREEMPTED = "preempted"
DRAINED = "drained"
NODE_LOST = "node_lost"
IMAGE_PULL = "image_pull"
UNSCHEDULABLE = "unschedulable"
HARNESS = "harness"
GRADER_ERROR = "grader_error"
API_RATE_LIMIT = "api_rate_limit"
API_OVERLOADED = "api_overloaded"
API_CONNECTION = "api_connection"
AUTH = "auth"
UNKNOWN_MODEL = "unknown_model"
CLI_TOO_OLD = "cli_too_old"

PASS_CLASSES = frozenset({RESOLVED})
FAIL_CLASSES = frozenset(
    {
        *(UNRESOLVED, EMPTY_PATCH, PATCH_DOES_NOT_APPLY),
        *(AGENT_ERROR, AGENT_TIMEOUT, AGENT_TURN_LIMIT, AGENT_BUDGET),
    }
)
LIMIT_CLASSES = frozenset({AGENT_OOM, AGENT_DISK, AGENT_PIDS})  # one solo retry, then fail
API_CLASSES = frozenset({API_RATE_LIMIT, API_OVERLOADED, API_CONNECTION})
INFRA_CLASSES = frozenset(
    {
        EVICTED,
        PREEMPTED,
        DRAINED,
        NODE_LOST,
        IMAGE_PULL,
        UNSCHEDULABLE,
        HARNESS,
        GRADER_ERROR,
    }
)
FATAL_CLASSES = frozenset({AUTH, UNKNOWN_MODEL, CLI_TOO_OLD})  # end the run at once
ALL_CLASSES = (
    PASS_CLASSES | FAIL_CLASSES | LIMIT_CLASSES | API_CLASSES | INFRA_CLASSES | FATAL_CLASSES
)

# Reasons that refine a class.
REASON_TAMPERED = "grader_tampered_or_crashed"
REASON_GRADE_TIMEOUT = "grade_timeout"
REASON_REGISTRY_DENIED = "registry_denied"  # inject: the npm registry wants other credentials
REASON_SPOILED = "not_judged_with_patch"  # begins the reason: the patch was applied, then this
REASON_NOT_CAPTURED = "patch_not_captured"  # begins the reason: the agent's tree could not be read
REASON_COMMAND_MISSING = "agent_command_missing"  # begins the reason: it ended with 126 or 127
REASON_CLI_MISMATCH = "cli_version_mismatch"  # the CLI is not the version that was asked for

# Agent kinds.
AGENT_CLAUDE_CODE = "claudeCode"
AGENT_ORACLE = "oracle"
AGENT_NOP = "nop"
AGENT_EXEC = "exec"

# Result parsers.
PARSER_JUNIT = "junit"
PARSER_TAP = "tap"
PARSER_EXIT_CODE = "exitCode"
PARSER_SCRIPT = "script"

# How an agent's patch is applied. Empty: exactly, else by three-way merge, else with fuzz.
APPLY_LENIENT = ""
APPLY_SWEBENCH_PRO = "swebenchPro"  # text hunks only, exactly or not at all
APPLY_SWEBENCH = "swebench"  # the four attempts of its harness

# Environment of agents and of a task's own programs.
ENV_SECRET_NAMES = "BENCHWARDEN_SECRET_NAMES"  # noqa: S105  # agent: names of those that hold secrets
ENV_REGISTRY_CREDENTIALS = "BENCHWARDEN_REGISTRY_CREDENTIALS"  # inject: an .npmrc, or a token
ENV_SCRIPTS = "BENCHWARDEN_SCRIPTS"  # tests: folder of the task's scripts, outside the work tree
ENV_TASK = "BENCHWARDEN_TASK"  # parser: JSON file with the names of the task's tests

# Network isolation as the agent's supervisor saw it.
NETWORK_ENFORCED = "enforced"
NETWORK_OPEN = "open"
NETWORK_UNKNOWN = "unknown"

# Kubelet: 12 KiB of termination messages are shared equally over all containers of a pod.
POD_MESSAGE_BYTES = 12288
CONTAINER_MESSAGE_BYTES = 4096

# Names of the files inside input archives.
FILE_AGENT_SPEC = "agent.json"
FILE_PROMPT = "prompt.txt"
FILE_GOLD_PATCH = "gold.patch"
FILE_GRADE_SPEC = "grade.json"
FILE_TEST_PATCH = "test.patch"
FILE_PARSER = "parser.py"
DIRECTORY_TEST_FILES = "files"
DIRECTORY_SCRIPTS = "scripts"

# Files in the work directory that agent-i hands to grade-i.
FILE_PATCH = "agent.patch"
FILE_TRANSCRIPT = "transcript.jsonl"
FILE_STREAM = "stream.jsonl"
FILE_TEST_LOG = "test.log"
FILE_SUMS = "SHA256SUMS"  # grade-i leaves it last, beside its test log: digests of all of these

# Exit codes of runner containers. Agents and graders exit 0 whenever their message was written.
EXIT_OK = 0
EXIT_HARNESS = 64


def message_limit_bytes(batch_size: int, extra_containers: int = 0) -> int:
    """Largest message, in bytes, that survives in a pod of `batch_size` instances."""
    containers = 2 * batch_size + 3 + extra_containers
    return min(CONTAINER_MESSAGE_BYTES, POD_MESSAGE_BYTES // containers)


@dataclass(frozen=True)
class Telemetry:
    """What the agent's supervisor says of the agent's work: untrusted, for accounting and diagnosis."""

    outcome: str
    seconds: float = 0.0
    throttle_seconds: float = 0.0
    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: str = "0"
    cli_version: str = ""
    network: str = NETWORK_UNKNOWN
    denials: int = 0
    api_status: int = 0
    reason: str = ""
    tools: Dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What the grader says of one instance: the only source of `resolved`."""

    outcome: str
    fail_to_pass: Tuple[int, int] = (0, 0)  # passed, total
    pass_to_pass: Tuple[int, int] = (0, 0)
    seconds: float = 0.0
    patch_sha256: str = ""
    patch_bytes: int = 0
    log_sha256: str = ""
    artifact: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ProbeReport:
    """What the probe Job learnt before the fan-out."""

    outcome: str  # completed, or a fatal or API class
    cli_version: str = ""
    cli_sha256: str = ""
    model: str = ""
    cost_usd: str = "0"
    reason: str = ""


Message = Union[Telemetry, Verdict, ProbeReport]

# Wire names of the fields, in wire order. Mandatory ones always fit the smallest message.
_FIELDS: Dict[str, Tuple[Tuple[str, str], ...]] = {
    "telemetry": (
        ("outcome", "outcome"),
        ("seconds", "seconds"),
        ("throttle_seconds", "throttle"),
        ("turns", "turns"),
        ("input_tokens", "in"),
        ("output_tokens", "out"),
        ("cache_read_tokens", "cread"),
        ("cache_write_tokens", "cwrite"),
        ("cost_usd", "usd"),
        ("cli_version", "cli"),
        ("network", "net"),
        ("denials", "denials"),
        ("api_status", "api"),
        ("reason", "reason"),
        ("tools", "tools"),
    ),
    "verdict": (
        ("outcome", "outcome"),
        ("fail_to_pass", "f2p"),
        ("pass_to_pass", "p2p"),
        ("seconds", "seconds"),
        ("patch_sha256", "patch"),
        ("patch_bytes", "patchBytes"),
        ("log_sha256", "log"),
        ("artifact", "artifact"),
        ("reason", "reason"),
    ),
    "probe": (
        ("outcome", "outcome"),
        ("cli_version", "cli"),
        ("cli_sha256", "sha256"),
        ("model", "model"),
        ("cost_usd", "usd"),
        ("reason", "reason"),
    ),
}
_KINDS: Dict[str, Type[Message]] = {
    "telemetry": Telemetry,
    "verdict": Verdict,
    "probe": ProbeReport,
}
_COUNT_MAX = 10**12 - 1  # tokens and bytes; larger values are cut to it
_SMALL_MAX = 10**6 - 1  # turns, denials, tests
_SECONDS_MAX = 10.0**8
_LENGTHS = {"outcome": 24, "cost_usd": 18, "cli_version": 32, "network": 8, "model": 128}
_DIGESTS = frozenset({"patch_sha256", "log_sha256", "cli_sha256"})
_COUNTS = frozenset(
    {"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "patch_bytes"}
)
_SMALL = frozenset({"turns", "denials", "api_status"})
_PAIRS = frozenset({"fail_to_pass", "pass_to_pass"})
_SECONDS = frozenset({"seconds", "throttle_seconds"})
_SHRINKABLE = ("tools", "artifact", "log_sha256", "reason")  # in the order they give way
_CRC_KEY = ',"crc":"'
_MONEY = re.compile(r"\d{1,13}(\.\d{1,4})?", re.ASCII)
_SHA256 = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_HALF = re.compile(
    "[\ud800-\udfff]"
)  # of a character: a forged message may hold it, and UTF-8 cannot


class MessageTooLargeError(ValueError):
    """The limit is below what the mandatory fields need; never with `message_limit_bytes`."""


def encode(message: Message, limit_bytes: int) -> bytes:
    """One ASCII line of at most `limit_bytes` bytes; optional fields shrink to fit.

    Tool counts go first (rarest first), then the artifact hint, the log hash and the end of the
    reason. Numbers out of range are cut to the range, text too long for its field is cut.

    Raises:
        MessageTooLargeError: the mandatory fields alone do not fit.
    """
    kind = next(name for name, cls in _KINDS.items() if isinstance(message, cls))
    values = {name: _fit_value(name, getattr(message, name)) for name, _ in _FIELDS[kind]}
    for name in _SHRINKABLE:
        if len(_line(kind, values)) <= limit_bytes:
            break
        if name in values:
            _shrink(kind, values, name, limit_bytes)
    line = _line(kind, values)
    if len(line) > limit_bytes:
        raise MessageTooLargeError(f"message of {len(line)} bytes, limit is {limit_bytes}")
    return line.encode("ascii")


def decode(text: str) -> Optional[Message]:
    """The message in `text`, or None if it is missing, cut, altered or not well-formed.

    The CRC guards against cuts, not against forgers: whoever may write a message may write any
    message, so every field is checked for its type and range as well.
    """
    head, separator, tail = text.rpartition(_CRC_KEY)
    if not separator or not text.isascii() or len(text) > CONTAINER_MESSAGE_BYTES:
        return None
    if tail != f'{zlib.crc32(head.encode("ascii")):08x}"}}':
        return None
    try:
        return _from_wire(json.loads(head + "}"))
    except (ValueError, TypeError, RecursionError):
        return None


def _line(kind: str, values: Dict[str, Any]) -> str:
    wire: Dict[str, Any] = {"v": PROTOCOL_VERSION, "kind": kind}
    for name, key in _FIELDS[kind]:
        if values[name] or name not in _SHRINKABLE:
            wire[key] = values[name]
    head = json.dumps(wire, ensure_ascii=True, separators=(",", ":"))[:-1]
    return f'{head}{_CRC_KEY}{zlib.crc32(head.encode("ascii")):08x}"}}'


def _shrink(kind: str, values: Dict[str, Any], name: str, limit_bytes: int) -> None:
    """Keep the longest beginning of field `name` with which the line fits; none if none does."""
    whole = values[name]
    items = list(whole.items()) if name == "tools" else whole
    low, high = 0, len(items) if name in ("tools", "reason") else 0
    while low < high:  # invariant: `low` items fit, or nothing does
        middle = (low + high + 1) // 2
        values[name] = dict(items[:middle]) if name == "tools" else items[:middle]
        if len(_line(kind, values)) <= limit_bytes:
            low = middle
        else:
            high = middle - 1
    values[name] = dict(items[:low]) if name == "tools" else items[:low]


def _fit_value(name: str, value: Any) -> Any:
    """`value` cut to what the field can carry."""
    if name == "tools":
        counts = sorted(value.items(), key=lambda item: (-item[1], item[0]))[:64]
        return {_text(tool)[:64]: _whole(count, _COUNT_MAX) for tool, count in counts}
    if name in _PAIRS:
        return [_whole(number, _SMALL_MAX) for number in value]
    if name in _SECONDS:
        return round(min(max(float(value), 0.0), _SECONDS_MAX), 3) if value == value else 0.0  # noqa: PLR0124  # NaN
    if name in _COUNTS or name in _SMALL:
        return _whole(value, _COUNT_MAX if name in _COUNTS else _SMALL_MAX)
    if name == "cost_usd" and not _MONEY.fullmatch(value):
        return "0"
    if name in _DIGESTS and not _SHA256.fullmatch(value):
        return ""
    return _text(value)[: _LENGTHS.get(name, CONTAINER_MESSAGE_BYTES)]


def _whole(value: int, maximum: int) -> int:
    return min(max(int(value), 0), maximum)


def _text(value: str) -> str:
    """`value` without lone surrogates, which no UTF-8 writer downstream could store."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _from_wire(wire: Any) -> Optional[Message]:
    if not isinstance(wire, dict) or wire.get("v") != PROTOCOL_VERSION:
        return None
    kind = wire.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    values: Dict[str, Any] = {}
    for name, key in _FIELDS[kind]:
        if key in wire:
            if not _well_formed(name, wire[key]):
                return None
            values[name] = tuple(wire[key]) if name in _PAIRS else wire[key]
        elif name not in _SHRINKABLE:
            return None
    return _KINDS[kind](**values)


def _well_formed(name: str, value: Any) -> bool:
    """Whether `value` is what `encode` could have written for the field."""
    if name in _SECONDS:
        return type(value) in (int, float) and 0 <= value <= _SECONDS_MAX
    if name in _PAIRS:
        return (
            type(value) is list
            and len(value) == 2
            and value[0] <= value[1]
            and all(map(_is_count, value))
        )
    if name == "tools":
        small = type(value) is dict and len(value) <= 64
        return small and all(map(_is_count, value.values())) and all(map(_is_text, value))
    if name in _COUNTS or name in _SMALL:
        return _is_count(value)
    if not _is_text(value) or len(value) > _LENGTHS.get(name, CONTAINER_MESSAGE_BYTES):
        return False
    if name == "outcome":
        return value == COMPLETED or value in ALL_CLASSES
    if name == "network":
        return value in (NETWORK_ENFORCED, NETWORK_OPEN, NETWORK_UNKNOWN)
    if name == "cost_usd":
        return _MONEY.fullmatch(value) is not None
    return name not in _DIGESTS or _SHA256.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return type(value) is str and not _HALF.search(value)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _COUNT_MAX
