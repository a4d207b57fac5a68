"""Acting: each action of a decision as API calls that may be repeated; the first failure ends the pass."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benchwarden import names
from benchwarden.clis.packument import PUBLIC_REGISTRY
from benchwarden.controller import durable
from benchwarden.controller.record import Record
from benchwarden.controller.releasing import Releasing
from benchwarden.errors import ConflictError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ForbiddenError, InvalidObjectError
from benchwarden.kube.events import EventRecorder, Subject
from benchwarden.kube.resources import JOBS, RUNS
from benchwarden.manifests import inputs, job, network, probe
from benchwarden.manifests.naming import probe_name
from benchwarden.manifests.settings import ManifestSettings
from benchwarden.planning.plan import Batch, Member
from benchwarden.reconcile import decision as actions
from benchwarden.reconcile.decision import Action
from benchwarden.reconcile.observed import ObservedBatch
from benchwarden.reconcile.probing import release_of
from benchwarden.reconcile.world import RunView
from benchwarden_runner.specs import CliRelease

_LOG = logging.getLogger(__name__)

# Of one pass: neither many Jobs nor a slow API server make it long, for news waits until it is over.
ACTING_TIME = timedelta(seconds=0.5)
CAN_WAIT = (actions.LaunchBatch, actions.DeleteBatch, actions.EnsureInputs)


async def carry_out(
    chosen: Iterable[Action],
    act: Callable[[Action], Awaitable[None]],
    clock: Callable[[], datetime],
) -> bool:
    """Carry out actions in their order until the pass has taken its time.

    Jobs can wait, verdicts that came meanwhile cannot: what is put off is decided anew by the next pass,
    which sees them first. One of those actions is done in every pass, so that each comes further.

    Returns:
        Whether something was put off.
    """
    put_off, begun_at = False, None
    for action in chosen:
        if isinstance(action, CAN_WAIT):
            begun_at = begun_at or clock()
            if clock() - begun_at > ACTING_TIME:
                put_off = True
                continue
        await act(action)
    return put_off


@dataclass(frozen=True, slots=True)
class Actor:
    """Carries out actions for any run."""

    client: KubeClient
    events: EventRecorder
    settings: ManifestSettings
    releasing: Releasing = field(default_factory=lambda: Releasing(PUBLIC_REGISTRY))

    async def act(self, record: Record, view: RunView, action: Action, now: datetime) -> None:
        """Carry out one action.

        Raises:
            ApiError: the API server did not do it; the pass ends and is tried again.
        """
        match action:
            case actions.StorePlan(plan):
                await self._ensure_network(record, view)
                await durable.store_plan(self.client, record.identity, plan)
                record.loaded = False  # read back what is really stored
            case actions.PinRelease():
                self.releasing.begin(self.client, record, view)
            case actions.LaunchProbe(name, attempt):
                await self._launch_probe(record, view, name, attempt, now)
            case actions.LaunchBatch(name, batch):
                await self._launch(record, view, name, batch, now)
            case actions.EnsureInputs(name, uid, batch):
                await self._ensure_inputs(record, view, name, uid, batch)
            case actions.StoreRows(rows):
                await durable.store_rows(self.client, record, rows)
                record.cycle.stored(rows, now)
            case actions.DeleteBatch(name, uid):
                await self.client.delete(JOBS, record.identity.namespace, name, uid=uid)
                record.deleted.add(uid)
                record.expected.pop(name, None)
            case actions.Compact():
                await durable.compact(self.client, record)
            case actions.DeleteRun():
                identity = record.identity
                await self.client.delete(RUNS, identity.namespace, identity.name, uid=identity.uid)
            case actions.EmitEvent():
                await self.say(record, action, now)

    async def say(self, record: Record, event: actions.EmitEvent, now: datetime) -> None:
        """Emit an event about the run; its loss loses nothing."""
        run = record.identity
        subject = Subject(names.API_VERSION, names.RUN_KIND, run.namespace, run.name, run.uid)
        await self.events.emit(subject, event.reason, event.message, now, warning=event.warning)

    async def _ensure_network(self, record: Record, view: RunView) -> None:
        if record.network_ensured:
            return
        policy = network.network_policy(record.identity, view.spec, self.settings, _release(record))
        if policy is not None:
            await self.client.create_or_adopt(policy)
        record.network_ensured = True

    async def _launch_probe(
        self, record: Record, view: RunView, name: str, attempt: int, now: datetime
    ) -> None:
        await self._ensure_network(record, view)
        release = _release(record)
        own = probe_name(record.identity.name, record.identity.uid, attempt)
        await self.client.create_or_adopt(
            inputs.probe_input(
                record.identity, view.spec, self.settings, own, release.version if release else ""
            )
        )
        manifest = probe.probe_job(record.identity, view.spec, self.settings, attempt, release)
        try:
            created = await self.client.create_or_adopt(manifest)
        except (ForbiddenError, InvalidObjectError, ConflictError) as error:
            record.expected[name] = _refused(name, names.ROLE_PROBE, (), str(error), now)
            return
        uid = str(created["metadata"]["uid"])
        record.expected[name] = ObservedBatch(name, names.ROLE_PROBE, uid, created_at=now)

    async def _launch(
        self, record: Record, view: RunView, name: str, batch: Batch, now: datetime
    ) -> None:
        await self._ensure_network(record, view)
        version = dict(record.plan.agent).get("cliVersion", "") if record.plan else ""
        manifest = job.batch_job(
            record.identity,
            view.spec,
            batch,
            record.instances,
            self.settings,
            version,
            _release(record),
        )
        try:
            created = await self.client.create_or_adopt(manifest)
        except (ForbiddenError, InvalidObjectError, ConflictError) as error:
            _LOG.warning("Job %s was refused: %s", name, error)
            record.expected[name] = _refused(name, names.ROLE_BATCH, batch.members, str(error), now)
            return
        uid = str(created["metadata"]["uid"])
        await self._ensure_inputs(record, view, name, uid, batch)
        record.expected[name] = ObservedBatch(
            name,
            names.ROLE_BATCH,
            uid,
            batch.members,
            created_at=now,
            suspended=view.spec.execution.queue_name is not None,
        )

    async def _ensure_inputs(
        self, record: Record, view: RunView, name: str, uid: str, batch: Batch
    ) -> None:
        version = dict(record.plan.agent).get("cliVersion", "") if record.plan else ""
        packed = inputs.pack(view.spec, batch, record.instances, self.settings, version)
        for manifest in inputs.batch_inputs(record.identity, packed, name, uid):
            await self.client.create_or_adopt(manifest)
        record.cycle.inputs_ensured.add(name)


def _release(record: Record) -> CliRelease | None:
    """The CLI that pods bring from a registry: the plan's, before there is one the run's."""
    if record.plan is not None:
        return release_of(record.plan)
    found = record.cycle.release
    return found if isinstance(found, CliRelease) else None


def _refused(
    name: str, role: str, members: tuple[Member, ...], message: str, now: datetime
) -> ObservedBatch:
    """A Job that the API server would not take, shown as what it is until it is tried again."""
    return ObservedBatch(
        name, role, "", members, created_at=now, create_failure=message[:1000] or "refused"
    )
