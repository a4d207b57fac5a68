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
    silent_grader_charges: int = 0  # the tests began and no verdict came


def of_limit(outcome: str, history: History, reason: str = "") -> Outcome:
    """Outcome of a run into the pod's own pinned limit: one solo retry, then a failure."""
    effect = VERDICT if history.limit_charges else CHARGE
    return Outcome(effect, outcome, reason)


def of_silent_grader(history: History, reason: str = "") -> Outcome:
    """Outcome of a grader that ended without a verdict: retried once, then held against the patch.

    Code under test that can kill its grader must not be able to turn a failure into a missing result.
    """
    if history.silent_grader_charges:
        return Outcome(VERDICT, protocol.UNRESOLVED, protocol.REASON_TAMPERED)
    return Outcome(CHARGE, protocol.GRADER_ERROR, reason or protocol.REASON_TAMPERED)


def of_agent(agent: protocol.Telemetry, history: History) -> Outcome | None:
    """Outcome that the agent's end decides by itself; None when the grader must say."""
    end = agent.outcome
    if end in protocol.FATAL_CLASSES:
        return Outcome(FATAL, end, agent.reason)
    if end in protocol.LIMIT_CLASSES:
        return of_limit(end, history, agent.reason)
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
