"""The controller of schedules keeps its promises when calls are lost and the process is started anew."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.controller.memory_cluster import MemoryCluster
from tests.unit.scheduling.bench import START, UID, raw_schedule

from benchwarden import names
from benchwarden.controller import schedule_store
from benchwarden.controller.durable import results_config_map
from benchwarden.controller.preparing import view_of
from benchwarden.controller.record import Record
from benchwarden.controller.schedule_acting import ScheduleActor
from benchwarden.controller.schedules import ScheduleController
from benchwarden.kube.resources import CONFIG_MAPS, RUNS, SCHEDULES
from benchwarden.manifests.plan_object import plan_config_map
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan, TrialKey
from benchwarden.reconcile.capture import stamp
from benchwarden.results import shards
from benchwarden.results.cells import NOTE_VOIDED, Note, RunCells
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden.telemetry.instruments import ERROR, REQUEUE, Instruments

PANEL = ("a", "b", "c", "d", "e")


class HeldLease:
    """A lease in nobody's dispute."""

    def __init__(self) -> None:
        self.acquired = asyncio.Event()
        self.acquired.set()

    def check(self) -> None:
        return


class Events:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def emit(self, subject: Any, reason: str, *_: Any, **__: Any) -> bool:
        self.said.append(reason)
        return True


class Operated:
    """A cluster with a schedule, a clock, and an operator that may be started anew."""

    def __init__(self, seed: int = 1, fail: float = 0.0, restart: float = 0.0, **spec: Any) -> None:
        self.cluster = MemoryCluster(seed, fail)
        self.chaos = Random(seed + 1)
        self.restart = restart
        self.now = START
        self.events = Events()
        raw = raw_schedule(**spec)
        raw["metadata"]["creationTimestamp"] = stamp(START)
        self.cluster.put(raw)
        self.start()

    def start(self) -> None:
        self.controller = ScheduleController(
            self.cluster,
            ScheduleActor(self.cluster, self.events),
            HeldLease(),
            Instruments(("schedule",)),
            lambda: self.now,
        )
        self.controller.see(self.schedule, deleted=False)

    @property
    def schedule(self) -> dict[str, Any]:
        return self.cluster.of(SCHEDULES)[0]

    @property
    def status(self) -> dict[str, Any]:
        return self.schedule.get("status") or {}

    def change(self, **spec: Any) -> None:
        raw = deepcopy(self.schedule)
        raw["spec"] = {**raw["spec"], **spec}
        raw["metadata"]["generation"] += 1
        self.controller.see(self.cluster.put(raw), deleted=False)

    async def settle(self) -> None:
        for _ in range(200):
            if self.chaos.random() < self.restart:
                self.start()
            if await self.controller.passes.make(UID) not in (REQUEUE, ERROR):
                return
        raise AssertionError("the passes never come to rest")

    async def days(self, count: int) -> Operated:
        for _ in range(count):
            self.now = self.now.replace(hour=3, minute=0) + timedelta(days=self.now.hour >= 3)
            await self.settle()
            self.now += timedelta(hours=2)
            for raw in self.cluster.of(RUNS):
                self.end(raw)
            await self.settle()
        return self

    def end(self, raw: dict[str, Any], **lost: str) -> None:
        """The run ends: plan and rows are stored, then its status says so."""
        if raw.get("status"):
            return
        slot = raw["metadata"]["annotations"][names.ANNOTATION_SLOT]
        run = RunIdentity(raw["metadata"]["name"], "bench", raw["metadata"]["uid"])
        plan = Plan("p" * 64, (tuple(TrialKey(i, 0) for i in PANEL),), (("cliVersion", "2.1.330"),))
        draw = Random(slot)
        rows = [
            Row(i, 0, 1, KIND_CHARGE, lost[i], "job", slot)
            if i in lost
            else Row(
                i,
                0,
                1,
                KIND_VERDICT,
                "resolved" if draw.random() < 0.6 else "unresolved",
                "job",
                slot,
                network="enforced",
            )
            for i in PANEL
        ]
        self.cluster.put(plan_config_map(run, plan))
        self.cluster.put(results_config_map(run, 0, shards.pack(rows)[0]))
        raw["status"] = {
            "conditions": [
                {"type": "Succeeded", "status": "True", "reason": "Completed", "message": ""}
            ],
            "finishedAt": slot.replace("03:00:00", "05:00:00"),
            "resolvedOfTotal": "3/5",
            "retriesHandled": 0,
        }
        self.controller.see_run(self.cluster.put(raw), deleted=False)

    def stored(self) -> list[Any]:
        found = [
            each
            for each in self.cluster.of(CONFIG_MAPS)
            if each["metadata"]["labels"].get(names.LABEL_ROLE) == names.ROLE_CELLS
        ]
        return [entry for each in found for entry in schedule_store.entries_of(each)]

    def runs(self) -> list[RunCells]:
        return [entry for entry in self.stored() if isinstance(entry, RunCells)]


