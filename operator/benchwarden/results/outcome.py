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


def of_ungraded(history: History, reason: str = "") -> Outcome:
    """Outcome of a grader that did not judge its patch: retried once, then held against the patch.

    Code under test that can stop its grader must not be able to turn a failure into a missing result.
    """
    reason = reason or protocol.REASON_TAMPERED
    if history.ungraded_charges:
        return Outcome(VERDICT, protocol.UNRESOLVED, reason)
    return Outcome(CHARGE, protocol.GRADER_ERROR, reason)


def is_ungraded(outcome: str, reason: str, patch_bytes: int) -> bool:
    """Whether a grader failed in a way that the patch it was given can be the cause of.

    A patch that never lets its tests end, deletes what runs them, or prints what their parser cannot read, is
    not distinguishable from a grader in trouble: both are tried again, and then it is the patch's.
    """
    if outcome != protocol.GRADER_ERROR:
        return False
    timed_out = bool(patch_bytes) and reason == protocol.REASON_GRADE_TIMEOUT
    return timed_out or reason.startswith((protocol.REASON_TAMPERED, protocol.REASON_SPOILED))


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


def of_grader(
    verdict: protocol.Verdict, history: History, *, suites_own_patch: bool = False
) -> Outcome:
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
    ungraded = is_ungraded(protocol.GRADER_ERROR, verdict.reason, verdict.patch_bytes)
    if ungraded and not suites_own_patch:
        return of_ungraded(history, verdict.reason)
    return Outcome(CHARGE, protocol.GRADER_ERROR, verdict.reason)


def combine(
    agent: protocol.Telemetry | None,
    verdict: protocol.Verdict | None,
    history: History,
    *,
    suites_own_patch: bool = False,
) -> Outcome:
    """Outcome of a launch whose two containers ended; lost telemetry leaves the grader's word.

    Args:
        agent: its telemetry, None if lost.
        verdict: the grader's message, None if there is none.
        history: earlier charges of the trial.
        suites_own_patch: the patch is the reference solution or none at all, so that only the suite or the
            cluster can be at fault where its tests do not end.
    """
    if agent is not None:
        decided = of_agent(agent, history)
        if decided is not None:
            return decided
    if verdict is None:
        return of_ungraded(history)
    return of_grader(verdict, history, suites_own_patch=suites_own_patch)
