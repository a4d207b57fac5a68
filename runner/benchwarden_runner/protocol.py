"""The contract between operator and runner: outcome classes, container messages, input files, exit codes.

The operator imports this module and nothing else of the runner. A message is one line of ASCII JSON
whose last key is the CRC32 of all before it: the kubelet cuts long termination messages silently, and
a cut message must read as missing, never as a different result.
"""

import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Dict, List, Optional, Tuple, Union

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
        UNRESOLVED,
        EMPTY_PATCH,
        PATCH_DOES_NOT_APPLY,
        AGENT_ERROR,
        AGENT_TIMEOUT,
        AGENT_TURN_LIMIT,
        AGENT_BUDGET,
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

# Files in the work directory that agent-i hands to grade-i.
FILE_PATCH = "agent.patch"
FILE_TRANSCRIPT = "transcript.jsonl"
FILE_STREAM = "stream.jsonl"
FILE_TEST_LOG = "test.log"

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

# encode(message, limit_bytes) and decode(text) follow; see the runner's tests for their properties.
