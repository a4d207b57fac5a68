"""Samples: what a scrape shows, made from the records at the time of the scrape."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from benchwarden.controller.record import Counted, Record, Sampled
from benchwarden.controller.schedule_record import ScheduleRecord
from benchwarden.controller.schedule_samples import schedule_samples
from benchwarden.kube.session import ClientStats
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.status import suite_name
from benchwarden.reconcile.work import moment
from benchwarden.reconcile.world import RunView
from benchwarden.report.summary import Heading
from benchwarden.telemetry.figures import RunFigures
from benchwarden.telemetry.instruments import Instruments
from benchwarden.telemetry.snapshot import RunSample, Snapshot


def snapshot(
    records: Iterable[Record],
    instruments: Instruments,
    stats: ClientStats,
    schedules: Iterable[ScheduleRecord] = (),
) -> Snapshot:
    """All runs and schedules that were read, and the operator's own health."""
    health = replace(
        instruments.read(), rest_requests={(c, m): n for (c, m), n in stats.requests.items()}
    )
    runs = tuple(sample for record in records if (sample := _sample(record)) is not None)
    return Snapshot(runs, health, schedule_samples(schedules))


def _sample(record: Record) -> RunSample | None:
    """The sample of a run, made anew only if something about it changed: most runs have ended long ago."""
    view, plan, status, tally = record.view, record.plan, record.status, record.cycle.tally
    if view is None or plan is None or not record.loaded:
        return None
    state = Sampled((view, plan, status, tally), (len(tally), tally.conflicts))
    if record.sampled is None or not record.sampled[0].is_as(state):
        record.sampled = (state, _made(record, view, plan))
    return record.sampled[1]


def _made(record: Record, view: RunView, plan: Plan) -> RunSample:
    status = record.status
    claude = view.spec.agent.claude_code
    heading = Heading(
        run=view.name,
        namespace=view.namespace,
        suite=suite_name(view.spec),
        panel_digest=plan.panel_digest,
        agent=view.spec.agent.kind,
        model=claude.model if claude is not None else "",
        cli_version=dict(plan.agent).get("cliVersion", ""),
        executor="kubernetes",
        started_at=moment(status["startedAt"]) if status.get("startedAt") else None,
        finished_at=moment(status["finishedAt"]) if status.get("finishedAt") else None,
    )
    budget = view.spec.budget
    limit = Decimal(budget.max_usd) if budget and budget.max_usd is not None else None
    tally = record.cycle.tally
    counted = record.counted
    if counted is None or counted.plan is not plan or counted.tally is not tally:
        counted = record.counted = Counted(plan, tally, RunFigures(plan.trials))
    return counted.figures.sample(
        heading,
        tally.rows,
        conflicts=tally.conflicts,
        budget_usd=limit,
        suspended=view.spec.suspend,
    )
