"""Which instances cannot measure an agent: told from runs of the reference solutions and of no change at all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from benchwarden.results import row as rows_of
from benchwarden.results.official import officially_resolved
from benchwarden.results.row import Row
from benchwarden_runner import protocol

GOLD_FAILS = "gold fails"
GOLD_FLAKY = "gold flaky"
NOP_PASSES = "nop passes"
IMAGE_MISSING = "image missing"
TOO_SLOW = "too slow"

_REASON_CHARACTERS = 500  # of an entry of spec.suite.selection.quarantine
_DETAIL_CHARACTERS = 200


class Entry(NamedTuple):
    """An instance and all that is wrong with it, as `spec.suite.selection.quarantine` takes it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still good enough.

    Attributes:
        grade_seconds: longest time the tests of an instance may take.
    """

    grade_seconds: float = 1800.0


@dataclass(slots=True)
class _Seen:
    """All launches of one instance by one agent, repeats and retries alike."""

    verdicts: list[Row] = field(default_factory=list)
    charges: list[Row] = field(default_factory=list)

    def of(self, outcome: str) -> list[Row]:
        return [row for row in self.charges if row.outcome == outcome]


def quarantine(oracle: Iterable[Row], nop: Iterable[Row], limits: Limits) -> tuple[Entry, ...]:
    """The instances to leave out, by id, each with its reasons.

    Rows may come from one run with many trials or from many runs; every verdict is one observation.
    An instance that only the cluster failed (a node lost, say) has proven nothing: see `unproven`.

    Args:
        oracle: rows of runs of the oracle agent.
        nop: rows of runs of the nop agent; none = nobody looked whether the tests pass unaided.
        limits: what is still good enough.
    """
    gold, unaided = _by_instance(oracle), _by_instance(nop)
    nothing = _Seen()
    entries = []
    for each in sorted({*gold, *unaided}):
        found = [
            *_gold_reasons(gold.get(each, nothing)),
            *_nop_reasons(unaided.get(each, nothing)),
            *_shared_reasons([gold.get(each, nothing), unaided.get(each, nothing)], limits),
        ]
        if found:
            entries.append(Entry(each, "; ".join(found)[:_REASON_CHARACTERS]))
    return tuple(entries)


def unproven(
    oracle: Iterable[Row], panel: Iterable[str], quarantined: Iterable[Entry]
) -> tuple[str, ...]:
    """Instances of a panel of which nothing is known: not quarantined, and no reference run has a verdict."""
    proven = {row.instance for row in oracle if row.kind == rows_of.KIND_VERDICT}
    known = proven | {entry.id for entry in quarantined}
    return tuple(sorted(set(panel) - known))


def _by_instance(rows: Iterable[Row]) -> Mapping[str, _Seen]:
    found: defaultdict[str, _Seen] = defaultdict(_Seen)
    for row in rows:
        if row.kind == rows_of.KIND_VERDICT:
            found[row.instance].verdicts.append(row)
        elif row.kind == rows_of.KIND_CHARGE:
            found[row.instance].charges.append(row)
    return found


def _gold_reasons(seen: _Seen) -> Iterator[str]:
    passed = sum(row.outcome in protocol.PASS_CLASSES for row in seen.verdicts)
    failed = [row for row in seen.verdicts if row.outcome not in protocol.PASS_CLASSES]
    errors = [row for row in seen.of(protocol.GRADER_ERROR) if not _timed_out(row)]
    trouble = [*failed, *errors]
    if not trouble:
        return
    detail = _detail(trouble[-1])
    if passed:
        yield f"{GOLD_FLAKY}: {passed} of {passed + len(trouble)} passed; {detail}"
    else:
        yield f"{GOLD_FAILS}: {detail}"


def _nop_reasons(seen: _Seen) -> Iterator[str]:
    if any(officially_resolved(row) for row in seen.verdicts):
        yield f"{NOP_PASSES}: the tests pass without a change"


def _shared_reasons(both: Iterable[_Seen], limits: Limits) -> Iterator[str]:
    seen = list(both)
    missing = [row for each in seen for row in each.of(protocol.IMAGE_PULL)]
    if missing and not any(each.verdicts for each in seen):
        yield f"{IMAGE_MISSING}: {_detail(missing[-1])}"
    slowest = max((row.grade_seconds for each in seen for row in each.verdicts), default=0.0)
    if any(_timed_out(row) for each in seen for row in each.of(protocol.GRADER_ERROR)):
        yield f"{TOO_SLOW}: the tests reached the time limit"
    elif slowest > limits.grade_seconds:
        yield f"{TOO_SLOW}: the tests took {slowest:.0f} s, allowed are {limits.grade_seconds:.0f} s"


def _timed_out(row: Row) -> bool:
    return row.reason == protocol.REASON_GRADE_TIMEOUT


def _detail(row: Row) -> str:
    """Outcome and reason; the reason may be text of the code under test."""
    reason = " ".join("".join(c if c.isprintable() else " " for c in row.reason).split())
    return f"{row.outcome} ({reason[:_DETAIL_CHARACTERS]})" if reason else row.outcome
