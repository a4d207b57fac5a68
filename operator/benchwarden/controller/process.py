"""The operator's process: client, lease, sight, workers and metrics put together and taken apart again."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from benchwarden import names
from benchwarden.controller.acting import Actor
from benchwarden.controller.controller import Controller
from benchwarden.controller.releasing import Releasing
from benchwarden.controller.samples import snapshot
from benchwarden.controller.schedule_acting import ScheduleActor
from benchwarden.controller.schedules import ScheduleController
from benchwarden.errors import BenchwardenError
from benchwarden.kube.access import Access
from benchwarden.kube.client import KubeClient
from benchwarden.kube.events import EventRecorder
from benchwarden.kube.lease import Lease, LeaseSettings
from benchwarden.kube.resources import RUNS
from benchwarden.kube.session import ClientSettings
from benchwarden.kube.sources import ConfigMapSource
from benchwarden.kube.view import ClusterView
from benchwarden.manifests.settings import ManifestSettings, gateway_peers
from benchwarden.settings import Settings
from benchwarden.suites.sources import OutsideSources, Sources
from benchwarden.telemetry.instruments import Instruments
from benchwarden.telemetry.server import TelemetryServer

_LOG = logging.getLogger(__name__)

WORKERS = 4
SCHEDULE_WORKERS = 2
LAG_TICK_SECONDS = 1.0
LIVE_LAG_SECONDS = 30.0
LIVE_SILENCE_SECONDS = 600.0
SWEEP_SECONDS = 300.0
# Items of a list come without their type.
_RUN_TYPE = {"apiVersion": names.API_VERSION, "kind": names.RUN_KIND}


class Process:
    """Everything that lives as long as the operator does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tasks: list[asyncio.Task[Any]] = []
        self._lag_seconds = 0.0
        self.instruments = Instruments(("run", "schedule"))
        burst = int(settings.requests_per_second * 2)
        self._client = KubeClient(
            Access(), ClientSettings(per_second=settings.requests_per_second, burst=burst)
        )
        lease_seconds = settings.lease_seconds
        self._lease = Lease(
            self._client,
            settings.own_namespace,
            names.COMPONENT,
            settings.identity,
            LeaseSettings(
                duration_seconds=lease_seconds,
                renew_seconds=lease_seconds / 5,
                margin_seconds=lease_seconds / 4,
            ),
        )
        self._client.fence = self._lease.check
        self._sight = ClusterView(self._client, settings.namespaces, self._wake)
        manifests = ManifestSettings(
            settings.runner_image,
            settings.runner_pull_policy,
            must_fail_address=settings.must_fail_address,
            gateway_peers=gateway_peers(settings.gateway_service, settings.gateway_labels),
            gateway_service=settings.gateway_service,
            uploader_image=settings.uploader_image,
        )
        events = EventRecorder(self._client, settings.identity)
        self.controller = Controller(
            self._client,
            Actor(self._client, events, manifests, Releasing(settings.npm_registry)),
            self._sight,
            self._lease,
            self._sources,
            self.instruments,
            self._client.server_clock.now,
        )
        self.schedules = ScheduleController(
            self._client,
            ScheduleActor(self._client, events),
            self._lease,
            self.instruments,
            self._client.server_clock.now,
        )
        self.controller.before_end = self.schedules.run_ending
        self._server = TelemetryServer(
            self._snapshot, self._live, self._ready, port=settings.metrics_port
        )

    def _wake(self, uid: str) -> None:
        if uid in self.controller.records:
            self.controller.passes.queue.add(uid)

    def _sources(self, namespace: str) -> Sources:
        return OutsideSources(ConfigMapSource(self._client, namespace).read_config_map)

    async def start(self) -> None:
        """Start everything; workers begin once the cluster was seen and the lease is held."""
        self._server.start()
        self._tasks = [
            asyncio.create_task(self._lease.run(), name="lease"),
            asyncio.create_task(self._sight.run(), name="sight"),
            asyncio.create_task(self._watch_lag(), name="lag"),
            asyncio.create_task(self._sweep(), name="sweep"),
            *(asyncio.create_task(self._worker(), name=f"worker-{n}") for n in range(WORKERS)),
            *(
                asyncio.create_task(self.schedules.passes.work(), name=f"schedule-worker-{n}")
                for n in range(SCHEDULE_WORKERS)
            ),
        ]

    async def stop(self) -> None:
        """Stop in reverse; the lease is released so that a successor need not wait."""
        for task in reversed(self._tasks):
            task.cancel()
        for task in reversed(self._tasks):
            with contextlib.suppress(asyncio.CancelledError, Exception):  # it ends anyway
                await task
        self._server.stop()
        await self._client.__aexit__(None, None, None)

    def see(self, raw: Mapping[str, Any], *, deleted: bool) -> None:
        """Take in a run as kopf's watch shows it."""
        self.controller.see(raw, deleted=deleted)
        self.schedules.see_run(raw, deleted=deleted)

    def see_schedule(self, raw: Mapping[str, Any], *, deleted: bool) -> None:
        """Take in a schedule as kopf's watch shows it."""
        self.schedules.see(raw, deleted=deleted)

    async def _worker(self) -> None:
        await self._sight.synced.wait()
        await self.controller.passes.work()

    async def _sweep(self) -> None:
        """Compare what is remembered with what exists: kopf tells of no deletion that a re-list hides."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            known = dict(self.controller.records)  # before the list: what comes later is not in it
            try:
                found = [
                    run
                    for place in self.settings.namespaces or ("",)
                    for run in await self._client.list_all(RUNS, place)
                ]
            except BenchwardenError as error:
                _LOG.warning("runs could not be listed: %s", error)
                continue
            existing = {str(run["metadata"]["uid"]) for run in found}
            for uid, record in known.items():
                if uid not in existing:
                    self.see(record.raw, deleted=True)
            for run in found:
                self.see({**_RUN_TYPE, **run}, deleted=False)

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_TICK_SECONDS
            await asyncio.sleep(LAG_TICK_SECONDS)
            self._lag_seconds = max(0.0, loop.time() - due)
            self.instruments.loop_lag(self._lag_seconds)
            self.instruments.queue("run", len(self.controller.passes.queue))
            self.instruments.queue("schedule", len(self.schedules.passes.queue))
            heard = self._client.server_clock.now() - timedelta(seconds=self._sight.age_seconds())
            self.instruments.informed("jobs_and_pods", heard)

    def _snapshot(self) -> Any:
        return snapshot(
            tuple(self.controller.records.values()),
            self.instruments,
            self._client.stats(),
            tuple(self.schedules.records.values()),
        )

    def _live(self) -> list[str]:
        problems = []
        if self._lag_seconds > LIVE_LAG_SECONDS:
            problems.append(f"the event loop is {self._lag_seconds:.0f} s late")
        silence = self._sight.age_seconds()
        if silence > LIVE_SILENCE_SECONDS:
            problems.append(f"the API server has not been heard of for {silence:.0f} s")
        problems += [f"task {task.get_name()} has ended" for task in self._tasks if task.done()]
        return problems

    def _ready(self) -> list[str]:
        problems = self._live()
        if not self._sight.synced.is_set():
            problems.append("Jobs and pods are still being listed")
        if not self._lease.held():
            problems.append("the lease is not held")
        return problems
