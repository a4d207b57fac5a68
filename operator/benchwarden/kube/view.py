"""The operator's sight of the cluster: informers on Jobs and pods, joined into what each run's pass reads."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from benchwarden import names
from benchwarden.kube import pruning
from benchwarden.kube.client import KubeClient
from benchwarden.kube.informer import Informer, InformerSettings
from benchwarden.kube.observation import Observation
from benchwarden.kube.projection import JobFact, PodFact, job_fact, pod_fact
from benchwarden.kube.refusals import Refusals
from benchwarden.kube.resources import JOBS, PODS
from benchwarden.reconcile.observed import Observed

SELECTOR = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY},{names.LABEL_RUN_UID}"

F = TypeVar("F")


class _Relay(Generic[F]):
    """Passes facts on to the observation and wakes the run they are about."""

    def __init__(
        self,
        take: Callable[[F | None, F | None], str],
        wake: Callable[[str], None],
        began: Callable[[], None] = lambda: None,
        ended: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._take = take
        self._wake = wake
        self._began = began
        self._ended = ended

    def changed(self, uid: str, old: F | None, new: F | None) -> None:  # noqa: ARG002  # the informer tells both
        run_uid = self._take(old, new)
        if run_uid:
            self._wake(run_uid)

    def list_began(self) -> None:
        self._began()

    def list_ended(self) -> None:
        for run_uid in self._ended():
            self._wake(run_uid)


class ClusterView:
    """What is seen of all runs' Jobs and pods; `run` it in a task of its own.

    Attributes:
        synced: set once all Jobs and pods that exist were seen.
    """

    def __init__(
        self,
        client: KubeClient,
        namespaces: Iterable[str],
        wake: Callable[[str], None],
        settings: InformerSettings | None = None,
    ) -> None:
        """Prepare to watch.

        Args:
            client: the door.
            namespaces: where to look; empty = everywhere.
            wake: called with a run's UID whenever something of it changed; must be quick.
            settings: times of the informers.
        """
        self._client = client
        self._observation = Observation()
        self._refusals = Refusals(client, self._observation, wake)
        places = tuple(namespaces) or ("",)
        self._pods = [self._pod_informer(place, wake, settings) for place in places]
        self._jobs = [self._job_informer(place, wake, settings) for place in places]
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled.

        Pods are listed before Jobs: a Job is older than its pod, so a pod whose Job the later list does
        not show has lost it.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for kind in (self._pods, self._jobs):
                    for informer in kind:
                        group.create_task(informer.run())
                    for informer in kind:
                        await informer.synced.wait()
                self.synced.set()
        finally:
            await self._refusals.stop()

    def of_run(self, run_uid: str, now: datetime) -> Observed:
        """All batches of a run, in name order."""
        return self._observation.of_run(run_uid, now)

    def acknowledge(self, run_uid: str, seen: Observed) -> None:
        """What `seen` shows as gone has been stored and is needed no longer."""
        self._observation.acknowledge(run_uid, seen)

    def forget(self, run_uid: str) -> None:
        """The run was deleted: keep nothing for it that does not exist."""
        self._observation.forget(run_uid)
        self._refusals.forget(run_uid)

    def age_seconds(self) -> float:
        """Seconds since the API server was last heard of, by the most silent informer."""
        return max(informer.age_seconds() for informer in self._informers())

    def errors(self) -> int:
        """Failures that the informers survived."""
        return sum(informer.errors for informer in self._informers())

    def relists(self) -> int:
        """Complete lists that the informers made."""
        return sum(informer.relists for informer in self._informers())

    def objects(self) -> int:
        """Jobs and pods in memory."""
        return sum(len(informer.cache) for informer in self._informers())

    def look_for_refusals(self, run_uid: str, now: datetime) -> None:
        """Begin to ask why a Job of the run has no pod, if one should have had it by now; see `Refusals`."""
        self._refusals.look(run_uid, now)

    def _informers(self) -> tuple[Informer[PodFact] | Informer[JobFact], ...]:
        return (*self._pods, *self._jobs)

    def _pod_informer(
        self, place: str, wake: Callable[[str], None], settings: InformerSettings | None
    ) -> Informer[PodFact]:
        relay = _Relay[PodFact](self._observation.pod_changed, wake)
        path = PODS.collection(place)
        return Informer(self._client, path, SELECTOR, pruning.PODS, pod_fact, relay, settings)

    def _job_informer(
        self, place: str, wake: Callable[[str], None], settings: InformerSettings | None
    ) -> Informer[JobFact]:
        relay = _Relay[JobFact](
            self._observation.job_changed,
            wake,
            lambda: self._observation.job_list_began(place),
            lambda: self._observation.job_list_ended(place),
        )
        path = JOBS.collection(place)
        return Informer(self._client, path, SELECTOR, pruning.JOBS, job_fact, relay, settings)