async def test_a_run_becomes_cells_with_its_cli_and_identity() -> None:
    operated = await Operated().days(1)
    (entry,) = operated.runs()
    assert entry.day == "2026-03-01"
    assert entry.slot == "2026-03-01T03:00:00Z"
    assert entry.instances == PANEL
    assert entry.trials == (1, 1, 1, 1, 1)
    assert (entry.cli_version, entry.network, len(entry.identity)) == ("2.1.330", "enforced", 64)
    assert operated.status["lastRuns"][0]["rolledUp"] is True
    assert names.EVENT_RUN_CREATED in operated.events.said


async def test_cells_are_stored_before_a_run_says_that_it_ended() -> None:
    operated = Operated()
    operated.now = START.replace(hour=3)
    await operated.settle()
    (raw,) = operated.cluster.of(RUNS)
    run = RunIdentity(raw["metadata"]["name"], "bench", raw["metadata"]["uid"])
    ending = Record(run, raw, {})
    ending.plan = Plan("p" * 64, ((TrialKey("a", 0), TrialKey("b", 0)),))
    row = Row("a", 0, 1, KIND_VERDICT, "resolved", "job", "2026-03-01T04:00:00Z")
    ending.cycle.load([row], operated.now)
    ending.view = view_of(raw, {})
    condition = {"type": "Succeeded", "status": "True", "reason": "CompletedWithMissing"}
    await operated.controller.run_ending(ending, {"conditions": [condition]})
    (entry,) = operated.runs()
    assert (entry.instances, entry.passes, entry.trials) == (("a", "b"), (1, 0), (1, 0))
    assert (entry.reason, entry.succeeded) == ("CompletedWithMissing", True)
    assert "status" not in operated.cluster.of(RUNS)[0]

    await operated.controller.run_ending(ending, {"conditions": [condition]})
    operated.end(raw)
    await operated.settle()
    assert operated.runs() == [entry]


async def test_a_missing_instance_is_a_cell_without_trials_and_its_cause_is_counted() -> None:
    operated = Operated()
    operated.now = START.replace(hour=3)
    await operated.settle()
    (run,) = operated.cluster.of(RUNS)
    operated.end(run, a="api_overloaded", b="image_pull")
    await operated.settle()
    (entry,) = operated.runs()
    assert entry.trials == (0, 0, 1, 1, 1)
    assert (entry.infra, entry.api, entry.missing) == (2, 1, 0)


async def test_results_that_cannot_be_read_count_as_missing_and_block_nothing() -> None:
    operated = Operated()
    operated.now = START.replace(hour=3)
    await operated.settle()
    (run,) = operated.cluster.of(RUNS)
    operated.end(run)
    for each in operated.cluster.of(CONFIG_MAPS):
        if each["metadata"]["labels"].get(names.LABEL_ROLE) == names.ROLE_RESULTS:
            operated.cluster.put({**each, "binaryData": {shards.KEY_ROWS: "AAAA"}})
    await operated.settle()
    assert operated.runs()[0].instances == ()
    assert names.EVENT_RESULTS_UNREADABLE in operated.events.said
    await operated.days(1)
    assert len(operated.runs()) == 2


async def test_the_process_started_anew_changes_no_number_and_writes_nothing() -> None:
    operated = await Operated().days(16)
    before, version = operated.status, operated.cluster.version
    operated.start()
    await operated.settle()
    assert operated.status == before
    assert operated.cluster.version == version


async def test_a_full_shard_is_followed_by_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "RESULT_SHARD_BYTES", 400)
    operated = await Operated().days(8)
    assert len(operated.status["history"]["shards"]) > 1
    assert [run.day[-2:] for run in operated.runs()] == [f"{day:02d}" for day in range(1, 9)]
    operated.start()
    await operated.days(1)
    assert len(operated.runs()) == 9


