"""A pass over a run: see, decide, act, and write one status."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from benchwarden import names
from benchwarden.controller import durable
from benchwarden.controller.acting import Actor, carry_out
from benchwarden.controller.durations import known_durations
from benchwarden.controller.passes import Passes, Place
from benchwarden.controller.preparing import prepare, view_of
from benchwarden.controller.record import Record
from benchwarden.errors import InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.lease import Lease
from benchwarden.kube.resources import RUNS
from benchwarden.kube.view import ClusterView
from benchwarden.manifests.settings import RunIdentity
from benchwarden.reconcile.conditions import find, has_ended
from benchwarden.reconcile.decision import Action, Decision, StoreRows
from benchwarden.reconcile.observed import Observed
from benchwarden.reconcile.refused import refused_status
from benchwarden.reconcile.status import without_times
from benchwarden.reconcile.world import RunView
from benchwarden.suites.sources import Sources
from benchwarden.telemetry.instruments import Instruments

STATUS_INTERVAL = timedelta(seconds=5)
RELOAD = timedelta(seconds=15)


@dataclass(slots=True)
class Controller:
    """Reconciles all runs the operator sees."""

    client: KubeClient
    actor: Actor
    sight: ClusterView
    lease: Lease
    sources: Callable[[str], Sources]  # by namespace
    instruments: Instruments
    now: Callable[[], datetime]
    before_end: Callable[[Record, Mapping[str, Any]], Awaitable[None]] | None = None
    records: dict[str, Record] = field(default_factory=dict)
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        """Put the loop of passes around `_reconcile`."""
        self.passes = Passes(
            "run",
            RUNS,
            self.client,
            self.lease,
            self.instruments,
            self._place,
            self._pass,
            self._forget,
        )

    def see(self, raw: Mapping[str, Any], *, deleted: bool) -> None:
        """Take in a run as the watch shows it."""
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
            identity = RunIdentity(str(metadata["name"]), str(metadata["namespace"]), uid)
            self.records[uid] = Record(identity, raw, raw.get("status") or {})
        elif _generation(raw) <= _generation(record.raw):
            return  # an echo of our own status, or an older sight than we have
        else:
            record.raw = raw
            record.view = None
        self.passes.queue.add(uid)

    def _forget(self, uid: str) -> None:
        record = self.records.pop(uid, None)
        if record is not None:
            record.gone = True
            if record.loading is not None:
                record.loading.cancel()
        self.sight.forget(uid)
        self.passes.queue.forget(uid)

    def _place(self, uid: str) -> Place | None:
        record = self.records.get(uid)
        return None if record is None else Place(record.identity.namespace, record.identity.name)

    async def _pass(self, uid: str) -> float | None:
        return (await self._reconcile(self.records[uid])).requeue_after_seconds

    async def _reconcile(self, record: Record) -> Decision:
        now = self.now()
        try:
            view = record.view or view_of(record.raw, record.status)
        except InvalidInputError as error:
            return await self._refuse(record, error, now)
        record.view = view
        view = replace(view, status=record.status)
        if not record.loaded:
            await self._load(record)
        if record.plan is None:
            record.cycle.durations = known_durations(record, self.records.values())
        self.sight.look_for_refusals(record.identity.uid, now)
        seen = self.sight.of_run(record.identity.uid, now)
        decision = self._decide(record, view, seen, now)
        if decision.settled:
            record.let_go_of_the_suite()
        else:
            self._prepare(record, view, now)
        unread = record.base is None or record.base.retry
        if _ended(decision) and view.spec.compare_to is not None and unread:
            record.base = await durable.read_base(
                self.client, record.identity.namespace, view.spec.compare_to
            )
            decision = self._decide(record, view, seen, now)
        refusals = record.refusals()
        put_off = await self._act(record, view, decision, now)
        if (_ended(decision) or decision.settled) and record.repeats_rows():
            await durable.compact(self.client, record)
        if record.refusals() > refusals:
            return Decision(requeue_after_seconds=0.0)  # what was decided is not what happened
        if not record.cycle.unstored:
            self.sight.acknowledge(record.identity.uid, seen)
        written = await self._write(record, decision, now)
        return Decision(requeue_after_seconds=0.0) if put_off else written

    def _decide(self, record: Record, view: RunView, seen: Observed, now: datetime) -> Decision:
        observed = record.overlay(seen, now)
        conflicts, lost = record.cycle.tally.conflicts, record.cycle.lost
        decision = record.cycle.step(view, record.panel, record.plan, observed, record.base, now)
        self.instruments.conflicting(record.cycle.tally.conflicts - conflicts)
        self.instruments.lost(record.cycle.lost - lost)
        return decision

    async def _act(self, record: Record, view: RunView, decision: Decision, now: datetime) -> bool:
        """Carry out what was decided; says whether some of it was left to the next pass."""

        async def act(action: Action) -> None:
            self.lease.check()
            await self.actor.act(record, view, action, now)
            if isinstance(action, StoreRows):
                self.instruments.stored(len(action.rows))

        if _ended(
            decision
        ):  # no verdict is waited for, and all that is told of the end shall be so
            for action in decision.actions:
                await act(action)
            return False
        return await carry_out(decision.actions, act, self.now)

    async def _load(self, record: Record) -> None:
        stored = await durable.read(self.client, record.identity)
        record.plan = stored.plan
        if not record.cycle.tally.rows:
            record.cycle.load(stored.rows, self.now())
            record.shards = dict(stored.shards)
            numbers = [int(name.rsplit("-", 1)[1]) for name in stored.shards]
            record.next_shard = max(numbers, default=-1) + 1
        record.loaded = True

    def _prepare(self, record: Record, view: RunView, now: datetime) -> None:
        retry = getattr(record.panel, "retry", False)
        if record.panel is not None and not retry:
            return
        due = record.reload_at
        if record.panel is not None and due is not None and timedelta() < due - now <= RELOAD:
            return
        if record.loading is not None:
            return
        record.reload_at = now + RELOAD
        uid = record.identity.uid
        record.loading = asyncio.create_task(
            prepare(
                record,
                view,
                self.sources(record.identity.namespace),
                self.actor.settings,
                lambda: self.passes.queue.add(uid),
            )
        )

    async def _refuse(self, record: Record, error: InvalidInputError, now: datetime) -> Decision:
        generation = int(record.raw["metadata"].get("generation") or 0)
        status, event = refused_status(record.status, generation, error.reason, str(error), now)
        if event is not None:
            await self.actor.say(record, event, now)
        return await self._write(record, Decision(status=status), now)

    async def _write(self, record: Record, decision: Decision, now: datetime) -> Decision:
        """Write the status if it says something new, at most every few seconds unless it matters."""
        status = decision.status
        if status is None:
            return decision
        if record.shards:
            status["results"] = record.results()
        if without_times(status) == without_times(record.status):
            return decision
        due = record.status_written_at
        minor = _outline(status) == _outline(record.status)
        if minor and due is not None and timedelta() <= now - due < STATUS_INTERVAL:
            wait = (due + STATUS_INTERVAL - now).total_seconds()
            after = decision.requeue_after_seconds
            return Decision(requeue_after_seconds=wait if after is None else min(wait, after))
        ends = has_ended(status) and not has_ended(record.status)
        if ends and self.before_end is not None:
            await self.before_end(record, status)
        self.lease.check()
        identity = record.identity
        await self.client.apply(
            {
                "apiVersion": names.API_VERSION,
                "kind": names.RUN_KIND,
                "metadata": {
                    "name": identity.name,
                    "namespace": identity.namespace,
                    "uid": identity.uid,
                },
                "status": status,
            },
            subresource="status",
        )
        if ends:
            reason = find(status["conditions"], names.CONDITION_SUCCEEDED).get("reason")
            self.instruments.run_ended(str(reason))
        record.status = status
        record.status_written_at = now
        return decision


def _generation(raw: Mapping[str, Any]) -> int:
    return int((raw.get("metadata") or {}).get("generation") or 0)


def _outline(status: Mapping[str, Any]) -> list[tuple[Any, Any, Any]]:
    """What must be told at once: conditions without their messages."""
    return [
        (each.get("type"), each.get("status"), each.get("reason"))
        for each in status.get("conditions") or []
    ]


def _ended(decision: Decision) -> bool:
    return decision.status is not None and has_ended(decision.status)
