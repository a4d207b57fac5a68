"""SWE-bench's `eval_results.json`: one object of instance ids and whether each was resolved."""

import json
from collections.abc import Iterable
from typing import Any

from benchwarden.exchange.results import About, Results, passed, unreadable, verdict_of
from benchwarden.results.row import KIND_VERDICT


def write(results: Results, trial: int | None = None) -> bytes:
    """Write the verdicts of one trial per instance; trials without a verdict are left out.

    Raises:
        InvalidInputError: there are several trials and none is chosen.
    """
    verdicts = [row for row in results.rows if row.kind == KIND_VERDICT]
    trials = sorted({row.trial for row in verdicts})
    if trial is None and len(trials) > 1:
        raise unreadable(
            f"the run has trials {trials[0]} to {trials[-1]} and this format holds one: choose it",
            "--trial",
        )
    found: dict[str, bool] = {}
    for row in verdicts:
        if trial is None or row.trial == trial:
            found.setdefault(row.instance, passed(row))
    return (json.dumps(found, indent=2) + "\n").encode("ascii")


def read(data: bytes, trial: int = 0) -> Results:
    """Read them as verdicts of one trial; null is a missing trial.

    Raises:
        InvalidInputError: it is no such object; names the instance.
    """
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise unreadable("expected one JSON object of instance ids and true or false")
    rows = []
    for instance, resolved in found.items():
        if resolved is None:
            continue
        if not isinstance(resolved, bool):
            raise unreadable(f"expected true or false, got {resolved!r:.40}", instance[:200])
        rows.append(verdict_of(instance, trial, resolved=resolved))
    return Results(About(), tuple(rows))


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r:.200} comes twice")
        found[key] = value
    return found
