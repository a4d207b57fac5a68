"""Runs Claude Code once: started as `claude_command` says, watched by its stream, judged by its result."""

import glob
import os
import tempfile
import time
import uuid
from typing import Any, Dict, List, Mapping

from benchwarden_runner import protocol
from benchwarden_runner.agents import claude_command, claude_outcome, claude_usage
from benchwarden_runner.agents.claude_outcome import Judgement
from benchwarden_runner.agents.claude_stream import ClaudeStream, without_partials
from benchwarden_runner.agents.home import Home, git_trust, image_home, make_home
from benchwarden_runner.agents.job import AgentEnd, AgentJob
from benchwarden_runner.supervision import (
    TIMEOUT,
    Command,
    MemoryWatch,
    Watch,
    output_size,
    supervise,
)

_READ_BYTES = 4 << 20


class StreamWatch:
    """Follows the stream and ends the agent when its own time is used up.

    Time lost to the API does not count, up to the allowance.
    """

    def __init__(
        self,
        descriptor: int,
        stall_seconds: float,
        timeout_seconds: float,
        allowance_seconds: float,
    ) -> None:
        self.stream = ClaudeStream(stall_seconds)
        self.seconds = 0.0
        self._descriptor = descriptor
        self._position = 0
        self._timeout_seconds = timeout_seconds
        self._allowance_seconds = allowance_seconds

    def __call__(self, seconds: float) -> str:
        """The watch."""
        self.seconds = seconds
        self.read()
        spared = min(self.throttle_seconds, self._allowance_seconds)
        return TIMEOUT if seconds - spared >= self._timeout_seconds else ""

    def read(self) -> None:
        """Take in what has been written since the last time."""
        while True:
            data = os.pread(self._descriptor, _READ_BYTES, self._position)
            if not data:
                return
            self._position += len(data)
            self.stream.feed(data, self.seconds)

    @property
    def throttle_seconds(self) -> float:
        """Time lost to the API."""
        return self.stream.throttle_seconds(self.seconds)

    @property
    def allowance_spent(self) -> bool:
        """Whether more was lost than was allowed for."""
        return self.throttle_seconds > self._allowance_seconds


def run_claude(job: AgentJob) -> AgentEnd:
    """Run the CLI in the work tree to its end.

    Raises:
        ClaudeError: it cannot be started as asked.
    """
    spec = job.spec
    claude = claude_command.find_claude(job.tools, spec.claude.version)
    claude_command.check_shell(spec.claude)
    home = make_home(
        job.private, "" if spec.local else image_home(os.environ), spec.claude.user_config
    )
    session = str(uuid.uuid4())
    words = claude_command.command_line(claude, spec.claude, session, home.config)
    inherited = {**git_trust(spec.workdir), **os.environ}
    environment = claude_command.environment(inherited, spec.claude, spec.env, home)
    with (
        tempfile.TemporaryFile(dir=job.private) as output,
        tempfile.TemporaryFile(dir=job.private) as errors,
        tempfile.TemporaryFile(dir=job.private) as prompt,
    ):
        prompt.write(claude_command.as_prompt(job.prompt))
        prompt.seek(0)
        command = Command(
            words,
            spec.workdir,
            environment,
            stdout=output.fileno(),
            stderr=errors.fileno(),
            stdin=prompt.fileno(),
        )
        return _watch_to_the_end(job, command, home, session, claude.version)


def _watch_to_the_end(
    job: AgentJob, command: Command, home: Home, session: str, version: str
) -> AgentEnd:
    spec = job.spec
    stall = claude_command.stall_seconds(command.environment)
    follow = StreamWatch(
        command.stdout, stall, spec.timeout_seconds, spec.throttle_allowance_seconds
    )
    memory = MemoryWatch(job.tree, spec.memory_limit_bytes, local=spec.local)
    watches: List[Watch] = [
        job.termination.watch,
        memory,
        follow,
        output_size(command.stdout, command.stderr),
    ]
    begun = time.monotonic()
    ending = supervise(job.tree, command, watches, gentle=True)
    follow.seconds = time.monotonic() - begun
    follow.read()
    job.keep_output(command.stdout, protocol.FILE_STREAM, without_partials)
    transcript = _keep_transcript(job, home, session)
    stream = follow.stream
    judged = _judge(ending.returncode, stream, job.tail(command.stderr))
    late = claude_outcome.of_retry(stream.last_retry) if follow.allowance_spent else Judgement("")
    usage = (
        claude_usage.from_result(stream.result)
        if stream.result is not None
        else claude_usage.at_least(claude_usage.from_transcript(transcript), stream.streamed.usage)
    )
    status = late.api_status if ending.cause == TIMEOUT else judged.api_status
    return AgentEnd(
        ending=ending,
        outcome=judged.outcome,
        reason=judged.reason,
        late=late.outcome,
        refused_processes=memory.processes_refused(),
        facts={
            **vars(usage),
            **_facts(stream, follow),
            "api_status": status,
            "cli_version": version,
        },
    )


def _judge(returncode: int, stream: ClaudeStream, stderr: str) -> Judgement:
    judged = claude_outcome.judge(returncode, stream.result, stderr)
    if judged.outcome == protocol.COMPLETED and not stream.turns:
        return Judgement(protocol.HARNESS, "Claude Code ended without asking the model")
    return judged


def _facts(stream: ClaudeStream, follow: StreamWatch) -> Mapping[str, Any]:
    facts: Dict[str, Any] = {
        "turns": stream.turns,
        "denials": stream.denials,
        "tools": stream.tools,
        "throttle_seconds": follow.throttle_seconds,
    }
    return facts


def _keep_transcript(job: AgentJob, home: Home, session: str) -> List[bytes]:
    """Store the session's transcript, if there is one; returns its lines."""
    pattern = os.path.join(glob.escape(home.config), "projects", "*", f"{session}.jsonl")
    for path in glob.glob(pattern):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        with os.fdopen(descriptor, "rb") as source:
            job.keep_output(source.fileno(), protocol.FILE_TRANSCRIPT)
            return source.read(256 << 20).splitlines()
    return []
