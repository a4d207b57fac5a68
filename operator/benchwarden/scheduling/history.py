"""A schedule's history: every rolled-up run and every note, and the series (epochs) they fall into."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from benchwarden.results import cells
from benchwarden.results.cells import Entry, Note, RunCells


@dataclass(frozen=True, slots=True)
class Epoch:
    """Consecutive runs of one series that measured the same thing against the same baseline.

    Attributes:
        number: counted from 1.
        cause: `first`, `identity` or `rebaseline`.
        runs: with cells, in slot order.
    """

    number: int
    cause: str
    identity: str
    network: str
    runs: tuple[RunCells, ...]

    @property
    def first(self) -> str:
        """Slot of its first run: what notes about this epoch refer to."""
        return self.runs[0].slot


@dataclass(frozen=True)
class History:
    """All that is stored of a schedule.

    Attributes:
        runs: one entry per run, in slot order; a later entry of a run has replaced an earlier one.
        notes: in the order they were taken.
    """

    runs: tuple[RunCells, ...] = ()
    notes: tuple[Note, ...] = ()

    @cached_property
    def by_uid(self) -> dict[str, RunCells]:
        """The entry of each run."""
        return {run.run_uid: run for run in self.runs}

    def noted(self, kind: str, series: str = "") -> tuple[Note, ...]:
        """The notes of a kind, of one series or of none."""
        return tuple(note for note in self.notes if note.kind == kind and note.series == series)

    def voids(self) -> dict[str, tuple[str, str]]:
        """The void days that stand: author and reason by day."""
        standing: dict[str, tuple[str, str]] = {}
        for note in self.notes:
            if note.kind == cells.NOTE_VOIDED:
                standing[note.get("day")] = (note.get("author"), note.get("reason"))
            elif note.kind == cells.NOTE_UNVOIDED:
                standing.pop(note.get("day"), None)
        return standing

    def epochs(self, series: str) -> tuple[Epoch, ...]:
        """The epochs of a series in time order.

        A new one begins when what is measured changes, when the network's isolation as seen by agents
        changes, or with the first slot after a rebaseline was asked for. Runs without cells are in none.
        """
        asked = sorted(note.at for note in self.noted(cells.NOTE_REBASELINE))
        found: list[Epoch] = []
        current: list[RunCells] = []
        cause, network, passed = "first", "", 0
        for run in self.runs:
            if run.series != series or not run.instances:
                continue
            due = sum(at < run.slot for at in asked)
            reason = _cause(current, run, network, rebaselined=due > passed)
            if reason:
                found.append(
                    Epoch(len(found) + 1, cause, current[0].identity, network, (*current,))
                )
                current, cause, network = [], reason, ""
            passed = due
            current.append(run)
            network = network or run.network
        if current:
            found.append(Epoch(len(found) + 1, cause, current[0].identity, network, (*current,)))
        return tuple(found)


def _cause(current: list[RunCells], run: RunCells, network: str, *, rebaselined: bool) -> str:
    """Why this run begins a new epoch; empty if it does not."""
    if not current:
        return ""
    if run.identity != current[0].identity:
        return "identity"
    if run.network and network and run.network != network:
        return "identity"
    return "rebaseline" if rebaselined else ""


def history_of(entries: Iterable[Entry]) -> History:
    """Fold stored entries, in the order they were stored, into a history."""
    runs: dict[str, RunCells] = {}
    notes: dict[Note, None] = {}  # a note stored twice counts once
    for entry in entries:
        if isinstance(entry, Note):
            notes[entry] = None
        else:
            runs[entry.run_uid] = entry
    ordered = sorted(runs.values(), key=lambda run: (run.slot, run.run, run.run_uid))
    return History(tuple(ordered), tuple(notes))
