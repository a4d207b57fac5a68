"""The summary as one JSON-ready document, the same for `-o json`, `-o yaml` and report.json.

Keys are camelCase as everywhere in the API; money is a decimal string; ratios and seconds are numbers.
Values are exact, not cleaned: JSON escapes control characters, and YAML is written ASCII-escaped.
"""

import json
from datetime import datetime
from typing import Any, Final

import yaml

from benchwarden.report.summary import Summary, TrialResult
from benchwarden.results.tally import Tokens

FORMAT: Final = "benchwarden.dev/report/v1"


def document(summary: Summary) -> dict[str, Any]:
    """Return the whole summary as plain dicts, lists, strings and numbers."""
    heading = summary.heading
    return {
        "format": FORMAT,
        "run": heading.run,
        "namespace": heading.namespace,
        "suite": heading.suite,
        "panelDigest": heading.panel_digest,
        "agent": heading.agent,
        "model": heading.model,
        "cliVersion": heading.cli_version,
        "executor": heading.executor,
        "startedAt": _instant(heading.started_at),
        "finishedAt": _instant(heading.finished_at),
        "reason": heading.reason,
        "message": heading.message,
        "quarantined": [{"id": id_, "reason": reason} for id_, reason in heading.quarantined],
        "totals": _totals(summary),
        "results": [_result(result) for result in summary.results],
    }


def to_json(summary: Summary) -> str:
    """Return the document as indented ASCII JSON with a final line break."""
    return json.dumps(document(summary), indent=2) + "\n"


def to_yaml(summary: Summary) -> str:
    """Return the document as YAML; characters outside ASCII are escaped."""
    return yaml.safe_dump(document(summary), sort_keys=False, width=100)


def _totals(summary: Summary) -> dict[str, Any]:
    return {
        "planned": summary.planned,
        "valid": summary.valid,
        "groups": dict(summary.groups),
        "outcomes": dict(summary.outcomes),
        "passRatio": summary.pass_ratio,
        "passRatioInterval": {
            "method": "wilson",
            "confidence": 0.95,
            "lower": summary.interval.lower,
            "upper": summary.interval.upper,
        },
        "coverageRatio": summary.coverage_ratio,
        "costUsd": format(summary.cost_usd, "f"),
        "tokens": _tokens(summary.tokens),
        "agentSeconds": round(summary.agent_seconds, 3),
        "gradeSeconds": round(summary.grade_seconds, 3),
        "retries": summary.retries,
        "conflictingVerdicts": summary.conflicts,
    }


def _result(result: TrialResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "instance": result.key.instance,
        "trial": result.key.trial,
        "group": result.group,
        "outcome": result.outcome,
        "retries": result.retries,
        "costUsd": format(result.cost_usd, "f"),
        "tokens": _tokens(result.tokens),
    }
    row = result.row
    if row is not None:
        passed, wanted, kept, existing = row.tests
        found |= {
            "reason": row.reason,
            "agentClass": row.agent_class,
            "agentSeconds": row.agent_seconds,
            "gradeSeconds": row.grade_seconds,
            "throttleSeconds": row.throttle_seconds,
            "turns": row.turns,
            "denials": row.denials,
            "tools": dict(row.tools),
            "failToPass": {"passed": passed, "total": wanted},
            "passToPass": {"passed": kept, "total": existing},
            "patchBytes": row.patch_bytes,
            "patchSha256": row.patch_sha256,
            "cliVersion": row.cli_version,
            "network": row.network,
            "launch": row.launch,
            "batch": row.batch,
            "finishedAt": row.finished_at,
        }
    return found


def _tokens(tokens: Tokens) -> dict[str, int]:
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cacheRead": tokens.cache_read,
        "cacheWrite": tokens.cache_write,
    }


def _instant(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None
