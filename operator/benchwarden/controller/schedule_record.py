"""What the process knows of one schedule between passes: a cache of the cluster, never the only copy."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchwarden.results.cells import Entry
from benchwarden.scheduling.evaluate import Evaluation, Policy
from benchwarden.scheduling.history import History, history_of
from benchwarden.scheduling.observed import RunFact, run_fact
from benchwarden.scheduling.world import ScheduleView


@dataclass(slots=True)
class Shard:
    """One ConfigMap of cells; `version` is the resourceVersion it was read or written with."""

    name: str
    version: str
    entries: list[Entry]


@dataclass(slots=True)
class ScheduleRecord:
    """One schedule.

    Attributes:
        raw: the object as seen last.
        status: the status this process wrote last, else the one seen first.
        view: the parsed schedule, or None after its spec changed.
        loaded: shards and runs were read from the cluster.
        runs: its runs as seen last, by UID.
        listed_at: when all its runs were listed last.
        gone: UIDs of runs that were seen to be deleted.
        lock: held by whoever reads and adds to the history.
        evaluated: the policy and history that `evaluations` was made from.
    """

    name: str
    namespace: str
    uid: str
    raw: Mapping[str, Any]
    status: Mapping[str, Any]
    view: ScheduleView | None = None
    loaded: bool = False
    runs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    shards: list[Shard] = field(default_factory=list)
    history: History = field(default_factory=History)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    listed_at: datetime | None = None
    evaluated: tuple[Policy, History, tuple[str, ...]] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take_run(self, raw: Mapping[str, Any], *, deleted: bool) -> bool:
        """Take in a run as a watch or list shows it; says whether it matters to the schedule."""
        uid = str((raw.get("metadata") or {}).get("uid") or "")
        before = self.runs.get(uid)
        if deleted:
            self.gone.add(uid)
            return self.runs.pop(uid, None) is not None
        if uid in self.gone or (before is not None and _version(before) > _version(raw)):
            return False
        self.runs[uid] = raw
        return before is None or _outline(before) != _outline(raw)

    def facts(self) -> tuple[RunFact, ...]:
        """Its runs as decisions see them."""
        found = (run_fact(raw) for raw in self.runs.values())
        return tuple(fact for fact in found if fact is not None)

    def remember(self) -> None:
        """Make the history anew from the shards."""
        self.history = history_of(entry for shard in self.shards for entry in shard.entries)


def _version(raw: Mapping[str, Any]) -> int:
    text = str((raw.get("metadata") or {}).get("resourceVersion") or "0")
    return int(text) if text.isdecimal() else 0


def _outline(raw: Mapping[str, Any]) -> object:
    """What a schedule acts upon: progress of a live run is not part of it."""
    fact = run_fact(raw)
    return fact and (fact.ended, fact.succeeded, fact.reason, fact.retry, fact.cancelled)
