"""A script says what the model answers: one turn per assistant message so far, and which requests go wrong.

    {"conversations": [{"match": "fix the parser", "turns": [TURN, ...]}, ...],
     "turns": [TURN, ...],                      # for prompts that no conversation matches
     "faults": [FAULT, ...],
     "keys": ["sk-good"],                       # other keys get 401; absent: any key will do
     "models": ["claude-x"]}                    # other models get 404; absent: any model will do
    TURN  = {"text": "...", "tools": [{"name": "Bash", "input": {...}}], "usage": {...}, "stop_reason": "..."}
    FAULT = {"kind": KIND, "at": 0, "times": 1, ...}   # `at` counts a session's requests; times 0 = for ever
             with "match" only prompts that hold this text; with "sessions" only the first so many of those
    KIND  = status (status, type, message, headers) | truncated | garbage | error_event | stall (seconds)
          | reset_stream | hang (seconds) | reset; all but status, hang and reset spoil streams only.

A turn is chosen by the number of assistant messages in the request, so the server keeps no conversation:
retries get the same answer, and any number of agents can share it. Past the last turn it says "Done."
"""

import json
from dataclasses import dataclass, field
from typing import Any

DONE = {"text": "Done."}
USAGE = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 300,
    "output_tokens": 50,
}


@dataclass(frozen=True)
class Fault:
    """One way a request goes wrong, and which requests of a session it hits."""

    kind: str
    at: int = 0
    times: int = 1
    status: int = 500
    type: str = "api_error"
    message: str = "scripted fault"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 3600.0
    match: str = ""
    sessions: int = 0

    def hits(self, index: int, asked: str = "", session: int = 0) -> bool:
        """Whether a request is hit.

        Args:
            index: its number (from 0) within its session.
            asked: the session's prompt.
            session: the number (from 0) of its session among those whose prompt matches.
        """
        if self.match not in asked or (self.sessions and session >= self.sessions):
            return False
        return index >= self.at and (self.times == 0 or index < self.at + self.times)


@dataclass(frozen=True)
class Script:
    """A parsed script; see the module's docstring for the JSON."""

    turns: tuple[dict[str, Any], ...] = ()
    conversations: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = ()
    faults: tuple[Fault, ...] = ()
    keys: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Script":
        """The script in a JSON document."""
        conversations = document.get("conversations", [])
        keys, models = document.get("keys"), document.get("models")
        return cls(
            turns=tuple(document.get("turns", [])),
            conversations=tuple((item["match"], tuple(item["turns"])) for item in conversations),
            faults=tuple(Fault(**item) for item in document.get("faults", [])),
            keys=None if keys is None else tuple(keys),
            models=None if models is None else tuple(models),
        )

    def turn(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the model says to this request."""
        messages = request.get("messages", [])
        asked = prompt_of(request)
        turns = next((t for match, t in self.conversations if match in asked), self.turns)
        position = sum(1 for message in messages if message.get("role") == "assistant")
        return turns[position] if position < len(turns) else DONE


def prompt_of(request: dict[str, Any]) -> str:
    """The first message of the user, as JSON."""
    messages = request.get("messages", [])
    return json.dumps([m for m in messages if m.get("role") == "user"][:1], ensure_ascii=False)


def bash(command: str) -> dict[str, Any]:
    """A turn that runs one shell command."""
    return {"tools": [{"name": "Bash", "input": {"command": command, "description": "run"}}]}


def read(path: str) -> dict[str, Any]:
    """A turn that reads a file, as the CLI demands before an edit."""
    return {"tools": [{"name": "Read", "input": {"file_path": path}}]}


def edit(path: str, old: str, new: str) -> dict[str, Any]:
    """A turn that replaces one piece of text in a file."""
    arguments = {"file_path": path, "old_string": old, "new_string": new}
    return {"tools": [{"name": "Edit", "input": arguments}]}


def write(path: str, content: str) -> dict[str, Any]:
    """A turn that writes a file."""
    return {"tools": [{"name": "Write", "input": {"file_path": path, "content": content}}]}
