"""A pass over a schedule: see, decide, act, and write one status."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from benchwarden import names
from benchwarden.api.parse import parse_schedule
from benchwarden.api.schedule import BenchmarkScheduleSpec
from benchwarden.api.semantics import check
from benchwarden.controller import schedule_store
from benchwarden.controller.passes import MOST_BACKOFF_SECONDS, Passes, Place
from benchwarden.controller.record import Record
from benchwarden.controller.schedule_acting import ScheduleActor
from benchwarden.controller.schedule_record import ScheduleRecord
from benchwarden.errors import BenchwardenError, FencedError, InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import NotFoundError
from benchwarden.kube.lease import Lease
from benchwarden.kube.resources import SCHEDULES
from benchwarden.reconcile.conditions import FALSE, Condition, is_told, merge
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.scheduling.decide import decide_schedule
from benchwarden.scheduling.decision import RollUp, ScheduleDecision
from benchwarden.scheduling.evaluate import Evaluation, Policy, evaluate, policy_of
from benchwarden.scheduling.history import History
from benchwarden.scheduling.observed import moment_or_none, owner_uid, run_fact
from benchwarden.scheduling.slots import timetable
from benchwarden.scheduling.world import ScheduleView, ScheduleWorld
from benchwarden.telemetry.instruments import Instruments

RELIST = timedelta(minutes=10)


@dataclass(slots=True)
class ScheduleController:
    """Reconciles all schedules the operator sees."""

    client: KubeClient
    actor: ScheduleActor
    lease: Lease
    instruments: Instruments
    now: Callable[[], datetime]
    records: dict[str, ScheduleRecord] = field(default_factory=dict)
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        """Put the loop of passes around `_reconcile`."""
        self.passes = Passes(
            "schedule",
            SCHEDULES,
            self.client,
            self.lease,
            self.instruments,
            self._place,
            self._pass,
            self._forget,
            self._failed,
        )

    def see(self, raw: Mapping[str, Any], *, deleted: bool) -> None:
        """Take in a schedule as the watch shows it."""
        metadata = raw.get("metadata") or {}
        uid = str(metadata.get("uid") or "")
        if not uid:
            return
        if deleted or metadata.get("deletionTimestamp"):
            self._forget(uid)
            return
        record = self.records.get(uid)
        if record is None and names.ANNOTATION_RESTORING in (metadata.get("annotations") or {}):
            return  # not before all of it is there
        if record is None:
            self.records[uid] = ScheduleRecord(
                str(metadata["name"]), str(metadata["namespace"]), uid, raw, raw.get("status") or {}
            )
        elif metadata.get("generation") == record.raw["metadata"].get("generation"):
            return  # an echo of our own status
        else:
            record.raw, record.view = raw, None
        self.passes.queue.add(uid)

    def see_run(self, raw: Mapping[str, Any], *, deleted: bool) -> None:
        """Take in a run; those of no schedule are passed over."""
        record = self.records.get(owner_uid(raw))
        gone = deleted or bool((raw.get("metadata") or {}).get("deletionTimestamp"))
        if record is not None and record.take_run(raw, deleted=gone):
            self.passes.queue.add(record.uid)

    async def run_ending(self, run: Record, status: Mapping[str, Any]) -> None:
        """Store the cells of a run of a schedule before the run says that it has ended.

        So a run can be deleted the moment it has ended. Where that is not possible (the schedule cannot be
        read now, or the run has no plan), the schedule's next pass does what is left.

        Raises:
            ApiError: the API server did not do it; the run's pass ends and is tried again.
        """
        record = self.records.get(owner_uid(run.raw))
        fact = run_fact({**run.raw, "status": status})
        view = None if record is None else record.view
        if record is None or view is None or fact is None or run.plan is None:
            return
        async with record.lock:
            try:
                if not record.loaded:
                    await schedule_store.load(self.client, record)
            except InvalidInputError:
                return  # the schedule's own pass says what is wrong
            if fact.uid in record.history.by_uid or not fact.ended:
                return
            await self.actor.keep(record, view, run, fact)
        self.passes.queue.add(record.uid)

    def _forget(self, uid: str) -> None:
        self.records.pop(uid, None)
        self.passes.queue.forget(uid)

    def _place(self, uid: str) -> Place | None:
        record = self.records.get(uid)
        return None if record is None else Place(record.namespace, record.name)

    async def _pass(self, uid: str) -> float | None:
        record = self.records[uid]
        async with record.lock:
            return (await self._reconcile(record)).requeue_after_seconds

    def _failed(self, uid: str, error: BenchwardenError) -> None:
        record = self.records.get(uid)
        if record is None:
            return
        if isinstance(error, FencedError | NotFoundError):
            record.loaded = False
        if isinstance(error, FencedError):
            record.listed_at = None  # another operator may have written

    async def _reconcile(self, record: ScheduleRecord) -> ScheduleDecision:
        now = self.now()
        try:
            # Kept here: a change that comes while lists are read clears the record's and asks for another pass.
            view = record.view = record.view or schedule_view(record.raw, record.status, now)
            if not record.loaded:
                await schedule_store.load(self.client, record)
            if record.listed_at is None or not timedelta() <= now - record.listed_at < RELIST:
                await schedule_store.load_runs(self.client, record, now)
            view = replace(view, status=record.status)
            await self._evaluate(record, view)
        except InvalidInputError as error:
            return await self._refuse(record, error, now)
        shards = tuple((shard.name, len(shard.entries)) for shard in record.shards)
        world = ScheduleWorld(view, record.facts(), record.history, record.evaluations, shards, now)
        decision = decide_schedule(world)
        self.lease.check()
        ended = [action.run for action in decision.actions if isinstance(action, RollUp)]
        if ended:
            await self.actor.roll_up(record, view, ended, now)
            return decision
        for action in decision.actions:
            self.lease.check()
            await self.actor.act(record, view, action, now)
        await self._write(record, decision.status)
        return decision

    async def _evaluate(self, record: ScheduleRecord, view: ScheduleView) -> None:
        """Evaluate in a thread, and only if something it depends on changed."""
        key = (policy_of(view.spec), record.history, view.series)
        known = record.evaluated
        if known is not None and known[1] is key[1] and (known[0], known[2]) == (key[0], key[2]):
            return
        try:
            record.evaluations = await asyncio.to_thread(_evaluations, *key)
        except ValueError as error:
            raise InvalidInputError(
                f"the stored history cannot be evaluated: {error}",
                reason=names.REASON_HISTORY_CHANGED,
            ) from error
        record.evaluated = key

    async def _refuse(
        self, record: ScheduleRecord, error: InvalidInputError, now: datetime
    ) -> ScheduleDecision:
        """The spec or the stored history cannot be read: say so, and start nothing."""
        previous = record.status.get("conditions") or []
        text = str(error)
        generation = int(record.raw["metadata"].get("generation") or 0)
        refused = [
            Condition(names.CONDITION_ACCEPTED, FALSE, error.reason, text),
            Condition(names.CONDITION_SCHEDULING, FALSE, error.reason, text),
        ]
        written = merge(previous, refused, generation, now)
        kinds = {each["type"] for each in written}
        kept = [each for each in previous if each.get("type") not in kinds]
        status = {
            **record.status,
            "observedGeneration": generation,
            "conditions": [*written, *kept],
        }
        status.pop("nextScheduleTime", None)
        if not is_told(previous, names.CONDITION_ACCEPTED, error.reason, text):
            await self.actor.say(record, EmitEvent(error.reason, text, warning=True), now)
        self.lease.check()
        await self._write(record, status)
        again = MOST_BACKOFF_SECONDS if record.view is not None else None
        return ScheduleDecision(requeue_after_seconds=again)

    async def _write(self, record: ScheduleRecord, status: Mapping[str, Any] | None) -> None:
        if status is None or status == record.status:
            return
        await self.client.apply(
            {
                "apiVersion": names.API_VERSION,
                "kind": names.SCHEDULE_KIND,
                "metadata": {
                    "name": record.name,
                    "namespace": record.namespace,
                    "uid": record.uid,
                },
                "status": status,
            },
            subresource="status",
        )
        record.status = status


def _evaluations(
    policy: Policy, history: History, series: tuple[str, ...]
) -> dict[str, Evaluation]:
    return {each: evaluate(history, policy, each) for each in series}


def schedule_view(raw: Mapping[str, Any], status: Mapping[str, Any], now: datetime) -> ScheduleView:
    """The schedule as decisions see it.

    Raises:
        InvalidInputError: the spec cannot be used; the message names the field.
    """
    parsed = parse_schedule(raw)
    spec, metadata = parsed.spec, parsed.metadata
    table = timetable(spec.schedule, spec.time_zone)
    _check_days(spec)
    try:
        check(spec.template.spec)
    except InvalidInputError as error:
        text = str(error).removeprefix(f"{error.field}: ")
        field_path = f"spec.template.{error.field}" if error.field else "spec.template.spec"
        raise InvalidInputError(text, reason=error.reason, field=field_path) from error
    return ScheduleView(
        name=metadata.name,
        namespace=metadata.namespace,
        uid=metadata.uid,
        generation=metadata.generation,
        created_at=moment_or_none(metadata.creation_timestamp) or now,
        spec=spec,
        timetable=table,
        status=status,
    )


def _check_days(spec: BenchmarkScheduleSpec) -> None:
    listed = [("voidDays", void.day) for void in spec.void_days]
    listed += [("acknowledge", word.day) for word in spec.acknowledge]
    for list_name, day in listed:
        try:
            date.fromisoformat(day)
        except ValueError:
            raise InvalidInputError(
                f"there is no day {day}",
                reason=names.REASON_INVALID_SPEC,
                field=f"spec.{list_name}",
            ) from None
