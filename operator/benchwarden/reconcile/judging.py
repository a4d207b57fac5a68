"""Judging closes trials whose last word was the API's: infrastructure if others saw it too, else the agent's error.

Only the agent's container says that the API refused it. An agent could say so to escape a failure, so one
instance alone is not believed: two others must report the same class within ten minutes.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.work import (
    API_WINDOW,
    RetryPolicy,
    corroborated,
    moment,
    survey,
)
from benchwarden.reconcile.world import BatchView
from benchwarden.results import row as rows_of
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
    """Verdict rows `agent_error` for exhausted trials whose API trouble nobody else shared."""
    if not tally.recent_api:
        return []
    policy = RetryPolicy.of(spec)
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
        if last.outcome not in protocol.API_CLASSES:
            continue
        late = now - moment(last.finished_at) > API_WINDOW
        if (idle or late) and not corroborated(last, tally.recent_api):
            rows.append(
                replace(
                    last,
                    kind=rows_of.KIND_VERDICT,
                    outcome=protocol.AGENT_ERROR,
                    reason=f"{last.outcome} seen by this instance alone",
                    cost_usd="0",
                    input_tokens=0,
                    output_tokens=0,
                    cache_read_tokens=0,
                    cache_write_tokens=0,
                )
            )
    return rows
