"""Samples of schedules: what a scrape shows of them, made from the records at the time of the scrape."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from benchwarden import names
from benchwarden.controller.schedule_record import ScheduleRecord
from benchwarden.reconcile.status import suite_name
from benchwarden.scheduling.observed import moment_or_none
from benchwarden.telemetry.schedule_series import ScheduleSample


def schedule_samples(records: Iterable[ScheduleRecord]) -> tuple[ScheduleSample, ...]:
    """One sample per series of every schedule that was read and evaluated."""
    return tuple(sample for record in records for sample in _samples(record))


def _samples(record: ScheduleRecord) -> Iterator[ScheduleSample]:
    view, evaluations, history = record.view, dict(record.evaluations), record.history
    if view is None:
        return
    template, status = view.spec.template.spec, record.status
    claude = template.agent.claude_code
    for series, evaluation in evaluations.items():
        if series == names.SERIES_CONTROL:
            continue  # ten instances: it explains a page and must never be one
        runs = [run for run in history.runs if run.series == series]
        succeeded = sum(run.succeeded for run in runs)
        measured = [run for run in runs if run.instances]
        latest = series == names.SERIES_LATEST
        monitor = status.get("monitor") or {}
        yield ScheduleSample(
            namespace=record.namespace,
            schedule=record.name,
            series=series,
            suite=suite_name(template),
            model=claude.model if claude is not None else "",
            zone=view.timetable.zone,
            evaluation=evaluation,
            last=measured[-1] if measured else None,
            results=(succeeded, len(runs) - succeeded),
            suspended=view.spec.suspend,
            next_at=_next(status.get("nextScheduleTime"), suspended=view.spec.suspend),
            reruns=int((status.get("reruns") or {}).get("used") or 0) if latest else 0,
            acknowledged=latest and bool(monitor.get("acknowledgedBy")),
        )


def _next(text: object, *, suspended: bool) -> datetime | None:
    return None if suspended else moment_or_none(text)
