"""Why a Job has no pod: only events say so, and they are asked seldom and beside the passes.

An API server reads all events of a namespace to find those of one Job, so that a look may take seconds of a
busy one. No pass waits for it: the run is woken if there is something to tell.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from benchwarden.errors import BenchwardenError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.events import refusal_of
from benchwarden.kube.observation import Observation, PodlessJob

_LOG = logging.getLogger(__name__)

# A healthy Job has its pod well within this time.
POD_PATIENCE = timedelta(seconds=3)
# One refused Job speaks for its run: they all have the same shape.
LOOKS_PER_RUN = timedelta(seconds=20)
# After a look comes a rest so many times as long: what is dear is asked seldom, whatever the number of runs.
REST_RATIO = 10.0


class Refusals:
    """Asks about one Job at a time and notes what it learns in the observation."""

    def __init__(
        self,
        client: KubeClient,
        observation: Observation,
        wake: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to ask.

        Args:
            client: the door.
            observation: what is known of Jobs, and where the answers go.
            wake: called with a run's UID when something new was learnt of it.
            clock: seconds that only grow.
        """
        self._client = client
        self._observation = observation
        self._wake = wake
        self._clock = clock
        self._looked_at: dict[str, datetime] = {}
        self._rests_until = clock()
        self._look: asyncio.Task[None] | None = None

    def look(self, run_uid: str, now: datetime) -> None:
        """Begin to ask about the run's first Job that should have had a pod by now, if it is time to."""
        if self._look is not None or self._clock() < self._rests_until:
            return
        last = self._looked_at.get(run_uid)
        if last is not None and now - last < LOOKS_PER_RUN:
            return
        podless = self._observation.podless(run_uid, now, POD_PATIENCE)
        if not podless:
            return
        self._looked_at[run_uid] = now
        job = min(podless, key=lambda each: each.name)
        self._look = asyncio.create_task(self._ask(run_uid, job), name="refusals")

    def forget(self, run_uid: str) -> None:
        """The run was deleted."""
        self._looked_at.pop(run_uid, None)

    async def stop(self) -> None:
        """End a look that still goes on."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait([self._look])

    async def _ask(self, run_uid: str, job: PodlessJob) -> None:
        began = self._clock()
        try:
            message = await refusal_of(self._client, job.namespace, job.uid)
            if message and self._observation.note_refusal(run_uid, job.uid, message):
                self._wake(run_uid)
        except BenchwardenError as error:
            _LOG.warning("no word on why Job %s has no pod: %s", job.name, error)
        except Exception:  # noqa: BLE001  # whatever an event holds, the next look must come
            _LOG.exception("no word on why Job %s has no pod", job.name)
        finally:
            ended = self._clock()
            self._rests_until = ended + REST_RATIO * (ended - began)
            self._look = None
