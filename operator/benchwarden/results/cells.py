"""Daily cells: what each scheduled run came to, instance by instance, in compact shards that outlive the runs.

A shard is gzip-compressed JSON lines: panels (instances, once) and their images, runs that refer to them by number, and
notes (who voided a day, when a baseline froze). Entries are only ever added; a later entry of a run replaces
an earlier one. Ten years of 50 instances a day take about 1.2 MB.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import repeat
from typing import Any, Final

from benchwarden.errors import InvalidInputError
from benchwarden.results.packed import gunzip
from benchwarden.stats.history import Cell

KEY_CELLS: Final = "cells.jsonl.gz"
REASON_INVALID: Final = "CellsInvalid"
_DIGITS: Final = 9
_NOT_AN_ENTRY: Final = (
    *(ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, RecursionError),
)


@dataclass(frozen=True, slots=True)
class RunCells:
    """One run of a schedule, rolled up; its being stored is the mark that the run may be deleted.

    Attributes:
        slot: RFC 3339, UTC: the moment the run stands for.
        day: the slot's date in the schedule's time zone, YYYY-MM-DD.
        identity: digest of what was measured; empty if the run never had a plan.
        network: `enforced` or `open` as the agents saw it, empty if unknown.
        reason: reason of the run's condition Succeeded.
        factor: how often the panel was run (more than once for a closer look).
        retry: `spec.retry` as of these numbers.
        passes, trials: per instance, in the order of `instances`; 0 trials is planned and missing.
        infra, api: missing trials lost to the infrastructure, and those of them lost to the API.
        signals: what the trials cost and how long they took, packed (see `signals`); may be empty.
        images: per instance the digest of the image that ran, twelve digits, empty if unknown; or none at all.
    """

    run: str
    run_uid: str
    slot: str
    day: str
    series: str
    identity: str = ""
    panel_digest: str = ""
    model: str = ""
    cli_version: str = ""
    network: str = ""
    reason: str = ""
    succeeded: bool = False
    factor: int = 1
    retry: int = 0
    finished_at: str = ""
    cost_usd: str = "0"
    infra: int = 0
    api: int = 0
    missing: int = 0
    signals: str = ""
    instances: tuple[str, ...] = ()
    passes: tuple[int, ...] = ()
    trials: tuple[int, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """Passed trials."""
        return sum(self.passes)

    @property
    def valid(self) -> int:
        """Trials with a verdict."""
        return sum(self.trials)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to a schedule and decides or explains its numbers.

    Attributes:
        kind: one of NOTE_*.
        at: RFC 3339, UTC.
        series: the series it is about, or empty.
        data: further text by name, sorted by name.
    """

    kind: str
    at: str
    series: str = ""
    data: tuple[tuple[str, str], ...] = field(default=())

    def get(self, name: str) -> str:
        """The text of that name, or nothing."""
        return dict(self.data).get(name, "")


NOTE_REBASELINE: Final = "rebaseline"  # nonce
NOTE_FROZEN: Final = "frozen"  # first, digest, frozenOn, days, voided
NOTE_COMPARED: Final = "compared"  # first, summary, delta, pValue
NOTE_VOIDED: Final = "voided"  # day, author, reason
NOTE_UNVOIDED: Final = "unvoided"  # day
NOTE_ACKNOWLEDGED: Final = "acknowledged"  # day, author, reason

Entry = RunCells | Note

_PLAIN: Final = tuple(
    each
    for each in fields(RunCells)
    if each.name not in ("instances", "passes", "trials", "images")
)
_REQUIRED: Final = ("run", "run_uid", "slot", "day", "series")


def pack_cells(entries: Sequence[Entry]) -> bytes:
    """One shard with these entries in their order (deterministic bytes)."""
    panels: dict[tuple[str, ...], int] = {}
    images: dict[tuple[str, ...], int] = {(): -1}
    lines: list[dict[str, Any]] = [{"v": 1}]
    for entry in entries:
        if isinstance(entry, Note):
            lines.append(_note_to_json(entry))
            continue
        if entry.instances not in panels:
            panels[entry.instances] = len(panels)
            lines.append({"panel": panels[entry.instances], "instances": list(entry.instances)})
        if entry.images not in images:
            images[entry.images] = len(images) - 1
            lines.append({"images": images[entry.images], "digests": list(entry.images)})
        line = _run_to_json(entry, panels[entry.instances])
        lines.append({**line, "i": images[entry.images]} if entry.images else line)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)


