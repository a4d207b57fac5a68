"""Result files of all kinds, read as passes and valid trials by instance."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from benchwarden.errors import InvalidInputError
from benchwarden.stats.history import MOST_TRIALS

INVALID_RESULTS = "InvalidResults"
"""Reason of every error a result file can raise."""

_PASS, _FAIL = "pass", "fail"
_FAILED_LISTS = ("unresolved_ids", "empty_patch_ids")


def parse_outcomes(text: str, name: str) -> dict[str, tuple[int, int]]:
    """Read one result file.

    Args:
        text: Its content, one of: ``{instance_id: bool}`` (SWE-bench's eval_results; null is
            missing); a SWE-bench harness report with ``resolved_ids``; a benchwarden report with
            ``results``; JSON lines with ``instance`` or ``instance_id`` and either ``resolved``
            (bool) or ``passes`` and ``trials``, or a run's ``results.jsonl``.
        name: What to call the file in errors.

    Returns:
        Passes and valid trials by instance; infra losses are not trials.

    Raises:
        InvalidInputError: When the content is none of these, or names an instance twice in a map.
    """
    stripped = text.lstrip("\ufeff").strip()
    if not stripped:
        raise _error(name, "the file is empty")
    try:
        document = json.loads(stripped, object_pairs_hook=_unique_pairs)
    except _DuplicateKeyError as error:
        raise _error(name, f"the key {error} comes twice") from None
    except (ValueError, RecursionError):  # not one document; a line at fault is named below
        return _added(_lines(stripped, name))
    if not isinstance(document, dict):
        raise _error(name, "expected an object or JSON lines")
    if "results" in document and isinstance(document["results"], list):
        return _added(_trials(document["results"], name))
    if isinstance(document.get("resolved_ids"), list):
        return _harness(document, name)
    if "trials" in document or "resolved" in document or isinstance(document.get("kind"), str):
        return _added(_lines(stripped, name))
    return _map(document, name)


class _DuplicateKeyError(Exception):
    pass


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    if repeated:
        raise _DuplicateKeyError(repeated[0])
    return dict(pairs)


def _map(document: dict[str, Any], name: str) -> dict[str, tuple[int, int]]:
    found = {}
    for instance, passed in document.items():
        if passed is None:
            continue
        if not isinstance(passed, bool):
            raise _error(f"{name}: {instance}", f"expected true or false, got {passed!r:.40}")
        found[instance] = (int(passed), 1)
    return found


def _harness(document: dict[str, Any], name: str) -> dict[str, tuple[int, int]]:
    resolved = {str(instance) for instance in document["resolved_ids"]}
    found = dict.fromkeys(resolved, (1, 1))
    for key in _FAILED_LISTS:
        failed = document.get(key) or []
        if not isinstance(failed, list):
            raise _error(f"{name}: {key}", "expected a list of instance ids")
        both = resolved.intersection(map(str, failed))
        if both:
            raise _error(f"{name}: {key}", f"{min(both)} is also among resolved_ids")
        found.update({str(instance): (0, 1) for instance in failed})
    return found


def _trials(results: list[Any], name: str) -> Iterable[tuple[str, int, int]]:
    for number, result in enumerate(results):
        try:
            instance, group = str(result["instance"]), result["group"]
        except (TypeError, KeyError):
            raise _error(f"{name}: results[{number}]", "needs instance and group") from None
        if group in (_PASS, _FAIL):
            yield instance, int(group == _PASS), 1


def _lines(text: str, name: str) -> Iterable[tuple[str, int, int]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _error(f"{name}: line {number}", f"not JSON: {error}") from None
        yield _row(row, f"{name}: line {number}")


def _row(row: Any, place: str) -> tuple[str, int, int]:
    if not isinstance(row, dict):
        raise _error(place, "expected an object")
    instance = row.get("instance", row.get("instance_id"))
    if not isinstance(instance, str):
        raise _error(place, "needs instance or instance_id as text")
    if isinstance(row.get("resolved"), bool):
        return instance, int(row["resolved"]), 1
    if "kind" in row and isinstance(row.get("outcome"), str):
        # A run's result row: only verdicts are valid trials.
        valid = row["kind"] == "verdict"
        return instance, int(valid and row["outcome"] == "resolved"), int(valid)
    passes, trials = row.get("passes"), row.get("trials")
    if type(passes) is not int or type(trials) is not int or not 0 <= passes <= trials:
        raise _error(place, "needs resolved, or whole numbers 0 <= passes <= trials")
    if trials > MOST_TRIALS:
        raise _error(place, f"trials must be at most {MOST_TRIALS}, got {trials!r:.24}")
    return instance, passes, trials


def _added(rows: Iterable[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for instance, passes, trials in rows:
        before = found.get(instance, (0, 0))
        found[instance] = (before[0] + passes, before[1] + trials)
    return found


def _error(place: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, reason=INVALID_RESULTS, field=place)
