"""What every agent is given and gives back."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator

from benchwarden_runner import safe_files
from benchwarden_runner.processes import ProcessTree
from benchwarden_runner.redaction import Redactor
from benchwarden_runner.specs import AgentSpec
from benchwarden_runner.supervision import Ending, Termination

_CHUNK_BYTES = 1 << 20
_TAIL_BYTES = 2000

Sieve = Callable[[Iterable[bytes]], Iterator[bytes]]


@dataclass(frozen=True)
class AgentJob:
    """One agent's work.

    Attributes:
        work: the folder that the grader will see.
        private: a folder of this supervisor's own.
    """

    spec: AgentSpec
    prompt: bytes
    work: Path
    private: str
    tools: str
    tree: ProcessTree
    termination: Termination
    redactor: Redactor

    def keep_output(self, descriptor: int, name: str, sieve: Sieve = iter) -> None:
        """Store what `descriptor` holds as file `name` of the work folder, sieved and without secrets."""
        kept = self.redactor.chunks(sieve(read_chunks(descriptor)))
        safe_files.replace_file(self.work / name, kept)

    def tail(self, descriptor: int) -> str:
        """The end of what `descriptor` holds, without secrets."""
        start = max(0, os.fstat(descriptor).st_size - _TAIL_BYTES)
        text = os.pread(descriptor, _TAIL_BYTES, start).decode("utf-8", "replace")
        return self.redactor.text(text).strip()[-300:]


@dataclass(frozen=True)
class AgentEnd:
    """How an agent ended.

    Attributes:
        outcome, reason: what its end means if it was not ended by us.
        late: what running into the deadline means; empty = agent_timeout.
        facts: further telemetry fields.
    """

    ending: Ending
    outcome: str
    reason: str = ""
    late: str = ""
    refused_processes: bool = False
    facts: Dict[str, Any] = field(default_factory=dict)


def read_chunks(descriptor: int) -> Iterator[bytes]:
    """All that a file holds, whatever its position."""
    position = 0
    while True:
        chunk = os.pread(descriptor, _CHUNK_BYTES, position)
        if not chunk:
            return
        position += len(chunk)
        yield chunk
