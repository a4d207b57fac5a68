"""A schedule in a make-believe cluster: runs end as told, the operator may die between any two actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchwarden import names
from benchwarden.api.parse import parse_schedule
from benchwarden.reconcile.capture import stamp
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.results.cells import Entry, RunCells, pack_cells, unpack_cells
from benchwarden.scheduling import decision as actions
from benchwarden.scheduling.decide import decide_schedule
from benchwarden.scheduling.decision import ScheduleDecision
from benchwarden.scheduling.evaluate import Evaluation, evaluate, policy_of
from benchwarden.scheduling.history import History, history_of
from benchwarden.scheduling.observed import RunFact
from benchwarden.scheduling.slots import timetable
from benchwarden.scheduling.world import ScheduleView, ScheduleWorld

START = datetime(2026, 3, 1, tzinfo=UTC)
UID = "5c0c8f0e-0000-4000-8000-000000000001"
CLAUDE = {
    "claudeCode": {
        "version": "latest",
        "model": "claude-sonnet-5-5",
        "credentials": {"apiKey": {"name": "anthropic", "key": "api-key"}},
    }
}


@dataclass
class Live:
    """A run in the cluster: what it will come to, and when."""

    fact: RunFact
    ends_at: datetime
    cells: RunCells | None
    succeeds: bool = True


def raw_schedule(**spec: Any) -> dict[str, Any]:
    template = {
        "spec": {
            "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
            "agent": CLAUDE if "pinned" in spec else {"oracle": {}},
        }
    }
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.SCHEDULE_KIND,
        "metadata": {"name": "daily", "namespace": "bench", "uid": UID, "generation": 1},
        "spec": {"schedule": "0 3 * * *", "template": template, **spec},
    }


def schedule_view(
    status: dict[str, Any] | None = None, created: datetime = START, **spec: Any
) -> ScheduleView:
    parsed = parse_schedule(raw_schedule(**spec), strict=True).spec
    return ScheduleView(
        "daily",
        "bench",
        UID,
        1,
        created,
        parsed,
        timetable(parsed.schedule, parsed.time_zone),
        status or {},
    )


Outcome = Callable[[str, str, int], float]
"""Chance to pass by series, day and position of the instance."""


def steady(series: str, day: str, position: int) -> float:
    return (0.3, 0.5, 0.7, 0.9)[position % 4]


class ScheduleBench:
    """Slots, runs, shards and a clock; `until` lets time pass with an operator that may crash."""

    def __init__(
        self,
        seed: int = 1,
        instances: int = 20,
        outcome: Outcome = steady,
        crash: float = 0.0,
        hours: float = 2.0,
        **spec: Any,
    ) -> None:
        self.spec = spec
        self.seed, self.outcome, self.crash, self.hours = seed, outcome, crash, hours
        self.chaos = Random(seed)
        self.panel = tuple(f"i{n:02d}" for n in range(instances))
        self.identity = "a" * 64
        self.version: Callable[[str], str] = lambda day: "2.1.330"
        self.failing: set[str] = set()  # days whose run fails without a plan
        self.missing: dict[str, int] = {}  # instances without a verdict by day
        self.now = START
        self.runs: dict[str, Live] = {}
        self.entries: list[Entry] = []
        self.status: dict[str, Any] = {}
        self.created: list[tuple[str, datetime, int]] = []
        self.deleted: list[str] = []
        self.events: list[EmitEvent] = []
        self.statuses = 0

    # What the operator reads anew at every pass, as after a restart.

    @property
    def history(self) -> History:
        return history_of(unpack_cells(pack_cells(self.entries)))

    def world(self) -> ScheduleWorld:
        view = schedule_view(self.status, **self.spec)
        history = self.history
        evaluations = {
            series: evaluate(history, policy_of(view.spec), series) for series in view.series
        }
        facts = tuple(live.fact for live in self.runs.values())
        return ScheduleWorld(view, facts, history, evaluations, (), self.now)

    def evaluation(self, series: str = names.SERIES_LATEST) -> Evaluation:
        return self.world().evaluations[series]

    def step(self) -> ScheduleDecision:
        decision = decide_schedule(self.world())
        for action in decision.actions:
            if self.chaos.random() < self.crash:
                return ScheduleDecision((), None, 0.0)
            self._act(action)
        if self.chaos.random() < self.crash:
            return ScheduleDecision((), None, 0.0)
        if decision.status is not None:
            self.status = dict(decision.status)
            self.statuses += 1
        return decision

    def settle(self) -> None:
        """Passes until nothing is left to do now."""
        for _ in range(200):
            after = self.step().requeue_after_seconds
            if after is None or after > 0:
                return
        raise AssertionError("the passes never come to rest")

    def until(self, end: datetime) -> ScheduleBench:
        """Let time pass; the operator looks whenever a run ends, a slot comes or it said so."""
        while self.now < end:
            self.settle()
            ends = [r.ends_at for r in self.runs.values() if not r.fact.ended]
            table = schedule_view(**self.spec).timetable
            upcoming = table.next_after(self.now) or end
            self.now = min([upcoming, end, *(each for each in ends if each > self.now)])
            self._end_runs()
        self.settle()
        return self

    def days(self, count: float) -> ScheduleBench:
        return self.until(self.now + timedelta(days=count))

    def away(self, **delta: float) -> ScheduleBench:
        """The operator is down; runs go on."""
        self.now += timedelta(**delta)
        self._end_runs()
        return self

    def reasons(self) -> list[str]:
        return [event.reason for event in self.events]

    def condition(self, kind: str) -> dict[str, Any]:
        return next(each for each in self.status["conditions"] if each["type"] == kind)

    def _end_runs(self) -> None:
        for live in self.runs.values():
            if not live.fact.ended and live.ends_at <= self.now:
                live.fact = replace(
                    live.fact,
                    ended=True,
                    succeeded=live.succeeds and not live.fact.cancelled,
                    reason="Completed" if live.succeeds else "ProbeFailed",
                    finished_at=stamp(live.ends_at),
                )

    def _act(self, action: actions.Action) -> None:
        match action:
            case actions.LaunchRun(name, slot, series, factor):
                if name not in self.runs:
                    assert name not in {n for n, _, _ in self.created}, f"{name} came twice"
                    self._create(name, slot, series, factor)
            case actions.CancelRun(run):
                live = self.runs[run.name]
                live.fact = replace(live.fact, cancelled=True)
                live.ends_at = self.now + timedelta(minutes=1)
            case actions.RollUp(run):
                live = self.runs[run.name]
                day = schedule_view(**self.spec).timetable.day_of(run.slot).isoformat()
                self.entries.append(
                    replace(
                        live.cells or RunCells(run.name, run.uid, stamp(run.slot), day, run.series),
                        reason=run.reason,
                        succeeded=run.succeeded,
                        finished_at=run.finished_at,
                        retry=run.retry,
                    )
                )
            case actions.TakeNotes(notes):
                self.entries += notes
            case actions.DeleteRun(run):
                assert run.uid in self.history.by_uid, "deleted before it was rolled up"
                self.deleted.append(run.name)
                del self.runs[run.name]
            case EmitEvent():
                self.events.append(action)

    def _create(self, name: str, slot: datetime, series: str, factor: int) -> None:
        self.created.append((name, slot, factor))
        day = schedule_view(**self.spec).timetable.day_of(slot).isoformat()
        fact = RunFact(name, f"uid-{name}", slot, series, factor)
        failing = day in self.failing
        cells = None if failing else self._cells(fact, day)
        ends_at = self.now + timedelta(hours=self.hours)
        self.runs[name] = Live(fact, ends_at, cells, succeeds=not failing)

    def _cells(self, run: RunFact, day: str) -> RunCells:
        # By slot and series only: a crash or another order of passes changes no result.
        draw = Random(f"{self.seed} {run.slot} {run.series}")
        gone = set(draw.sample(range(len(self.panel)), self.missing.get(day, 0)))
        trials = tuple(0 if n in gone else run.factor for n in range(len(self.panel)))
        passes = tuple(
            sum(draw.random() < self.outcome(run.series, day, n) for _ in range(count))
            for n, count in enumerate(trials)
        )
        version = "2.1.300" if run.series == names.SERIES_PINNED else self.version(day)
        return RunCells(
            run.name,
            run.uid,
            stamp(run.slot),
            day,
            run.series,
            self.identity,
            cli_version=version,
            factor=run.factor,
            instances=self.panel,
            passes=passes,
            trials=trials,
        )
