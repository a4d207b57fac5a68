"""Reads Claude Code's stream-json while it grows: usage, tool calls, API waits and the last result line.

Only what is needed is read and everything unknown is ignored, so that new line types do no harm.
"""

import json
from typing import Any, Dict, List, Optional, Set

_SYNTHETIC = "<synthetic>"


class ClaudeStream:
    """What the lines so far add up to.

    Attributes:
        result: the last `result` line; its cost and modelUsage are cumulative.
        tools: calls by tool name.
        version: as the CLI says in its first line.
        last_retry: the last api_retry line.
    """

    def __init__(self) -> None:
        self.result: Optional[Dict[str, Any]] = None
        self.tools: Dict[str, int] = {}
        self.version = ""
        self.last_retry: Optional[Dict[str, Any]] = None
        self._denied: Set[str] = set()
        self._answers: Set[str] = set()
        self._calls: Set[str] = set()
        self._rest = b""
        self._closed_seconds = 0.0
        self._waits_since: Optional[float] = None
        self._waits_until = 0.0
        self._last_line_at = 0.0

    @property
    def turns(self) -> int:
        """Answers of the model so far, whoever asked."""
        return len(self._answers)

    @property
    def denials(self) -> int:
        """Tool calls that were not permitted."""
        listed = (self.result or {}).get("permission_denials")
        return max(len(self._denied), len(listed) if isinstance(listed, list) else 0)

    def feed(self, data: bytes, seconds: float) -> None:
        """Take in what was read at `seconds` since the start."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                self._entry(entry, seconds)
                self._last_line_at = seconds

    def throttle_seconds(self, now: float) -> float:
        """Seconds lost to failed requests and the waits after them, up to `now`."""
        if self._waits_since is None:
            return self._closed_seconds
        return self._closed_seconds + max(0.0, min(now, self._waits_until) - self._waits_since)

    def _entry(self, entry: Dict[str, Any], seconds: float) -> None:
        kind, subtype = entry.get("type"), entry.get("subtype")
        if kind == "system" and subtype == "api_retry":
            self._retry(entry, seconds)
            return
        self._closed_seconds = self.throttle_seconds(seconds)
        self._waits_since = None
        if kind == "system" and subtype == "init":
            self.version = str(entry.get("claude_code_version") or "")
        elif kind == "system" and subtype == "permission_denied":
            self._denied.add(str(entry.get("tool_use_id") or len(self._denied)))
        elif kind == "assistant":
            self._assistant(entry.get("message"))
        elif kind == "result":
            self.result = entry

    def _retry(self, entry: Dict[str, Any], seconds: float) -> None:
        if self._waits_since is None:
            self._waits_since = self._last_line_at  # the request that failed was for nothing, too
        delay = entry.get("retry_delay_ms")
        wait = float(delay) / 1000.0 if isinstance(delay, (int, float)) else 0.0
        self._waits_until = max(self._waits_until, seconds + wait)
        self.last_retry = entry

    def _assistant(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("model") == _SYNTHETIC:
            return
        self._answers.add(str(message.get("id")))
        content: List[Any] = message.get("content") or []
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == "tool_use":
                call = str(block.get("id"))
                if call not in self._calls:
                    self._calls.add(call)
                    name = str(block.get("name"))
                    self.tools[name] = self.tools.get(name, 0) + 1
