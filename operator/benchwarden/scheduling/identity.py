"""The identity of a series: a digest of everything that decides a result, but for the CLI version.

A new CLI version is what the monitor is there to catch, so it only annotates. Anything else that changes what
is measured starts a new series with a new baseline.
"""

import hashlib
import json
from typing import Any, Final

from benchwarden.api.run import BenchmarkRunSpec

_FORMAT: Final = "benchwarden series 1"
GRADER_RULES: Final = 1
"""Grows when the grader judges the same patch differently."""

# How the agent is reached, paid for and fetched decides no result.
_CLAUDE_APART: Final = {
    *("version", "credentials", "base_url", "user_config", "env"),
    *("registry_url", "registry_credentials", "delivery", "cache_claim"),
}


def series_identity(spec: BenchmarkRunSpec, panel_digest: str, config_digest: str = "") -> str:
    """Sha256 (hex) of what a run measures.

    Args:
        spec: the run's spec.
        panel_digest: digest of its panel: instances, prompts, tests and graders, in order.
        config_digest: digest of the user's own agent configuration, empty if there is none.
    """
    execution = spec.execution
    document = {
        "format": _FORMAT,
        "grader": GRADER_RULES,
        "panel": panel_digest,
        "agent": _agent(spec),
        "userConfig": config_digest,
        "resources": _kept(execution.resources),
        "runtimeClass": execution.runtime_class_name or "",
        "agentTimeoutSeconds": execution.agent_timeout_seconds,
        "gradeTimeoutSeconds": execution.grade_timeout_seconds,
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _agent(spec: BenchmarkRunSpec) -> dict[str, Any]:
    claude, command = spec.agent.claude_code, spec.agent.exec
    if claude is not None:
        return {
            "kind": "claudeCode",
            # Defaults are left out, so that a field added later leaves old identities alone.
            **claude.model_dump(mode="json", exclude=_CLAUDE_APART, exclude_defaults=True),
            "env": _variables(claude.env),
        }
    if command is not None:
        return {"kind": "exec", "command": list(command.command), "env": _variables(command.env)}
    return {"kind": spec.agent.kind}


def _variables(env: Any) -> dict[str, str]:
    """Plain variables; a secret decides who pays, not what is measured."""
    return {each.name: each.value for each in env if each.value is not None}


def _kept(model: Any) -> Any:
    return model.model_dump(mode="json", exclude_none=True)