def unpack_cells(data: bytes) -> list[Entry]:
    """Entries of a shard in their order; lines of an unknown kind are passed over.

    Raises:
        InvalidInputError: the data is not such a shard; names the line.
    """
    try:
        text = gunzip(data)
        if not text:
            raise ValueError("it is empty")  # noqa: TRY301 - one message for all that is no shard
    except ValueError as error:
        raise InvalidInputError(f"not a shard of cells: {error}", reason=REASON_INVALID) from error
    panels: dict[int, tuple[str, ...]] = {}
    images: dict[int, tuple[str, ...]] = {}
    entries: list[Entry] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            read = json.loads(line)
            if "instances" in read:
                panels[read["panel"]] = _panel(read["instances"])
            elif "digests" in read:
                images[read["images"]] = tuple(map(str, read["digests"]))
            elif "run" in read:
                entries.append(_run_from_json(read, panels, images))
            elif "note" in read:
                entries.append(_note_from_json(read))
        except _NOT_AN_ENTRY as error:
            message = f"not an entry: {type(error).__name__} {error}"
            raise InvalidInputError(
                message, reason=REASON_INVALID, field=f"line {number}"
            ) from error
    return entries


def _run_to_json(run: RunCells, panel: int) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for each in _PLAIN:
        value = getattr(run, each.name)
        if each.name in _REQUIRED or value != each.default:
            line[each.name] = value
    return {**line, "panel": panel, "y": _counts(run.passes), "m": _counts(run.trials)}


def _counts(values: tuple[int, ...]) -> str | list[int]:
    """Digits where each count has one, which is nearly always; else a list."""
    return "".join(map(str, values)) if max(values, default=0) <= _DIGITS else list(values)


def _panel(instances: list[Any]) -> tuple[str, ...]:
    panel = tuple(map(str, instances))
    if len(set(panel)) < len(panel):
        raise ValueError("an instance is there twice")
    return panel


def _run_from_json(
    line: dict[str, Any],
    panels: dict[int, tuple[str, ...]],
    images: dict[int, tuple[str, ...]],
) -> RunCells:
    given = {}
    for each in _PLAIN:
        if each.name in line:
            value = line[each.name]
            if type(value) is not each.type:
                raise TypeError(f"{each.name} must be {each.type}")
            given[each.name] = value
    instances = panels[line["panel"]]
    passes, trials = tuple(map(int, line["y"])), tuple(map(int, line["m"]))
    if not len(instances) == len(passes) == len(trials):
        raise ValueError("counts do not fit the panel")
    if any(y > m for y, m in zip(passes, trials, strict=True)) or min(passes, default=0) < 0:
        raise ValueError("passes must be within 0..trials")
    ran = images[line["i"]] if "i" in line else ()
    if ran and len(ran) != len(instances):
        raise ValueError("images do not fit the panel")
    date.fromisoformat(line["day"])
    return RunCells(**given, instances=instances, passes=passes, trials=trials, images=ran)


def _note_to_json(note: Note) -> dict[str, Any]:
    line: dict[str, Any] = {"note": note.kind, "at": note.at}
    if note.series:
        line["series"] = note.series
    return {**line, "data": dict(note.data)} if note.data else line


def _note_from_json(line: dict[str, Any]) -> Note:
    data = tuple(sorted((str(key), str(value)) for key, value in line.get("data", {}).items()))
    return Note(str(line["note"]), str(line["at"]), str(line.get("series", "")), data)


def merged_cells(runs: Iterable[RunCells]) -> list[Cell]:
    """One cell per (day, instance): passes and valid trials of all runs of a day added up."""
    days: dict[str, date] = {}
    by_day: dict[str, list[RunCells]] = {}
    for run in runs:
        by_day.setdefault(run.day, []).append(run)
    cells: list[Cell] = []
    for text, group in sorted(by_day.items()):
        day = days.setdefault(text, date.fromisoformat(text))
        if len(group) == 1:
            only = group[0]
            cells += map(Cell, repeat(day), only.instances, only.passes, only.trials)
            continue
        sums: dict[str, tuple[int, int]] = {}
        for run in group:
            for instance, y, m in zip(run.instances, run.passes, run.trials, strict=True):
                before = sums.get(instance, (0, 0))
                sums[instance] = (before[0] + y, before[1] + m)
        cells += [Cell(day, instance, y, m) for instance, (y, m) in sorted(sums.items())]
    return cells


def history_lines(cells: Iterable[Cell]) -> str:
    """Cells as JSON lines, the format that `benchwarden analyze` reads."""
    return "".join(
        json.dumps(
            {
                "day": cell.day.isoformat(),
                "instance": cell.instance,
                "passes": cell.passes,
                "trials": cell.trials,
            }
        )
        + "\n"
        for cell in cells
    )
