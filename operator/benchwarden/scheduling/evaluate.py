"""Evaluation: the stored cells of a series become its baseline, windows and monitor, always from the beginning.

Nothing is carried from day to day: the same entries give the same numbers whoever asks and however often the
operator was restarted. The numbers are those of `benchwarden analyze` for the same cells.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from benchwarden.api.schedule import BenchmarkScheduleSpec
from benchwarden.errors import InvalidInputError
from benchwarden.results import cells as kept
from benchwarden.results.cells import Note, RunCells, merged_cells
from benchwarden.scheduling.history import Epoch, History
from benchwarden.scheduling.side_signals import image_change, signals
from benchwarden.stats.analysis import Analysis, Settings, analyze
from benchwarden.stats.baseline import Baseline
from benchwarden.stats.comparison import compare
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.gate import Gate, gate_of
from benchwarden.stats.history import Cell, grid_of
from benchwarden.stats.secondary import Signal


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of a schedule's spec that decides numbers."""

    baseline_days: int = 14
    run_length_days: int = 365
    minimum_effect: float = 0.05
    voided: frozenset[date] = frozenset()
    windows: tuple[int, ...] = (1, 7, 30)


def policy_of(spec: BenchmarkScheduleSpec) -> Policy:
    """The policy that a spec states; void days must be dates (see `checked`)."""
    return Policy(
        baseline_days=spec.baseline.days,
        run_length_days=spec.detection.mean_days_between_false_pages,
        minimum_effect=float(spec.detection.minimum_effect),
        voided=frozenset(date.fromisoformat(each.day) for each in spec.void_days),
        windows=tuple(sorted(spec.detection.windows)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One series as of its last stored day.

    Attributes:
        epoch: the current one, or None without results.
        settings: what `analyze` was called with; the same cells and settings give the same answer anywhere.
        frozen: the note about the frozen baseline, once it is taken.
        changed: the stored days no longer give the baseline that was frozen.
        ignored_voids: voided days that lie in the frozen baseline.
        quality: gate of the last day.
        signals: cost, turns, time and tokens of the last week against the baseline; they never page.
        images: which images changed since the baseline, in words.
        document: the answer as `benchwarden analyze -o json` gives it, with the last day of the monitor only.
    """

    series: str
    epoch: Epoch | None = None
    settings: Settings = field(default_factory=Settings)
    analysis: Analysis | None = None
    frozen: Note | None = None
    changed: bool = False
    ignored_voids: tuple[date, ...] = ()
    quality: Gate | None = None
    signals: tuple[Signal, ...] = ()
    images: str = ""
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def baseline(self) -> Baseline | None:
        """The frozen baseline, if there is one."""
        found = self.analysis.baseline if self.analysis is not None else None
        return found if isinstance(found, Baseline) else None

    @property
    def state(self) -> str:
        """The monitor's state, as in `benchwarden analyze`; empty without results."""
        return str(self.document["monitor"]["state"]) if self.document else ""


def evaluate(history: History, policy: Policy, series: str) -> Evaluation:
    """Evaluate the current epoch of a series."""
    epochs = history.epochs(series)
    if not epochs:
        return Evaluation(series)
    epoch = epochs[-1]
    note = frozen_note(history, epoch, series)
    settings, ignored = _settings(epoch, policy, note)
    cells = merged_cells(epoch.runs)
    analysis = analyze(cells, settings)
    baseline = analysis.baseline if isinstance(analysis.baseline, Baseline) else None
    changed = note is not None and (baseline is None or baseline.digest != note.get("digest"))
    return Evaluation(
        series,
        epoch,
        settings,
        analysis,
        note,
        changed,
        ignored,
        _quality(cells, settings.voided, baseline),
        signals(epoch.runs, baseline, analysis.until, settings.voided) if baseline else (),
        image_change(epoch.runs, baseline.frozen_on) if baseline else "",
        _short(analysis_document(analysis)),
    )


def _short(document: dict[str, Any]) -> dict[str, Any]:
    monitor = document["monitor"]
    return {**document, "monitor": {**monitor, "days": monitor["days"][-1:]}}


def frozen_note(history: History, epoch: Epoch, series: str) -> Note | None:
    """The note taken when this epoch's baseline was frozen."""
    slots = {run.slot for run in epoch.runs}
    taken = (n for n in history.noted(kept.NOTE_FROZEN, series) if n.get("first") in slots)
    return next(taken, None)


def _settings(epoch: Epoch, policy: Policy, note: Note | None) -> tuple[Settings, tuple[date, ...]]:
    """How to read the epoch: once the baseline is frozen, what it was frozen with stands."""
    days, voided = policy.baseline_days, policy.voided
    ignored: tuple[date, ...] = ()
    if note is not None:
        days = int(note.get("days") or days)
        frozen_on = date.fromisoformat(note.get("frozenOn"))
        then = frozenset(map(date.fromisoformat, filter(None, note.get("voided").split(","))))
        first = date.fromisoformat(min(run.day for run in epoch.runs))
        late = frozenset(day for day in voided if day > frozen_on)
        ignored = tuple(sorted(day for day in voided - late - then if day >= first))
        voided = late | then
    return (
        Settings(
            baseline_days=days,
            run_length_days=policy.run_length_days,
            minimum_effect=policy.minimum_effect,
            voided=voided,
            windows=policy.windows,
        ),
        ignored,
    )


def _quality(cells: list[Cell], voided: frozenset[date], baseline: Baseline | None) -> Gate | None:
    """The gate of the last day that counts, over the frozen panel or else over what was planned."""
    days = {cell.day for cell in cells} - voided
    if not days:
        return None
    last = max(days)
    panel = set(baseline.instances) if baseline is not None else None
    chosen = [c for c in cells if c.day == last and (panel is None or c.instance in panel)]
    if not chosen:
        return Gate.HELD
    trials = grid_of(chosen).trials[0]
    missing = len(panel) - len(trials) if panel is not None else 0
    if not missing:
        return gate_of(trials)
    extra = [Cell(last, f"\x00{n}", 0, 0) for n in range(missing)]
    return gate_of(grid_of([*chosen, *extra]).trials[0])


def due_notes(history: History, evaluation: Evaluation, at: str) -> list[Note]:
    """Notes that the evaluation asks for and nobody has taken: the frozen baseline, and the comparison."""
    epoch, baseline, series = evaluation.epoch, evaluation.baseline, evaluation.series
    if epoch is None or baseline is None or evaluation.frozen is not None:
        return []
    first, settings = epoch.first, evaluation.settings
    in_baseline = sorted(day for day in settings.voided if day <= baseline.frozen_on)
    notes = [
        _note(
            kept.NOTE_FROZEN,
            at,
            series,
            first=first,
            digest=baseline.digest,
            frozenOn=baseline.frozen_on.isoformat(),
            days=str(settings.baseline_days),
            voided=",".join(day.isoformat() for day in in_baseline),
        )
    ]
    if epoch.number > 1:
        before = history.epochs(series)[epoch.number - 2]
        told = compared(before.runs, baseline, settings)
        notes.append(_note(kept.NOTE_COMPARED, at, series, first=first, **told))
    return notes


def compared(before: Iterable[RunCells], baseline: Baseline, settings: Settings) -> dict[str, str]:
    """The last days of the series before against the new baseline, instance by instance.

    Args:
        before: runs of the series before; as many of its last days are taken as the baseline wants.
        baseline: the new one.
        settings: for the number of days and the void ones.
    """
    usable = [cell for cell in merged_cells(before) if cell.day not in settings.voided]
    days = sorted({cell.day for cell in usable})[-settings.baseline_days :]
    old: dict[str, tuple[int, int]] = {}
    for cell in usable:
        if days and cell.day >= days[0]:
            passes, trials = old.get(cell.instance, (0, 0))
            old[cell.instance] = (passes + cell.passes, trials + cell.trials)
    new = {
        instance: (passes, trials)
        for instance, passes, trials in zip(
            baseline.instances, baseline.passes.tolist(), baseline.trials.tolist(), strict=True
        )
    }
    try:
        found = compare(old, new, settings.minimum_effect)
    except InvalidInputError:
        return {"summary": "the new series shares no instance with the one before"}
    interval = found.delta_interval
    summary = (
        f"new series against the last {len(days)} days of the one before:"
        f" {found.delta * 100:+.1f} points [{interval.lower * 100:+.1f}, {interval.upper * 100:+.1f}]"
        f" over {found.n_common} instances, exact p {found.test.p_two_sided:.4f}"
    )
    return {
        "summary": summary,
        "delta": repr(found.delta),
        "pValue": repr(found.test.p_two_sided),
    }


def _note(kind: str, at: str, series: str, **data: str) -> Note:
    return Note(kind, at, series, tuple(sorted(data.items())))
