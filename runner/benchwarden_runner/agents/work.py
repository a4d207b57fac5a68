"""The agent container from start to message: prepare the tree, run the agent, hand over its patch.

A patch is handed over whatever the agent's end, since only the grader says what it is worth. The message
is untrusted by its reader: the agent has run as the same user.
"""

import errno
import os
import shutil
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Optional

from benchwarden_runner import inputs, ipc, network, protocol, safe_files
from benchwarden_runner.agents.claude import run_claude
from benchwarden_runner.agents.claude_command import CREDENTIALS, ClaudeError
from benchwarden_runner.agents.external import run_external
from benchwarden_runner.agents.job import AgentEnd, AgentJob
from benchwarden_runner.processes import ProcessTree, become_undumpable
from benchwarden_runner.protocol import Telemetry
from benchwarden_runner.redaction import Redactor, declared
from benchwarden_runner.specs import AgentSpec, SpecError
from benchwarden_runner.supervision import (
    MEMORY,
    OUTPUT,
    TERMINATED,
    TIMEOUT,
    Termination,
    disk_is_full,
)
from benchwarden_runner.workspace import git_history
from benchwarden_runner.workspace.git import GitError
from benchwarden_runner.workspace.patch import PatchTooLargeError, Snapshot

_AGENTS = {protocol.AGENT_CLAUDE_CODE: run_claude, protocol.AGENT_EXEC: run_external}
_FULL = (errno.ENOSPC, errno.EDQUOT)


def run_agent(input_folder: Path, work: Path, tools: str, redactor: Redactor) -> Telemetry:
    """Do what the input says; never raises: what goes wrong is the `harness` class, with its reason."""
    begun = time.monotonic()
    try:
        telemetry = _run(input_folder, work, tools, redactor)
    except (inputs.InputError, SpecError, GitError, ClaudeError) as error:
        telemetry = Telemetry(protocol.HARNESS, reason=str(error))
    except OSError as error:
        full = error.errno in _FULL
        telemetry = Telemetry(protocol.AGENT_DISK if full else protocol.HARNESS, reason=str(error))
    except Exception as error:  # a bug of ours must not look like the agent's failure
        print(redactor.text(traceback.format_exc()), flush=True)
        telemetry = Telemetry(protocol.HARNESS, reason=f"{type(error).__name__}: {error}")
    return replace(telemetry, seconds=telemetry.seconds or time.monotonic() - begun)


def _run(input_folder: Path, work: Path, tools: str, redactor: Redactor) -> Telemetry:
    files = inputs.read_archive(input_folder, "agent.tgz")
    spec = AgentSpec.from_json(inputs.require(files, protocol.FILE_AGENT_SPEC).decode())
    if not spec.local:
        ipc.clear()
        become_undumpable()  # what traces its supervisor can stop it, and the deadline with it
    isolation = network.isolation(spec.must_fail_address)
    if spec.kind == protocol.AGENT_NOP:
        safe_files.replace_file(work / protocol.FILE_PATCH, [])
        return Telemetry(protocol.COMPLETED, network=isolation)
    if spec.kind == protocol.AGENT_ORACLE:
        # Byte for byte: an image's .gitignore must not decide what the reference solution holds.
        gold = inputs.require(
            inputs.read_archive(input_folder, "gold.tgz"), protocol.FILE_GOLD_PATCH
        )
        safe_files.replace_file(work / protocol.FILE_PATCH, [gold])
        return Telemetry(protocol.COMPLETED, network=isolation)
    if spec.kind not in _AGENTS:
        raise SpecError(f"agent.kind: {spec.kind} is not known to this runner")
    prompt = inputs.require(files, protocol.FILE_PROMPT)
    private = _private_folder(work, local=spec.local)
    try:
        return _with_agent(spec, prompt, work, private, tools, redactor, isolation)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _private_folder(work: Path, *, local: bool) -> str:
    """A folder for the snapshot and the agent's home: not in /tmp, which agents like to empty."""
    beside = str(work.parent)
    if local or not os.access(beside, os.W_OK):
        beside = str(work)
    return tempfile.mkdtemp(prefix=".supervisor-", dir=beside)


def _with_agent(
    spec: AgentSpec,
    prompt: bytes,
    work: Path,
    private: str,
    tools: str,
    redactor: Redactor,
    isolation: str,
) -> Telemetry:
    if spec.cut_history:
        git_history.cut(spec.workdir, spec.base_commit, local=spec.local)
    else:
        git_history.check_out(spec.workdir, spec.base_commit)
    snapshot = Snapshot(
        spec.workdir, os.path.join(private, "snapshot"), include_ignored=spec.include_ignored
    )
    tree = ProcessTree(local=spec.local)
    job = AgentJob(
        spec, prompt, work, private, tools, tree, Termination(local=spec.local), redactor
    )
    end = _AGENTS[spec.kind](job)
    telemetry = _telemetry(spec, end, work, isolation)
    try:
        safe_files.replace_file(work / protocol.FILE_PATCH, [_without_keys(snapshot.patch())])
    except (OSError, GitError) as error:
        return _without_patch(telemetry, error)
    return telemetry


def _without_keys(patch: bytes) -> bytes:
    """The patch without the run's secrets, which an agent may have written into a file.

    The grader holds no key and could not keep it out of its log. Other secret-looking variables stay:
    images set some (GPG_KEY) to what is public, and their files may name the same value.
    """
    secret = {protocol.ENV_SECRET_NAMES, *CREDENTIALS, *declared(os.environ)}
    keys = {name: value for name, value in os.environ.items() if name in secret}
    return Redactor(keys).data(patch)


def _telemetry(spec: AgentSpec, end: AgentEnd, work: Path, isolation: str) -> Telemetry:
    outcome, reason = end.outcome, end.reason
    cause = end.ending.cause
    if cause == TIMEOUT:
        outcome = end.late or protocol.AGENT_TIMEOUT
        reason = "" if not end.late else "waited for the API longer than the throttle allowance"
    elif cause == MEMORY:
        outcome, reason = protocol.AGENT_OOM, "memory limit reached"
    elif cause == OUTPUT:
        outcome, reason = protocol.AGENT_ERROR, "the agent printed more than can be kept"
    elif cause == TERMINATED:
        outcome, reason = protocol.HARNESS, "the pod was told to stop"
    elif outcome == protocol.AGENT_ERROR and disk_is_full(spec.workdir, str(work)):
        outcome, reason = protocol.AGENT_DISK, f"no space left; {reason}"
    elif outcome == protocol.AGENT_ERROR and end.refused_processes:
        outcome, reason = protocol.AGENT_PIDS, f"process limit reached; {reason}"
    if not end.ending.clean:
        reason = f"some processes could not be ended; {reason}"
    return Telemetry(
        outcome, seconds=end.ending.seconds, network=isolation, reason=reason, **end.facts
    )


def _without_patch(telemetry: Telemetry, error: Exception) -> Telemetry:
    """The patch could not be captured: that decides the class, unless a stronger one is known."""
    number: Optional[int] = getattr(error, "errno", None)
    if telemetry.outcome not in (protocol.COMPLETED, protocol.AGENT_ERROR):
        return telemetry
    if isinstance(error, PatchTooLargeError):
        return replace(telemetry, outcome=protocol.AGENT_ERROR, reason=str(error))
    outcome = protocol.AGENT_DISK if number in _FULL else protocol.HARNESS
    return replace(telemetry, outcome=outcome, reason=f"{protocol.REASON_NOT_CAPTURED}: {error}")
