"""The local executor carries out the same decisions as the operator, with processes instead of Jobs.

One loop: look at the batches, let `Cycle` decide, do what it says, wait until something changes. Stopping it at
any moment loses only what was in flight: rows are on disk before anything that depends on them is done.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.local import memory
from benchwarden.local.batch import LocalBatch, Site
from benchwarden.local.bench import Bench, Shop
from benchwarden.local.directory import Identity, RunDirectory, remove_tree
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.conditions import UNKNOWN, find
from benchwarden.reconcile.cycle import Cycle
from benchwarden.reconcile.decision import (
    Action,
    Decision,
    DeleteBatch,
    EmitEvent,
    LaunchBatch,
    LaunchProbe,
    StorePlan,
    StoreRows,
)
from benchwarden.reconcile.observed import Observed
from benchwarden.reconcile.world import BaseResults, RunView
from benchwarden.results.row import Row
from benchwarden.suites.instance import Panel
from benchwarden_runner import protocol

# Longer waits are cut, so that a lost wake-up can delay a run but never hang it.
_LONGEST_WAIT_SECONDS = 10.0
# A listener hears of these with their rows.
_SAID_BY_ROWS = frozenset({names.EVENT_INSTANCE_CHARGED, names.EVENT_LIMIT_REACHED})


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told what happens; all calls come from the loop's thread, in order.

    Attributes:
        planned: the plan, once per start, with the rows known from before.
        launched: name of a batch and its members' instances.
        recorded: rows that are durable now.
        told: a sentence and whether it is a warning.
    """

    planned: Callable[[Plan, tuple[Row, ...]], None]
    launched: Callable[[LaunchBatch], None]
    recorded: Callable[[tuple[Row, ...]], None]
    told: Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the executor is to run.

    Attributes:
        namespace: shown in results; nothing else depends on it.
        base: results to compare with, if the spec asks for it.
    """

    identity: Identity
    spec: BenchmarkRunSpec
    panel: Panel
    shop: Shop
    scratch: Path
    namespace: str = ""
    base: BaseResults | None = None


class LocalExecutor:
    """Runs one BenchmarkRun to its end."""

    def __init__(
        self,
        assignment: Assignment,
        directory: RunDirectory,
        listener: Listener,
        now: Callable[[], datetime],
    ) -> None:
        self._job = assignment
        self._directory = directory
        self._listener = listener
        self._now = now
        self._instances = {each.id: each for each in assignment.panel.instances}
        self._cycle = Cycle()
        self._batches: dict[str, LocalBatch] = {}
        self._plan: Plan | None = None
        self._status: Mapping[str, Any] = {}
        self._generation = 1
        self._changed = asyncio.Event()

    async def run(self) -> Mapping[str, Any]:
        """Run to the end and return the final status; when cancelled, stop all batches first."""
        memory.kill_tree(0, f"{self._job.identity.uid}/")  # left by a killed predecessor
        rows = self._directory.read_rows()
        self._cycle.load(rows, self._now())
        self._status = self._directory.read_status()
        # Whoever calls again may have changed anything about the run.
        self._generation = int(self._status.get("observedGeneration") or 0) + 1
        self._plan = self._directory.read_plan()
        if self._plan is not None:
            self._listener.planned(self._plan, tuple(rows))
        try:
            while True:
                self._changed.clear()
                decision = self._step()
                for action in decision.actions:
                    await self._carry_out(action)
                self._keep(decision.status)
                if self._at_rest(decision):
                    return self._status
                await self._wait(decision.requeue_after_seconds)
        finally:
            await self._stop_all()

    def _step(self) -> Decision:
        # A disk write costs nothing like an API call: rows are made durable at once, never gathered.
        self._cycle.last_stored_at = None
        identity = self._job.identity
        view = RunView(
            name=identity.name,
            namespace=self._job.namespace,
            uid=identity.uid,
            generation=self._generation,
            created_at=identity.created_at,
            spec=self._job.spec,
            status=self._status,
        )
        seen = Observed(tuple(self._batches[name].observed for name in sorted(self._batches)))
        return self._cycle.step(
            view, self._job.panel, self._plan, seen, self._job.base, self._now()
        )

    async def _carry_out(self, action: Action) -> None:
        match action:
            case StorePlan(plan):
                self._directory.write_plan(plan)
                self._plan = plan
                self._listener.planned(plan, ())
            case LaunchProbe(name):
                self._listener.told("checking the agent with one request", False)
                self._new_batch(name, names.ROLE_PROBE).start_probe(self._job.shop)
            case LaunchBatch(name, batch):
                self._listener.launched(action)
                members = batch.members
                benches = [self._bench(name, at, len(members), m) for at, m in enumerate(members)]
                self._new_batch(name, names.ROLE_BATCH, members).start(benches)
            case StoreRows(rows):
                self._directory.append_rows(rows)
                self._cycle.stored(rows, self._now())
                self._listener.recorded(rows)
            case DeleteBatch(name):
                await self._batches[name].stop()
                del self._batches[name]
            case EmitEvent(reason, message, warning):
                if message and reason not in _SAID_BY_ROWS:
                    self._listener.told(message, warning)
            case _:
                pass  # compaction, inputs of a cluster and the life time of objects have no meaning here

    def _new_batch(self, name: str, role: str, members: tuple[Any, ...] = ()) -> LocalBatch:
        site = Site(
            scratch=self._job.scratch / name,
            marker=f"{self._job.identity.uid}/{name}/",
            now=self._now,
            changed=self._changed.set,
        )
        site.scratch.mkdir(parents=True, exist_ok=True)
        batch = LocalBatch(name, role, f"{self._job.identity.uid}/{name}", members, site)
        self._batches[name] = batch
        self._cycle.inputs_ensured.add(name)
        return batch

    def _bench(self, name: str, position: int, size: int, member: Any) -> Bench:
        work = self._directory.trial(member)
        if work.exists():  # of a launch that was cut off before its row was stored
            remove_tree(work)
        facts = dict(self._plan.agent) if self._plan is not None else {}
        shop = self._job.shop
        return Bench(
            shop=replace(shop, cli_version=facts.get("cliVersion", shop.cli_version)),
            instance=self._instances[member.instance],
            scratch=self._job.scratch / name / str(position),
            work=work,
            message_bytes=protocol.message_limit_bytes(size),
        )

    def _keep(self, status: Mapping[str, Any] | None) -> None:
        if status is not None and status != self._status:
            self._directory.write_status(status)
            self._status = status

    def _at_rest(self, decision: Decision) -> bool:
        """Whether nothing will happen any more unless somebody changes the spec."""
        ended = find(self._status.get("conditions") or [], names.CONDITION_SUCCEEDED)
        if ended.get("status", UNKNOWN) != UNKNOWN:
            return decision.status is not None
        return decision.requeue_after_seconds is None and not self._busy()

    def _busy(self) -> bool:
        return any(not batch.observed.finished for batch in self._batches.values())

    async def _wait(self, seconds: float | None) -> None:
        longest = _LONGEST_WAIT_SECONDS if seconds is None else min(seconds, _LONGEST_WAIT_SECONDS)
        # Not wait_for: before Python 3.12 it can swallow a cancellation that comes with the event.
        with suppress(TimeoutError):  # the longest wait is over
            async with asyncio.timeout(longest):
                await self._changed.wait()

    async def _stop_all(self) -> None:
        await asyncio.gather(*(batch.stop() for batch in self._batches.values()))
