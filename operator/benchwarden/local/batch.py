"""A local batch shows itself exactly as a pod would: the same containers, states, codes, messages and times."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from benchwarden import names
from benchwarden.errors import BenchwardenError
from benchwarden.local import bench as benches
from benchwarden.local import workspace
from benchwarden.local.bench import Bench, Shop
from benchwarden.local.directory import remove_tree
from benchwarden.local.processes import COMPLETED, DEADLINE, ERROR, Command, End, in_thread, run
from benchwarden.planning.plan import Member
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.observed import ObservedBatch, ObservedContainer, ObservedPod
from benchwarden_runner import protocol

_LOG = logging.getLogger(__name__)
PENDING: Final = "Pending"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
_JOB_COMPLETE: Final = "Complete"
_JOB_FAILED: Final = "Failed"


@dataclass(frozen=True, slots=True)
class Site:
    """What a batch needs from its surroundings.

    Attributes:
        scratch: folder of this batch alone.
        marker: start of the markers of its processes.
        changed: called whenever there is something new to see.
    """

    scratch: Path
    marker: str
    now: Callable[[], datetime]
    changed: Callable[[], None]


class LocalBatch:
    """Runs its members one after the other and can be looked at any time."""

    def __init__(
        self, name: str, role: str, uid: str, members: tuple[Member, ...], site: Site
    ) -> None:
        self.name = name
        self._site = site
        self._task: asyncio.Task[None] | None = None
        created = site.now()
        self._seen = ObservedBatch(
            name=name,
            role=role,
            uid=uid,
            members=members,
            created_at=created,
            started=True,
            pod=ObservedPod(
                uid=uid, name=name, created_at=created, containers=_waiting(role, members)
            ),
        )

    @property
    def observed(self) -> ObservedBatch:
        """What a cluster would show of the batch now."""
        return self._seen

    def start(self, benches_of: Sequence[Bench]) -> None:
        """Work on the members; returns at once."""
        self._start(lambda: self._members(benches_of))

    def start_probe(self, shop: Shop) -> None:
        """Ask the agent's service once; returns at once."""
        self._start(lambda: self._probe(shop))

    async def stop(self) -> None:
        """End all processes and remove the work trees; harmless if it has ended already."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await in_thread(remove_tree, self._site.scratch)

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        async def carried() -> None:
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # a batch that stopped must show it, or all wait for ever
                self._break(f"{type(error).__name__}: {error}")

        self._task = asyncio.get_running_loop().create_task(carried(), name=self.name)

    async def _members(self, benches_of: Sequence[Bench]) -> None:
        self._set(names.CONTAINER_INJECT, state=seen.TERMINATED, reason=COMPLETED)
        for position, bench in enumerate(benches_of):
            for step, prefix in (
                (benches.AGENT, names.AGENT_PREFIX),
                (benches.GRADE, names.GRADE_PREFIX),
            ):
                end = await self._step(f"{prefix}{position}", bench, step)
                if end.exit_code or step == benches.GRADE:
                    await self._keep(bench, self._seen.members[position])
                if end.exit_code:
                    self._finish(FAILED, DEADLINE if end.reason == DEADLINE else "")
                    return
            await in_thread(remove_tree, bench.scratch)
        self._set(names.CONTAINER_FINISH, state=seen.TERMINATED, reason=COMPLETED)
        self._finish(SUCCEEDED)

    async def _keep(self, bench: Bench, member: Member) -> None:
        try:
            await in_thread(bench.keep, member)
        except OSError as error:  # as on a cluster: nothing that is kept is worth a verdict
            _LOG.warning("artifacts of %s: %s", member.instance, error)

    async def _step(self, container: str, bench: Bench, step: str) -> End:
        self._set(container, state=seen.RUNNING, started_at=self._site.now())
        image = ""
        try:
            image = await in_thread(workspace.fingerprint, bench.instance)
            command = await in_thread(bench.prepare, step)
        except (BenchwardenError, OSError) as error:
            self._end(container, End(protocol.EXIT_HARNESS, ERROR), f"{error}", image)
            return End(protocol.EXIT_HARNESS, ERROR)
        end = await self._run(command, container)
        self._end(container, end, bench.read_message(step), image)
        return end

    async def _probe(self, shop: Shop) -> None:
        container = names.CONTAINER_PROBE
        self._set(container, state=seen.RUNNING, started_at=self._site.now())
        command = await in_thread(benches.probe_command, shop, self._site.scratch)
        end = await self._run(command, container)
        self._end(container, end, benches.read_message(self._site.scratch), "")
        self._finish(FAILED if end.exit_code else SUCCEEDED)

    async def _run(self, command: Command, container: str) -> End:
        try:
            return await run(command, f"{self._site.marker}{container}/")
        except OSError as error:
            command.log.write_text(f"{error}\n")
            return End(protocol.EXIT_HARNESS, ERROR)

    def _end(self, container: str, end: End, message: str, image: str) -> None:
        self._set(
            container,
            state=seen.TERMINATED,
            reason=end.reason,
            exit_code=end.exit_code,
            message=message,
            finished_at=self._site.now(),
            image_id=image,
        )

    def _set(self, container: str, **facts: object) -> None:
        pod = self._pod
        containers = tuple(
            replace(each, **facts) if each.name == container else each  # type: ignore[arg-type]  # fields by name
            for each in pod.containers
        )
        self._seen = replace(self._seen, pod=replace(pod, containers=containers))
        self._site.changed()

    def _break(self, message: str) -> None:
        running = [each.name for each in self._pod.containers if each.state == seen.RUNNING]
        for container in running:
            self._end(container, End(protocol.EXIT_HARNESS, ERROR), message, "")
        self._finish(FAILED)

    def _finish(self, phase: str, reason: str = "") -> None:
        finished = _JOB_COMPLETE if phase == SUCCEEDED else _JOB_FAILED
        pod = replace(self._pod, phase=phase, reason=reason)
        self._seen = replace(self._seen, pod=pod, finished=finished, finished_reason=reason)
        self._site.changed()

    @property
    def _pod(self) -> ObservedPod:
        assert self._seen.pod is not None  # noqa: S101  # set at birth, never taken away
        return self._seen.pod


def _waiting(role: str, members: tuple[Member, ...]) -> tuple[ObservedContainer, ...]:
    if role == names.ROLE_PROBE:
        return (ObservedContainer(names.CONTAINER_PROBE),)
    chain = [names.CONTAINER_INJECT]
    for position in range(len(members)):
        chain += [f"{names.AGENT_PREFIX}{position}", f"{names.GRADE_PREFIX}{position}"]
    return tuple(ObservedContainer(name) for name in (*chain, names.CONTAINER_FINISH))
