"""Reads Claude Code's stream-json while it grows: usage, tool calls, API waits and the last result line.

Only what is needed is read and everything unknown is ignored, so that new line types do no harm. Time is lost
to the API in two ways: failed requests with the waits the CLI announces after them (`api_retry`), and stalls,
when a request was made and neither an answer nor a piece of one has come for `stall_seconds`.
"""

import json
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set

from benchwarden_runner.agents.claude_usage import StreamedUsage

STALL_SECONDS = 60.0
_LONGEST_WAIT_MS = 31 * 86400 * 1000
_SYNTHETIC = "<synthetic>"
_PARTIAL = b'{"type":"stream_event",'


class ClaudeStream:
    """What the lines so far add up to.

    Attributes:
        result: the last `result` line; its cost and modelUsage are cumulative.
        tools: calls by tool name.
        version: as the CLI says in its first line.
        last_retry: the last api_retry line.
        streamed: the tokens that the pieces of answers speak of.
    """

    def __init__(self, stall_seconds: float = STALL_SECONDS) -> None:
        self._stall_seconds = stall_seconds
        self._awaits = False  # whether a request is with the API
        self.result: Optional[Dict[str, Any]] = None
        self.tools: Dict[str, int] = {}
        self.version = ""
        self.last_retry: Optional[Dict[str, Any]] = None
        self.streamed = StreamedUsage()
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
        """Seconds lost to failed requests, the waits after them, and stalls, up to `now`."""
        lost = self._closed_seconds
        silent_since = self._last_line_at
        if self._waits_since is not None:
            lost += max(0.0, min(now, self._waits_until) - self._waits_since)
            silent_since = max(silent_since, self._waits_until)
        silent = now - silent_since
        return lost + silent if self._awaits and silent >= self._stall_seconds else lost

    def _entry(self, entry: Dict[str, Any], seconds: float) -> None:
        kind, subtype = entry.get("type"), entry.get("subtype")
        if kind == "system" and subtype == "api_retry":
            self._retry(entry, seconds)
            return
        if kind == "system" and self._waits_since is not None:
            return  # such as the next "requesting": the wait is over only when something is answered
        self._closed_seconds = self.throttle_seconds(seconds)
        self._waits_since = None
        self._awaits = _awaits_answer(entry, before=self._awaits)
        if kind == "system" and subtype == "init":
            self.version = _word(entry.get("claude_code_version"))
        elif kind == "system" and subtype == "permission_denied":
            self._denied.add(_word(entry.get("tool_use_id")) or str(len(self._denied)))
        elif kind == "assistant":
            self._assistant(entry.get("message"))
        elif kind == "stream_event":
            self.streamed.event(entry)
        elif kind == "result":
            self.result = entry

    def _retry(self, entry: Dict[str, Any], seconds: float) -> None:
        if self._waits_since is None:
            self._waits_since = self._last_line_at  # the request that failed was for nothing, too
        delay = entry.get("retry_delay_ms")
        # A wait beyond a month, or none that is a number, is nobody's word to believe.
        known = isinstance(delay, (int, float)) and 0 <= delay < _LONGEST_WAIT_MS
        wait = float(delay) / 1000.0 if known else 0.0  # type: ignore[arg-type]  # a number, says the line above
        self._waits_until = max(self._waits_until, seconds + wait)
        self._awaits = True
        self.last_retry = entry

    def _assistant(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("model") == _SYNTHETIC:
            return
        self._answers.add(_word(message.get("id")))
        content: List[Any] = message.get("content") or []
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == "tool_use":
                call = _word(block.get("id"))
                if call not in self._calls:
                    self._calls.add(call)
                    name = _word(block.get("name"))
                    self.tools[name] = self.tools.get(name, 0) + 1


def _word(value: Any) -> str:
    """Text, or nothing: writing out a list as deep as one may be is more than Python can."""
    return value if isinstance(value, str) else ""


def _awaits_answer(entry: Dict[str, Any], *, before: bool) -> bool:
    """Whether a request is with the API after this line."""
    kind = entry.get("type")
    if kind == "stream_event":
        event = entry.get("event")
        return not (isinstance(event, dict) and event.get("type") == "message_stop")
    if kind == "system":
        return entry.get("status") == "requesting" or before
    return False


def without_partials(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The stream without the pieces of answers, which the whole answers repeat."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield b"".join(line + b"\n" for line in lines if not line.startswith(_PARTIAL))
    if not rest.startswith(_PARTIAL):
        yield rest
