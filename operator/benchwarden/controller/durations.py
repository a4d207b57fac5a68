"""How long each instance took in earlier runs, so that a plan can begin with the longest work."""

from collections.abc import Iterable

from benchwarden.controller.record import Record
from benchwarden.results.row import KIND_VERDICT
from benchwarden.results.tally import Tally


def known_durations(record: Record, others: Iterable[Record]) -> dict[str, float]:
    """Seconds of agent and grader by instance, from runs of the same kind of agent in the namespace.

    A later run's word replaces an earlier one's. What is not known is no harm: a plan is frozen once stored, and
    the order of work changes no result.
    """
    wanted = _agent(record)
    earlier = [
        other
        for other in others
        if other is not record
        and other.identity.namespace == record.identity.namespace
        and wanted
        and _agent(other) == wanted
    ]
    found: dict[str, float] = {}
    for other in sorted(earlier, key=lambda each: str(each.status.get("startedAt") or "")):
        found |= _means(other.cycle.tally)
    return found


def _agent(record: Record) -> str:
    return record.view.spec.agent.kind if record.view is not None else ""


def _means(tally: Tally) -> dict[str, float]:
    """Mean seconds of each instance's trials that came to a verdict."""
    times: dict[str, list[float]] = {}
    for row in tally:
        seconds = row.agent_seconds + row.grade_seconds
        if row.kind == KIND_VERDICT and seconds > 0:
            times.setdefault(row.instance, []).append(seconds)
    return {instance: sum(each) / len(each) for instance, each in times.items()}
