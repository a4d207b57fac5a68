"""Rows and summaries that read like sentences."""

from typing import Any

from benchwarden.planning.plan import TrialKey
from benchwarden.report.summary import Heading, Summary, summarise
from benchwarden.results import row as rows_of
from benchwarden.results.row import Row


def verdict(instance: str, outcome: str = "resolved", **facts: Any) -> Row:
    return _row(instance, rows_of.KIND_VERDICT, outcome, **facts)


def charge(instance: str, outcome: str = "image_pull", **facts: Any) -> Row:
    return _row(instance, rows_of.KIND_CHARGE, outcome, **facts)


def release(instance: str, **facts: Any) -> Row:
    return _row(instance, rows_of.KIND_RELEASE, "", **facts)


def summary(*rows: Row, planned: tuple[str, ...] = (), **heading: Any) -> Summary:
    names = planned or tuple(dict.fromkeys(row.instance for row in rows))
    keys = [TrialKey(name, 0) for name in names]
    return summarise(Heading(run="run", **heading), keys, rows)


def _row(instance: str, kind: str, outcome: str, **facts: Any) -> Row:
    known: dict[str, Any] = {
        "trial": 0,
        "launch": 1,
        "batch": "run-0",
        "finished_at": "2026-01-01T00:00:00Z",
    }
    return Row(instance=instance, kind=kind, outcome=outcome, **(known | facts))
