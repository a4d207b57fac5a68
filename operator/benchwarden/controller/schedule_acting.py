"""Acting for schedules: each action of a decision as API calls that may be repeated."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.api.parse import parse_run
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.controller import durable, schedule_store
from benchwarden.controller.record import Record
from benchwarden.controller.schedule_record import ScheduleRecord
from benchwarden.errors import ConflictError, InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ForbiddenError, InvalidObjectError, NotFoundError
from benchwarden.kube.events import EventRecorder, Subject
from benchwarden.kube.resources import CONFIG_MAPS, RUNS
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.results.cells import RunCells
from benchwarden.results.row import Row
from benchwarden.scheduling import decision as actions
from benchwarden.scheduling.decision import Action
from benchwarden.scheduling.identity import series_identity
from benchwarden.scheduling.launching import run_manifest
from benchwarden.scheduling.observed import RunFact
from benchwarden.scheduling.rollup import roll_up, without_cells
from benchwarden.scheduling.world import ScheduleView

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleActor:
    """Carries out actions for any schedule."""

    client: KubeClient
    events: EventRecorder

    async def act(
        self, record: ScheduleRecord, view: ScheduleView, action: Action, now: datetime
    ) -> None:
        """Carry out one action but a roll-up.

        Raises:
            ApiError: the API server did not do it; the pass ends and is tried again.
        """
        match action:
            case actions.LaunchRun():
                await self._launch(record, view, action, now)
            case actions.CancelRun(run):
                change = {"spec": {"cancel": True}}
                record.take_run(
                    await self.client.patch(RUNS, record.namespace, run.name, change),
                    deleted=False,
                )
            case actions.TakeNotes(notes):
                await schedule_store.append(self.client, record, view, notes)
            case actions.DeleteRun(run):
                await self.client.delete(RUNS, record.namespace, run.name, uid=run.uid)
                record.take_run({"metadata": {"uid": run.uid}}, deleted=True)
            case actions.RollUp(run):
                await self.roll_up(record, view, (run,), now)
            case EmitEvent():
                await self.say(record, action, now)

    async def say(self, record: ScheduleRecord, event: EmitEvent, now: datetime) -> None:
        """Emit an event about the schedule; its loss loses nothing."""
        subject = Subject(
            names.API_VERSION, names.SCHEDULE_KIND, record.namespace, record.name, record.uid
        )
        await self.events.emit(subject, event.reason, event.message, now, warning=event.warning)

    async def roll_up(
        self, record: ScheduleRecord, view: ScheduleView, runs: Sequence[RunFact], now: datetime
    ) -> None:
        """Store the cells of ended runs, all in one write."""
        entries = [await self._cells(record, view, run, now) for run in runs]
        await schedule_store.append(self.client, record, view, entries)

    async def _cells(
        self, record: ScheduleRecord, view: ScheduleView, run: RunFact, now: datetime
    ) -> RunCells:
        day = view.timetable.day_of(run.slot).isoformat()
        raw = record.runs[run.uid]
        try:
            stored = await durable.read(
                self.client, RunIdentity(run.name, record.namespace, run.uid)
            )
            if stored.plan is None:
                return without_cells(run, day)
            spec = parse_run(raw).spec
        except (InvalidInputError, ValueError) as error:
            text = f"the results of {run.name} cannot be read and count as missing: {error}"
            await self.say(
                record, EmitEvent(names.EVENT_RESULTS_UNREADABLE, text, warning=True), now
            )
            return without_cells(run, day, names.EVENT_RESULTS_UNREADABLE)
        return _entry(run, day, raw, spec, stored.plan, stored.rows)

    async def keep(
        self, record: ScheduleRecord, view: ScheduleView, ending: Record, run: RunFact
    ) -> None:
        """Store the cells of a run that is about to say it has ended, from what its own pass knows."""
        if ending.plan is None or ending.view is None:
            return
        day = view.timetable.day_of(run.slot).isoformat()
        rows, spec = ending.cycle.tally.rows, ending.view.spec
        entry = _entry(run, day, ending.raw, spec, ending.plan, rows)
        await schedule_store.append(self.client, record, view, [entry])

    async def _launch(
        self,
        record: ScheduleRecord,
        view: ScheduleView,
        launch: actions.LaunchRun,
        now: datetime,
    ) -> None:
        digest = await self._config_digest(record.namespace, view.spec.template.spec)
        manifest = run_manifest(
            view, launch.name, launch.slot, launch.series, launch.factor, digest
        )
        try:
            created = await self.client.create_or_adopt(manifest)
        except (ForbiddenError, InvalidObjectError, ConflictError) as error:
            text = f"{launch.name} cannot be created: {error}"
            await self.say(record, EmitEvent(names.REASON_RUN_REFUSED, text, warning=True), now)
            raise
        record.take_run(created, deleted=False)

    async def _config_digest(self, namespace: str, spec: BenchmarkRunSpec) -> str:
        """Digest of the user's own agent configuration as it is when a run starts."""
        claude = spec.agent.claude_code
        if claude is None or claude.user_config is None:
            return ""
        try:
            found = await self.client.get(
                CONFIG_MAPS, namespace, claude.user_config.config_map.name
            )
        except NotFoundError:
            return ""  # the run itself will say so
        content = [found.get("data") or {}, found.get("binaryData") or {}]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _entry(
    run: RunFact,
    day: str,
    raw: Mapping[str, Any],
    spec: BenchmarkRunSpec,
    plan: Plan,
    rows: Iterable[Row],
) -> RunCells:
    annotations = (raw.get("metadata") or {}).get("annotations") or {}
    config = str(annotations.get(names.ANNOTATION_CONFIG_DIGEST) or "")
    identity = series_identity(spec, plan.panel_digest, config)
    claude = spec.agent.claude_code
    return roll_up(run, day, plan, rows, identity, claude.model if claude is not None else "")
