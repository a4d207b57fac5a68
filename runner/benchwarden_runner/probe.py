"""Asks the agent's API one tiny thing before the fan-out: key, model and CLI version in seconds, at one request."""

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from benchwarden_runner import inputs, protocol
from benchwarden_runner.agents import claude_command
from benchwarden_runner.agents.claude import run_claude
from benchwarden_runner.agents.job import AgentJob
from benchwarden_runner.processes import ProcessTree
from benchwarden_runner.protocol import ProbeReport
from benchwarden_runner.redaction import Redactor
from benchwarden_runner.specs import AgentSpec, SpecError
from benchwarden_runner.supervision import TERMINATED, TIMEOUT, Termination

PROMPT = b"Reply with the single word OK."
_SECONDS = 120.0
_NO_FAILURE = (protocol.COMPLETED, protocol.AGENT_TURN_LIMIT, protocol.AGENT_BUDGET)


def run_probe(input_folder: Path, tools: str, redactor: Redactor) -> ProbeReport:
    """What one request with the run's own settings says; never raises."""
    try:
        files = inputs.read_archive(input_folder, "agent.tgz")
        spec = AgentSpec.from_json(inputs.require(files, protocol.FILE_AGENT_SPEC).decode())
        if spec.kind != protocol.AGENT_CLAUDE_CODE:
            return ProbeReport(protocol.COMPLETED)
        return _ask(spec, tools, redactor)
    except (inputs.InputError, SpecError, claude_command.ClaudeError, OSError) as error:
        return ProbeReport(protocol.HARNESS, reason=str(error))


def _ask(spec: AgentSpec, tools: str, redactor: Redactor) -> ProbeReport:
    claude = claude_command.find_claude(tools, spec.claude.version)
    report = ProbeReport(
        protocol.COMPLETED,
        cli_version=claude.version,
        cli_sha256=_sha256(claude.path),
        model=spec.claude.model,
    )
    with tempfile.TemporaryDirectory(prefix="benchwarden-probe-") as scratch:
        folders = {name: os.path.join(scratch, name) for name in ("repo", "work", "private")}
        for folder in folders.values():
            os.mkdir(folder)
        once = replace(
            spec,
            workdir=folders["repo"],
            timeout_seconds=_SECONDS,
            throttle_allowance_seconds=0.0,
            local=True,  # the runner image's home holds nothing worth linking
            claude=replace(spec.claude, max_turns=1, max_retries=0),
        )
        job = AgentJob(
            once,
            PROMPT,
            Path(folders["work"]),
            folders["private"],
            tools,
            ProcessTree(local=spec.local),
            Termination(local=spec.local),
            redactor,
        )
        end = run_claude(job)
    outcome, reason = end.outcome, end.reason
    if end.ending.cause == TIMEOUT:
        outcome, reason = protocol.API_CONNECTION, f"no answer within {_SECONDS:.0f} s"
    elif end.ending.cause == TERMINATED:
        outcome, reason = protocol.HARNESS, "the pod was told to stop"
    elif outcome in _NO_FAILURE:
        outcome, reason = protocol.COMPLETED, ""
    return replace(report, outcome=outcome, reason=reason, cost_usd=end.facts["cost_usd"])


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        for chunk in iter(lambda: source.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
