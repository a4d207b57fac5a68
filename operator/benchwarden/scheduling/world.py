"""The world of a schedule: all that a decision about it may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.api.schedule import BenchmarkScheduleSpec
from benchwarden.results.cells import RunCells
from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.scheduling.history import History
from benchwarden.scheduling.observed import RunFact
from benchwarden.scheduling.slots import Timetable


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A BenchmarkSchedule as read: identity, parsed spec, its timetable and the status written last."""

    name: str
    namespace: str
    uid: str
    generation: int
    created_at: datetime
    spec: BenchmarkScheduleSpec
    timetable: Timetable
    status: Mapping[str, Any]

    @property
    def series(self) -> tuple[str, ...]:
        """The series it runs."""
        beside = (
            (names.SERIES_PINNED, self.spec.pinned),
            (names.SERIES_CONTROL, self.spec.control),
        )
        return (names.SERIES_LATEST, *(name for name, asked in beside if asked is not None))


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleWorld:
    """The whole truth of one pass.

    Attributes:
        runs: those that exist and are not being deleted.
        evaluations: of every series the schedule runs, made from exactly this history and spec.
        shards: names of the stored shards with their numbers of entries.
    """

    schedule: ScheduleView
    runs: tuple[RunFact, ...]
    history: History
    evaluations: Mapping[str, Evaluation]
    shards: tuple[tuple[str, int], ...]
    now: datetime

    def entry(self, run: RunFact) -> RunCells | None:
        """What is stored of a run."""
        return self.history.by_uid.get(run.uid)

    @property
    def active(self) -> tuple[RunFact, ...]:
        """Runs that have not ended, by slot."""
        return tuple(sorted((r for r in self.runs if not r.ended), key=lambda r: (r.slot, r.name)))

    @property
    def latest(self) -> Evaluation:
        """The evaluation of the series that follows the template."""
        return self.evaluations[names.SERIES_LATEST]
