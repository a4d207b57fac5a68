"""Bring your own agent: any command, told by environment variables where its prompt and work tree are."""

import json
import os
import tempfile
from typing import Any, Dict, List, Mapping, Tuple

from benchwarden_runner import protocol, safe_files
from benchwarden_runner.agents import claude_usage
from benchwarden_runner.agents.home import git_trust, image_home, make_home
from benchwarden_runner.agents.job import AgentEnd, AgentJob
from benchwarden_runner.supervision import (
    Command,
    MemoryWatch,
    Watch,
    deadline,
    output_size,
    supervise,
)

ENV_PROMPT_FILE = "BENCHWARDEN_PROMPT_FILE"
ENV_WORKDIR = "BENCHWARDEN_WORKDIR"
ENV_USAGE_FILE = "BENCHWARDEN_USAGE_FILE"  # optional: the agent may write its usage there
_USAGE_BYTES = 64 * 1024
_COMMAND_MISSING = (126, 127)  # in the words of a shell


def run_external(job: AgentJob) -> AgentEnd:
    """Run `spec.command` with the prompt on its standard input and in a file.

    The agent may leave a JSON object with `turns`, `inputTokens`, `outputTokens`, `cacheReadTokens`,
    `cacheWriteTokens` and `costUsd` (a number) in the file that BENCHWARDEN_USAGE_FILE names.
    """
    spec = job.spec
    home = make_home(job.private, "" if spec.local else image_home(os.environ))
    prompt_file = os.path.join(home.temporary, protocol.FILE_PROMPT)
    with open(prompt_file, "wb") as out:
        out.write(job.prompt)
    usage_file = os.path.join(home.temporary, "usage.json")
    environment = {**git_trust(spec.workdir), **os.environ, **spec.env}
    environment.update(HOME=home.home, TMPDIR=home.temporary)
    environment[ENV_PROMPT_FILE] = prompt_file
    environment[ENV_WORKDIR] = spec.workdir
    environment[ENV_USAGE_FILE] = usage_file
    memory = MemoryWatch(job.tree, spec.memory_limit_bytes, local=spec.local)
    with tempfile.TemporaryFile(dir=job.private) as output, open(prompt_file, "rb") as prompt:
        number = output.fileno()
        command = Command(spec.command, spec.workdir, environment, number, number, prompt.fileno())
        watches: List[Watch] = [
            job.termination.watch,
            memory,
            deadline(spec.timeout_seconds),
            output_size(number),
        ]
        ending = supervise(job.tree, command, watches, gentle=True)
        job.keep_output(number, protocol.FILE_STREAM)
        tail = job.tail(number)
    outcome, reason = _judge(ending.returncode, tail)
    return AgentEnd(
        ending=ending,
        outcome=outcome,
        reason=reason,
        refused_processes=memory.processes_refused(),
        facts=_usage(usage_file),
    )


def _judge(returncode: int, tail: str) -> Tuple[str, str]:
    """Class and reason of a command that ended by itself."""
    if returncode == 0:
        return protocol.COMPLETED, ""
    said = f"the agent's command ended with {returncode}: {tail}"
    if returncode in _COMMAND_MISSING:
        return protocol.HARNESS, f"{protocol.REASON_COMMAND_MISSING}: {said}"
    return protocol.AGENT_ERROR, said


def _usage(path: str) -> Dict[str, Any]:
    """Telemetry fields from the agent's own word; nothing if it left none that can be read."""
    try:
        said = json.loads(safe_files.read_regular(path, _USAGE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(said, Mapping):
        return {}
    names = {
        "turns": "turns",
        "inputTokens": "input_tokens",
        "outputTokens": "output_tokens",
        "cacheReadTokens": "cache_read_tokens",
        "cacheWriteTokens": "cache_write_tokens",
    }
    found: Dict[str, Any] = {
        field: said[name] for name, field in names.items() if type(said.get(name)) is int
    }
    return {**found, "cost_usd": claude_usage.money(said.get("costUsd"))}