async def test_a_shard_that_somebody_else_wrote_is_read_again_and_nothing_of_it_is_lost() -> None:
    operated = await Operated().days(2)
    (shard,) = [
        each
        for each in operated.cluster.of(CONFIG_MAPS)
        if each["metadata"]["labels"].get(names.LABEL_ROLE) == names.ROLE_CELLS
    ]
    note = Note("from elsewhere", "2026-03-02T12:00:00Z")
    entries = [*schedule_store.entries_of(shard), note]
    packed = schedule_store._config_map(
        operated.controller.records[UID].view,
        shard["metadata"]["name"],
        schedule_store.pack_cells(entries),
    )
    operated.cluster.put(packed)
    await operated.days(2)
    assert note in operated.stored()
    assert len(operated.runs()) == 4


async def test_a_damaged_shard_stops_the_schedule_and_is_named() -> None:
    operated = await Operated().days(2)
    for each in operated.cluster.of(CONFIG_MAPS):
        if each["metadata"]["labels"].get(names.LABEL_ROLE) == names.ROLE_CELLS:
            operated.cluster.put({**each, "binaryData": {}})
            name = each["metadata"]["name"]
    operated.start()
    await operated.settle()
    accepted = next(c for c in operated.status["conditions"] if c["type"] == "Accepted")
    assert accepted["status"] == "False"
    assert name in accepted["message"]


async def test_a_run_that_vanished_unseen_does_not_block_for_ever() -> None:
    operated = Operated()
    operated.now = START.replace(hour=3)
    await operated.settle()
    operated.cluster.objects = {
        key: each for key, each in operated.cluster.objects.items() if key[0] != RUNS.plural
    }
    operated.now += timedelta(days=1)
    await operated.settle()
    assert [
        run["metadata"]["annotations"][names.ANNOTATION_SLOT] for run in operated.cluster.of(RUNS)
    ] == ["2026-03-02T03:00:00Z"]


async def test_a_bad_spec_is_refused_once_and_taken_up_when_it_is_mended() -> None:
    operated = Operated(timeZone="Mars/Base")
    await operated.settle()
    await operated.settle()
    assert operated.events.said.count(names.REASON_INVALID_SPEC) == 1
    operated.change(timeZone="Etc/UTC")
    await operated.days(1)
    assert len(operated.runs()) == 1
    accepted = next(c for c in operated.status["conditions"] if c["type"] == "Accepted")
    assert accepted["status"] == "True"


async def test_a_void_day_is_noted_with_who_and_why() -> None:
    operated = await Operated().days(2)
    operated.change(voidDays=[{"day": "2026-03-01", "author": "ann", "reason": "outage"}])
    await operated.settle()
    (note,) = [n for n in operated.stored() if isinstance(n, Note) and n.kind == NOTE_VOIDED]
    assert (note.get("author"), note.get("reason")) == ("ann", "outage")


@pytest.mark.parametrize("step", ["load", "load_runs"])
async def test_a_spec_that_changes_in_the_middle_of_a_pass_is_taken_up_by_the_next(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operated = Operated()
    whole = getattr(schedule_store, step)

    async def changed_meanwhile(*arguments: Any) -> None:
        monkeypatch.undo()
        operated.change(suspend=True)
        await whole(*arguments)

    monkeypatch.setattr(schedule_store, step, changed_meanwhile)
    assert await operated.controller.passes.make(UID) != ERROR
    await operated.settle()
    assert operated.status["observedGeneration"] == operated.schedule["metadata"]["generation"]
    scheduling = next(c for c in operated.status["conditions"] if c["type"] == "Scheduling")
    assert scheduling["reason"] == names.REASON_SUSPENDED


async def test_a_deleted_schedule_is_forgotten() -> None:
    operated = await Operated().days(1)
    operated.controller.see(operated.schedule, deleted=True)
    assert operated.controller.records == {}
    await operated.controller.passes.make(UID)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), fail=st.sampled_from((0.05, 0.25)), days=st.integers(2, 10))
def test_lost_calls_lost_answers_and_restarts_change_no_cell(
    seed: int, fail: float, days: int
) -> None:
    async def cells(**chaos: float) -> tuple[list[RunCells], Any]:
        operated = await Operated(seed, **chaos).days(days)
        operated.cluster.fail = 0.0
        await operated.settle()
        return operated.runs(), operated.status["baseline"]

    def named(runs: list[RunCells]) -> list[tuple[Any, ...]]:
        return [(r.run, r.slot, r.day, r.passes, r.trials, r.identity) for r in runs]

    calm, baseline = asyncio.run(cells())
    rough, baseline_again = asyncio.run(cells(fail=fail, restart=0.1))
    assert named(rough) == named(calm)
    assert baseline_again == baseline
