"""Pinning the agent's CLI: the registry is asked once per run, and what it said is stored before anything starts.

The stored answer is the truth: an operator that takes over reads it and asks nobody. Trouble that may pass is
met with a few more attempts; then the run ends with the reason.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from benchwarden import names
from benchwarden.api.agent import ClaudeCode
from benchwarden.clis import registry
from benchwarden.clis.packument import FIELD_REGISTRY
from benchwarden.controller.record import Record
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import NotFoundError
from benchwarden.kube.resources import CONFIG_MAPS
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.naming import release_name
from benchwarden.manifests.settings import RunIdentity
from benchwarden.reconcile.world import RunView, Unreleased
from benchwarden_runner.specs import CliRelease, SpecError

_LOG = logging.getLogger(__name__)
_KEY: Final = "release.json"
_DELAYS_SECONDS: Final = (2.0, 4.0, 8.0, 16.0)


@dataclass(slots=True)
class Releasing:
    """Pins releases, one task per run.

    Attributes:
        default: registry of runs that name none.
        resolve: asks a registry for a version; blocking.
        delays_seconds: pauses between attempts; one attempt more than pauses.
    """

    default: str
    resolve: Callable[[str, str], CliRelease] = registry.resolve_here
    delays_seconds: tuple[float, ...] = _DELAYS_SECONDS
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def begin(self, client: KubeClient, record: Record, view: RunView) -> None:
        """Start pinning the run's release, unless that is under way; the record has it afterwards."""
        uid = record.identity.uid
        claude = view.spec.agent.claude_code
        if uid in self.tasks or claude is None:
            return
        task = asyncio.create_task(self._pin(client, record, claude, view.spec.retry))
        self.tasks[uid] = task
        task.add_done_callback(lambda _: self.tasks.pop(uid, None))

    async def _pin(
        self, client: KubeClient, record: Record, claude: ClaudeCode, round: int
    ) -> None:
        try:
            record.cycle.release = await self._settled(client, record.identity, claude, round)
        except (BenchwardenError, SpecError) as error:
            # The API server's trouble, not the registry's: later passes begin anew.
            _LOG.warning("release of run %s: %s", record.identity.name, error)
            await asyncio.sleep(self.delays_seconds[0])

    async def _settled(
        self, client: KubeClient, run: RunIdentity, claude: ClaudeCode, round: int
    ) -> CliRelease | Unreleased | None:
        found = await _stored(client, run)
        if found is not None:
            return found
        asked = await self._asked(claude, round)
        if isinstance(asked, Unreleased):
            return asked
        await client.create_or_adopt(release_config_map(run, asked))
        return await _stored(client, run)  # what is really stored

    async def _asked(self, claude: ClaudeCode, round: int) -> CliRelease | Unreleased:
        """What the registry says, at the latest at the last attempt."""
        source, problem = claude.registry_url or self.default, ""
        for delay in (0.0, *self.delays_seconds):
            await asyncio.sleep(delay)
            try:
                return await asyncio.to_thread(self.resolve, claude.version, source)
            except InvalidInputError as error:
                return Unreleased(error.reason, str(error), round)
            except UnavailableError as error:
                _LOG.warning("%s", error)
                problem = str(error)
        text = f"{FIELD_REGISTRY}: {problem}; mend it, then raise spec.retry"
        return Unreleased(names.REASON_REGISTRY_UNAVAILABLE, text, round)


def release_config_map(run: RunIdentity, release: CliRelease) -> dict[str, Any]:
    """The ConfigMap that pins a release; immutable."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": run_metadata(run, names.ROLE_RELEASE, release_name(run.name, run.uid)),
        "immutable": True,
        "data": {_KEY: release.to_json()},
    }


async def _stored(client: KubeClient, run: RunIdentity) -> CliRelease | None:
    try:
        found: Mapping[str, Any] = await client.get(
            CONFIG_MAPS, run.namespace, release_name(run.name, run.uid)
        )
    except NotFoundError:
        return None
    return CliRelease.from_json(str((found.get("data") or {}).get(_KEY, "")))
