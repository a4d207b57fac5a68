"""The status of a schedule: small whatever the length of its history."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.reconcile import conditions
from benchwarden.reconcile.capture import stamp
from benchwarden.reconcile.conditions import Condition
from benchwarden.results import cells as kept
from benchwarden.scheduling.control import control_text
from benchwarden.scheduling.figures import (
    baseline_figures,
    flipped_figures,
    monitor_figures,
    window_figures,
)
from benchwarden.scheduling.noting import acknowledgement
from benchwarden.scheduling.starting import Start, month_of, reruns_used
from benchwarden.scheduling.world import ScheduleWorld

SHOWN_RUNS = 10


def build(
    world: ScheduleWorld, decided: Iterable[Condition], started: Start, attributed: str
) -> dict[str, Any]:
    """The complete status object, JSON-ready."""
    schedule, latest = world.schedule, world.latest
    previous: Any = schedule.status.get("conditions") or []
    status: dict[str, Any] = {
        "observedGeneration": schedule.generation,
        "conditions": conditions.merge(previous, decided, schedule.generation, world.now),
        **_times(world, started),
        "active": _active(world, started),
        "reruns": _reruns(world),
        "lastRuns": _last_runs(world),
        "history": _history(world),
    }
    if latest.document:
        monitor = monitor_figures(latest)
        alarm_day = monitor["alarmDay"]
        status |= {
            "baseline": baseline_figures(latest),
            "monitor": {
                **monitor,
                "attribution": attributed,
                "acknowledgedBy": acknowledgement(world, alarm_day),
            },
            "windows": window_figures(latest),
            "flipped": flipped_figures(latest),
            "ignoredVoidDays": [day.isoformat() for day in latest.ignored_voids],
        }
    pinned = world.evaluations.get(names.SERIES_PINNED)
    if pinned is not None and pinned.document:
        status["pinned"] = {
            "baseline": baseline_figures(pinned),
            "monitor": monitor_figures(pinned),
            "windows": window_figures(pinned),
        }
    told = control_text(world.latest, world.evaluations.get(names.SERIES_CONTROL))
    if told:
        status["control"] = told
    comparison = _comparison(world)
    if comparison is not None:
        status["comparison"] = comparison
    return status


def _times(world: ScheduleWorld, started: Start) -> dict[str, str]:
    schedule = world.schedule
    upcoming = schedule.timetable.next_after(world.now) if not schedule.spec.suspend else None
    ends = [run.finished_at for run in world.history.runs[-100:] if run.succeeded]
    ends += [str(schedule.status.get("lastSuccessfulTime") or "")]
    times: dict[str, datetime | str | None] = {
        "nextScheduleTime": upcoming,
        "lastScheduleTime": started.last,
        "lastMissedTime": started.missed,
        "lastSuccessfulTime": max(ends),
    }
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in times.items()
        if value
    }


def _active(world: ScheduleWorld, started: Start) -> list[str]:
    launched = {getattr(action, "name", "") for action in started.actions} - {""}
    return sorted({run.name for run in world.active} | launched)


def _reruns(world: ScheduleWorld) -> dict[str, Any]:
    month = month_of(world, world.now)
    limit = world.schedule.spec.detection.rerun.max_per_month
    return {"month": month, "used": reruns_used(world, month), "limit": limit}


def _last_runs(world: ScheduleWorld) -> list[dict[str, Any]]:
    """The newest runs: those that exist, and those that are only stored."""
    shown: dict[str, tuple[str, dict[str, Any]]] = {}
    for entry in world.history.runs[-SHOWN_RUNS:]:
        shown[entry.run] = (
            entry.slot,
            {
                "name": entry.run,
                "slot": entry.slot,
                "day": entry.day,
                "reason": entry.reason,
                "resolved": f"{entry.passed}/{entry.valid}",
                "cliVersion": entry.cli_version,
                "factor": entry.factor,
                "rolledUp": True,
            },
        )
    for run in world.runs:
        if world.entry(run) is None:
            slot = stamp(run.slot)
            shown[run.name] = (
                slot,
                {
                    "name": run.name,
                    "slot": slot,
                    "day": world.schedule.timetable.day_of(run.slot).isoformat(),
                    "reason": run.reason,
                    # Progress of a live run is its own status to tell: repeating it costs a write each time.
                    "resolved": run.resolved if run.ended else "",
                    "cliVersion": run.cli_version if run.ended else "",
                    "factor": run.factor,
                    "rolledUp": False,
                },
            )
    newest = sorted(shown.values(), key=lambda item: (item[0], item[1]["name"]), reverse=True)
    return [item for _, item in newest[:SHOWN_RUNS]]


def _history(world: ScheduleWorld) -> dict[str, Any]:
    runs = world.history.runs
    return {
        "days": len({run.day for run in runs if run.instances}),
        "runs": len(runs),
        "cells": sum(len(run.instances) for run in runs),
        "shards": [{"name": name, "rows": entries} for name, entries in world.shards],
    }


def _comparison(world: ScheduleWorld) -> dict[str, Any] | None:
    """The published comparison of the current epoch with the one before."""
    epoch = world.latest.epoch
    if epoch is None:
        return None
    slots = {run.slot for run in epoch.runs}
    for note in reversed(world.history.noted(kept.NOTE_COMPARED, names.SERIES_LATEST)):
        if note.get("first") in slots:
            return {
                "series": epoch.number,
                "summary": note.get("summary"),
                "delta": note.get("delta"),
                "pValue": note.get("pValue"),
            }
    return None
