"""What the process knows of one run between passes: a cache of the cluster, never the only copy."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.cycle import Cycle
from benchwarden.reconcile.observed import Observed, ObservedBatch
from benchwarden.reconcile.world import BaseResults, Refusal, RunView
from benchwarden.results.tally import Tally
from benchwarden.suites.instance import Instance, Panel
from benchwarden.telemetry.figures import RunFigures
from benchwarden.telemetry.snapshot import RunSample

# A Job that was created and is not seen within this time is looked at anew: creating it again is harmless.
EXPECTATION = timedelta(seconds=60)
# A refused creation is tried again after this long.
REFUSED_AGAIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a sample was made of: objects that are replaced when they change, and counts that grow."""

    parts: tuple[object, ...]
    counts: tuple[int, ...]

    def is_as(self, other: "Sampled") -> bool:
        """Whether a sample of the other would be the same."""
        same = all(ours is theirs for ours, theirs in zip(self.parts, other.parts, strict=True))
        return same and self.counts == other.counts


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for the scrapes so far, and of what: either may be read anew."""

    plan: Plan
    tally: Tally
    figures: RunFigures


@dataclass(slots=True)
class Record:
    """One run.

    Attributes:
        raw: the object as seen last.
        status: the status this process wrote last, else the one seen first.
        loaded: plan and rows were read from the cluster.
        shards: result ConfigMaps with their numbers of rows, in name order.
        expected: Jobs created and not seen yet, by name.
        deleted: UIDs of Jobs whose deletion was asked for.
        sampled: what the last scrape showed of it, and what that was made of.
        counted: its rows as far as scrapes have counted them.
    """

    identity: RunIdentity
    raw: Mapping[str, Any]
    status: Mapping[str, Any]
    cycle: Cycle = field(default_factory=Cycle)
    view: RunView | None = None
    panel: Panel | Refusal | None = None
    instances: dict[str, Instance] = field(default_factory=dict)
    loading: asyncio.Task[None] | None = None
    reload_at: datetime | None = None
    plan: Plan | None = None
    loaded: bool = False
    shards: dict[str, int] = field(default_factory=dict)
    next_shard: int = 0
    network_ensured: bool = False
    base: BaseResults | None = None
    expected: dict[str, ObservedBatch] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    status_written_at: datetime | None = None
    gone: bool = False
    sampled: tuple[Sampled, RunSample] | None = None
    counted: Counted | None = None

    def overlay(self, observed: Observed, now: datetime) -> Observed:
        """What is seen, with what this process did and the watch has not told yet."""
        seen = {batch.name for batch in observed.batches}
        for name, batch in list(self.expected.items()):
            patience = REFUSED_AGAIN if batch.create_failure else EXPECTATION
            late = batch.created_at is not None and now - batch.created_at > patience
            if name in seen or late:
                del self.expected[name]
        batches = [
            replace(batch, deleting=True) if batch.uid in self.deleted else batch
            for batch in observed.batches
        ]
        return Observed((*batches, *self.expected.values()))

    def let_go_of_the_suite(self) -> None:
        """Forget the panel of a run that needs it no longer; it can be read again."""
        self.panel = None
        self.instances = {}

    def repeats_rows(self) -> bool:
        """Whether the shards hold a row twice: a crash came between merging them and deleting the old."""
        return sum(self.shards.values()) > len(self.cycle.tally)

    def refusals(self) -> int:
        """Jobs that the API server would not take a short while ago."""
        return sum(1 for batch in self.expected.values() if batch.create_failure)

    def results(self) -> list[dict[str, Any]]:
        """The result shards as the status names them."""
        return [{"name": name, "rows": rows} for name, rows in sorted(self.shards.items())]
