"""Which outcome class the end of a Claude Code run is, from its exit code, last result line and stderr alone.

Never from a search through the conversation: agents write about rate limits and turn limits, too. Success is
exit code 0 and a result line with `is_error` false and subtype `success`; API failures also carry that
subtype, and an interrupted run also exits with 0.
"""

import re
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

from benchwarden_runner import protocol

_TOO_OLD = re.compile(r"does not support this model.*version \S+ or newer is required", re.DOTALL)
_LIMITS = {
    "error_max_turns": protocol.AGENT_TURN_LIMIT,
    "error_max_budget_usd": protocol.AGENT_BUDGET,
}
_RATE_LIMIT = 429
# Signs in the CLI's own words that an answer did not arrive whole.
_CONNECTION_SIGNS = ("connect", "timed out", "socket", "stream", "json parse")
_RETRY_CLASSES = {
    "rate_limit": protocol.API_RATE_LIMIT,
    "overloaded": protocol.API_OVERLOADED,
    "authentication_failed": protocol.AUTH,
}


@dataclass(frozen=True)
class Judgement:
    """A class, why in words, and the API's status if one decided it."""

    outcome: str
    reason: str = ""
    api_status: int = 0


def judge(returncode: int, result: Optional[Mapping[str, Any]], stderr: str) -> Judgement:
    """The class of a run that ended by itself."""
    if result is None:
        return _without_result(returncode, stderr)
    subtype, is_error = result.get("subtype"), result.get("is_error")
    if returncode == 0 and is_error is False and subtype == "success":
        return Judgement(protocol.COMPLETED)
    text = _text(result)
    if isinstance(subtype, str) and subtype in _LIMITS:
        return Judgement(_LIMITS[subtype], text)
    if subtype == "success":
        status = result.get("api_error_status")
        return of_api_error(status if isinstance(status, int) else 0, text, result)
    return Judgement(protocol.AGENT_ERROR, text or f"{subtype}, exit code {returncode}")


def of_api_error(status: int, text: str, result: Mapping[str, Any]) -> Judgement:
    """The class of a run that an API error (or a refusal) ended; status 0 = no answer at all."""
    outcome = protocol.AGENT_ERROR
    if status in (401, 403) or (status == 0 and "not logged in" in text.lower()):
        outcome = protocol.AUTH
    elif status == 400 and _TOO_OLD.search(text):
        outcome = protocol.CLI_TOO_OLD
    elif status in (400, 402) and "credit balance is too low" in text.lower():
        outcome = protocol.AUTH
    elif status == 404:
        outcome = protocol.UNKNOWN_MODEL
    elif status == _RATE_LIMIT:
        outcome = protocol.API_RATE_LIMIT
    elif status >= 500:
        outcome = protocol.API_OVERLOADED
    elif status == 0 and _connection_failed(result, text):
        outcome = protocol.API_CONNECTION
    return Judgement(outcome, text, status)


def of_retry(retry: Optional[Mapping[str, Any]]) -> Judgement:
    """The class of a run that spent its time, and the allowance on top, waiting for the API."""
    entry = retry or {}
    status = entry.get("error_status")
    status = status if isinstance(status, int) else 0
    default = protocol.API_OVERLOADED if status >= 500 else protocol.API_CONNECTION
    outcome = _RETRY_CLASSES.get(str(entry.get("error")), default)
    return Judgement(outcome, "waited for the API longer than the throttle allowance", status)


def _connection_failed(result: Mapping[str, Any], text: str) -> bool:
    if result.get("api_error") == "connection_failed":
        return True
    if result.get("stop_reason") == "refusal":
        return False  # the reason is the model's own text
    lowered = text.lower()
    return lowered.startswith("request timed out") or (
        "api error" in lowered and any(sign in lowered for sign in _CONNECTION_SIGNS)
    )


def _without_result(returncode: int, stderr: str) -> Judgement:
    tail = stderr.strip()[-300:]
    if returncode in (-4, 132):
        return Judgement(protocol.HARNESS, "illegal instruction: the processor lacks AVX2")
    if returncode > 0 and returncode < 128:
        # A refused flag, an empty prompt, an unusable folder: nothing an agent could have done.
        return Judgement(protocol.HARNESS, f"Claude Code exited with {returncode}: {tail}")
    return Judgement(protocol.AGENT_ERROR, _died(returncode, tail))


def _died(returncode: int, tail: str) -> str:
    how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
    return f"Claude Code ended without a result ({how}) {tail}".strip()


def _text(result: Mapping[str, Any]) -> str:
    parts: Tuple[Any, ...] = (result.get("result"),)
    errors = result.get("errors")
    if isinstance(errors, list):
        parts += tuple(errors)
    if result.get("stop_reason") == "refusal":
        parts = ("refusal", *parts)
    return " ".join(str(part) for part in parts if part)[:600]
