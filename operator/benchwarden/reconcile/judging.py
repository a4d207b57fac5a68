"""Judging closes trials that ended in a way the agent may have brought about: infrastructure only if others saw it too.

Only the agent's container says that the API refused it or its key, or that a command is missing; and a patch can keep
its grader from judging it. An agent could do any of it to escape a failure, so one instance alone is not believed: two
others must have met the same class within ten minutes. A slow node or a broken parser of the whole suite is seen by
others; an endless loop is not.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.work import (
    CORROBORATION_WINDOW,
    RetryPolicy,
    corroborated,
    moment,
    survey,
)
from benchwarden.reconcile.world import BatchView
from benchwarden.results import row as rows_of
from benchwarden.results.outcome import if_alone
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden_runner import protocol


def judge(
    plan: Plan,
    tally: Tally,
    views: Iterable[BatchView],
    spec: BenchmarkRunSpec,
    now: datetime,
) -> list[Row]:
    """Verdict rows for exhausted trials whose trouble with the API or the grader nobody else shared."""
    policy = RetryPolicy.of(spec)
    if not tally.doubted:
        return []
    alive = frozenset(
        member.key
        for view in views
        if not view.over
        for member in view.batch.members
        if not tally.knows(member)
    )
    work = survey(plan, tally, alive, policy, now)
    idle = not (work.ready or work.alive or work.waiting)
    rows: list[Row] = []
    for key in work.missing:
        last = tally.state(key).charges[-1]
        outcome = if_alone(last.outcome, last.reason, last.patch_bytes)
        if not outcome or (work.fatal is not None and last.outcome in protocol.FATAL_CLASSES):
            continue
        if policy.suites_own_patch and outcome == protocol.UNRESOLVED:
            continue  # no agent made that patch
        late = now - moment(last.finished_at) > CORROBORATION_WINDOW
        if (idle or late) and not corroborated(last, tally.doubted):
            rows.append(_held_against(last, outcome))
    return rows


def _held_against(charge: Row, outcome: str) -> Row:
    """The verdict on a trial by its last charge, which has already been paid for."""
    told = charge.reason if outcome == protocol.UNRESOLVED else charge.outcome
    return replace(
        charge,
        kind=rows_of.KIND_VERDICT,
        outcome=outcome,
        reason=f"{told} seen by this instance alone",
        cost_usd="0",
        input_tokens=0,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
    )
