"""Tokens and cost of a Claude Code session: from its last result line, else from its transcript and stream.

The CLI writes a result line in every end but SIGTERM and SIGKILL; then the transcript's last `cost-state`
line and, failing that too, the final usage of its assistant entries remain. A killed CLI may owe its transcript
the last answers: what the stream said of them counts then. The price of a killed session is not known.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Mapping, Optional

_NAMES = (
    ("input_tokens", "inputTokens"),
    ("output_tokens", "outputTokens"),
    ("cache_read_tokens", "cacheReadInputTokens"),
    ("cache_write_tokens", "cacheCreationInputTokens"),
)
_API_NAMES = (
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
    ("cache_read_tokens", "cache_read_input_tokens"),
    ("cache_write_tokens", "cache_creation_input_tokens"),
)


@dataclass(frozen=True)
class Usage:
    """What a session used; the cost is a decimal string in USD."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: str = "0"


class StreamedUsage:
    """Adds up what the pieces of answers in the stream say about their tokens."""

    def __init__(self) -> None:
        self._current: Dict[
            str, str
        ] = {}  # message by who speaks: the agent, or one of its helpers
        self._answers: Dict[str, Dict[str, Any]] = {}

    def event(self, entry: Mapping[str, Any]) -> None:
        """Take in a `stream_event` line."""
        event, speaker = entry.get("event"), str(entry.get("parent_tool_use_id"))
        if not isinstance(event, dict):
            return
        message, usage = event.get("message"), event.get("usage")
        if event.get("type") == "message_start" and isinstance(message, dict):
            self._current[speaker] = str(message.get("id"))
            usage = message.get("usage")
        if isinstance(usage, dict) and speaker in self._current:
            self._answers.setdefault(self._current[speaker], {}).update(usage)

    @property
    def usage(self) -> Usage:
        """The sum so far, without a cost."""
        return Usage(**_sum(self._answers.values(), _API_NAMES))


def at_least(known: Usage, floor: Usage) -> Usage:
    """`known` with no count of tokens below that of `floor`."""
    return replace(
        known,
        **{name: max(getattr(known, name), getattr(floor, name)) for name, _ in _API_NAMES},
    )


def money(value: Any) -> str:
    """A decimal string with at most 4 places; "0" for what is no amount."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e13:
        return "0"
    return f"{value:.4f}".rstrip("0").rstrip(".")


def from_result(result: Mapping[str, Any]) -> Usage:
    """Usage in a result line (or anything else with `modelUsage`), summed over models."""
    models = result.get("modelUsage")
    cost = money(result.get("total_cost_usd", result.get("totalCostUSD")))
    if isinstance(models, dict) and models:
        parts = [model for model in models.values() if isinstance(model, dict)]
        return Usage(cost_usd=cost, **_sum(parts, _NAMES))
    usage = result.get("usage")
    return Usage(cost_usd=cost, **_sum([usage] if isinstance(usage, dict) else [], _API_NAMES))


def from_transcript(lines: Iterable[bytes]) -> Usage:
    """Usage in a transcript; the cost is "0" if it says none."""
    state: Optional[Mapping[str, Any]] = None
    answers: Dict[str, Mapping[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(entry, dict):
            continue
        if entry.get("type") == "cost-state":
            state = entry
        message = entry.get("message")
        if entry.get("type") == "assistant" and isinstance(message, dict):
            usage = message.get("usage")
            if isinstance(usage, dict):
                answers[str(message.get("id"))] = usage
    if state is not None:
        return from_result(state)
    return Usage(**_sum(answers.values(), _API_NAMES))


def _sum(parts: Iterable[Mapping[str, Any]], names: Any) -> Dict[str, Any]:
    totals: Dict[str, int] = {name: 0 for name, _ in names}
    for part in parts:
        for name, key in names:
            value = part.get(key)
            if isinstance(value, (int, float)) and 0 <= value < 1e15:
                totals[name] += int(value)
    return totals
