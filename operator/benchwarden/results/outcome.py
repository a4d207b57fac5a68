"""What one launch of a trial came to: the agent's word, the grader's word and the cluster's facts, combined.

Three rules decide everything. `resolved` comes only from the grader. How the agent ended is decided before
anyone looks at the tests: a timeout is a failure even if its patch would pass. What the agent's container says
of the API is one container's word: it earns a retry, not an exemption.
"""

from dataclasses import dataclass

from benchwarden_runner import protocol

VERDICT = "verdict"
CHARGE = "charge"
FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome class and what it does: `verdict` is final, `charge` uses an attempt, `fatal` ends the run."""

    effect: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What earlier launches of the same trial were charged with."""

    limit_charges: int = 0  # agent_oom, agent_disk, agent_pids
    ungraded_charges: int = 0  # the patch was on trial, and the grader did not judge it
    uncaptured_charges: int = 0  # the agent ran, and its patch could not be taken


def of_limit(outcome: str, history: History, reason: str = "") -> Outcome:
    """Outcome of a run into the pod's own pinned limit: one solo retry, then a failure."""
    effect = VERDICT if history.limit_charges else CHARGE
    return Outcome(effect, outcome, reason)


def of_silent_grader(history: History) -> Outcome:
    """Outcome of a grader that ended without a verdict: retried once, then held against the patch.

    Code under test that can kill its grader must not be able to turn a failure into a missing result.
    """
    if history.ungraded_charges:
        return Outcome(VERDICT, protocol.UNRESOLVED, protocol.REASON_TAMPERED)
    return Outcome(CHARGE, protocol.GRADER_ERROR, protocol.REASON_TAMPERED)


def is_ungraded(outcome: str, reason: str, patch_bytes: int) -> bool:
    """Whether a grader failed in a way that the patch it was given can be the cause of.

    A patch that never lets its tests end, deletes what runs them, or prints what their parser cannot read, is
    not distinguishable from a grader in trouble by itself: both are tried again, and then `judging` asks whether
    other instances' graders were in trouble too.
    """
    if outcome != protocol.GRADER_ERROR:
        return False
    timed_out = bool(patch_bytes) and reason == protocol.REASON_GRADE_TIMEOUT
    return timed_out or reason.startswith((protocol.REASON_TAMPERED, protocol.REASON_SPOILED))


def if_alone(outcome: str, reason: str, patch_bytes: int) -> str:
    """What such a charge is worth when no other instance saw the like; empty if no agent can bring it about.

    The API's refusals, of a key too, and a command that is not there rest on what the agent's own container says.
    """
    if outcome in protocol.API_CLASSES or outcome in protocol.FATAL_CLASSES:
        return protocol.AGENT_ERROR
    if outcome == protocol.HARNESS and reason.startswith(protocol.REASON_COMMAND_MISSING):
        return protocol.AGENT_ERROR
    return protocol.UNRESOLVED if is_ungraded(outcome, reason, patch_bytes) else ""


def of_uncaptured(history: History, reason: str) -> Outcome:
    """Outcome of an agent that left no patch to be taken: retried once, then its own failure."""
    if history.uncaptured_charges:
        return Outcome(VERDICT, protocol.AGENT_ERROR, reason)
    return Outcome(CHARGE, protocol.HARNESS, reason)


def is_uncaptured(outcome: str, reason: str) -> bool:
    """Whether an agent left its tree so that no patch could be taken of it."""
    return outcome == protocol.HARNESS and reason.startswith(protocol.REASON_NOT_CAPTURED)


def of_agent(agent: protocol.Telemetry, history: History) -> Outcome | None:
    """Outcome that the agent's end decides by itself; None when the grader must say."""
    end = agent.outcome
    if end in protocol.FATAL_CLASSES:
        return Outcome(FATAL, end, agent.reason)
    if end in protocol.LIMIT_CLASSES:
        return of_limit(end, history, agent.reason)
    if is_uncaptured(end, agent.reason):
        return of_uncaptured(history, agent.reason)
    if end in protocol.API_CLASSES or end == protocol.HARNESS:
        return Outcome(CHARGE, end, agent.reason)
    if end in protocol.FAIL_CLASSES and end != protocol.EMPTY_PATCH:
        return Outcome(VERDICT, end, agent.reason)
    return None


def of_grader(verdict: protocol.Verdict, history: History) -> Outcome:
    """Outcome in the grader's word; only it can say `resolved`."""
    if verdict.outcome in protocol.LIMIT_CLASSES:
        return of_limit(verdict.outcome, history, verdict.reason)
    if verdict.outcome in (
        protocol.RESOLVED,
        protocol.UNRESOLVED,
        protocol.EMPTY_PATCH,
        protocol.PATCH_DOES_NOT_APPLY,
    ):
        return Outcome(VERDICT, verdict.outcome, verdict.reason)
    if verdict.outcome == protocol.HARNESS:
        return Outcome(CHARGE, protocol.HARNESS, verdict.reason)
    return Outcome(CHARGE, protocol.GRADER_ERROR, verdict.reason)


def combine(
    agent: protocol.Telemetry | None, verdict: protocol.Verdict | None, history: History
) -> Outcome:
    """Outcome of a launch whose two containers ended; lost telemetry leaves the grader's word."""
    if agent is not None:
        decided = of_agent(agent, history)
        if decided is not None:
            return decided
    if verdict is None:
        return of_silent_grader(history)
    return of_grader(verdict, history)
