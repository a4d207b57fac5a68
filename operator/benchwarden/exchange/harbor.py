"""Rows as a Harbor job's folder: `result.json` of the job and one `<trial>/result.json` for each trial.

Harbor describes these files by its own models, not on a page; what is written here holds the fields they require.
A reward of 1 is a pass. A trial that the infrastructure lost has an exception and no reward.
"""

import hashlib
import json
import math
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from benchwarden.exchange.results import (
    OURS,
    About,
    Results,
    about_from,
    by_trial,
    carried,
    deciding,
    in_order,
    inside,
    loss_of,
    passed,
    uncarried,
    unreadable,
    verdict_of,
)
from benchwarden.results.row import KIND_VERDICT, Row

FILE: Final = "result.json"
REWARD: Final = "reward"
_LONG_AGO: Final = "1970-01-01T00:00:00Z"
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "benchwarden.dev")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def write(results: Results) -> dict[str, bytes]:
    """Files of a job by their paths below its folder."""
    about = results.about
    trials = [_trial(about, rows) for rows in by_trial(results.rows).values()]
    lost = sum(1 for each in trials if each["exception_info"] is not None)
    job = {
        "id": _id(about, "job"),
        "started_at": about.started_at or _LONG_AGO,
        "updated_at": about.finished_at or about.started_at or _LONG_AGO,
        "finished_at": about.finished_at or None,
        "n_total_trials": len(trials),
        "stats": {"n_completed_trials": len(trials), "n_errored_trials": lost},
    }
    files = {FILE: job, **{f"{each['trial_name']}/{FILE}": each for each in trials}}
    return {
        name: (json.dumps(content, indent=2) + "\n").encode() for name, content in files.items()
    }


def _trial(about: About, rows: Sequence[tuple[int, Row]]) -> dict[str, Any]:
    first, row = rows[0][1], deciding(rows)
    name = _folder(first.instance, first.trial)
    found: dict[str, Any] = {
        "id": _id(about, name),
        "task_name": first.instance,
        "trial_name": name,
        "trial_uri": name,
        "task_id": {"path": first.instance},
        "source": about.suite or None,
        "task_checksum": about.panel_digest,
        "config": {"task": {"path": first.instance}, "trial_name": name},
        "agent_info": {
            "name": about.agent or OURS,
            "version": about.cli_version or "unknown",
            "model_info": {"name": about.model} if about.model else None,
        },
        "agent_result": _usage(row, {"rows": carried(rows), "about": asdict(about)}),
        "verifier_result": None,
        "exception_info": None,
        "finished_at": (row.finished_at if row else "") or None,
    }
    if row is not None and row.kind == KIND_VERDICT:
        return {**found, "verifier_result": {"rewards": {REWARD: 1.0 if passed(row) else 0.0}}}
    outcome, reason = (row.outcome, row.reason) if row else ("missing", "no launch came to an end")
    lost = {
        "exception_type": outcome,
        "exception_message": reason,
        "exception_traceback": "",
        "occurred_at": found["finished_at"] or _LONG_AGO,
    }
    return {**found, "exception_info": lost}


def _usage(row: Row | None, ours: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"metadata": {OURS: ours}}
    if row is None:
        return found
    cached = row.cache_read_tokens + row.cache_write_tokens
    return {
        "n_input_tokens": row.input_tokens + cached,
        "n_cache_tokens": row.cache_read_tokens,
        "n_output_tokens": row.output_tokens,
        "cost_usd": float(row.cost_usd),
        **found,
    }


def _folder(instance: str, trial: int) -> str:
    """A folder's name for a trial: readable, and another one for each instance."""
    readable = _UNSAFE.sub("-", instance)[:100].strip(".-")
    if readable != instance:
        digest = hashlib.sha256(instance.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        readable = f"{readable}-{digest}"
    return f"{readable}__{trial + 1}"


def _id(about: About, what: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{about.run}/{about.panel_digest}/{about.started_at}/{what}"))


def read(files: Mapping[str, bytes], reward: str = "") -> Results:
    """Read the trials of a job's folder; `reward` chooses among several rewards.

    Raises:
        InvalidInputError: there is no trial, or one cannot be used; names the file.
    """
    ours: list[tuple[int, Row]] = []
    foreign: list[Row] = []
    about = About()
    repeats: Counter[str] = Counter()
    for name in sorted(files):
        if name == FILE or not name.endswith(f"/{FILE}"):
            continue
        trial = _json(files[name], name)
        kept = inside(trial, "agent_result", "metadata", OURS)
        if "rows" in kept:
            ours += uncarried(kept["rows"], name)
            about = about_from(kept.get("about"))
            continue
        about = about if about.agent else _about(trial)
        task = str(trial.get("task_name") or "")
        foreign.append(_row(trial, task, repeats[task], reward, name))
        repeats[task] += 1
    if not ours and not foreign:
        raise unreadable(f"not a Harbor job: there is no <trial>/{FILE}")
    return Results(about, (*in_order(ours), *foreign))


def _about(trial: Mapping[str, Any]) -> About:
    info = inside(trial, "agent_info")
    return About(
        suite=str(trial.get("source") or ""),
        agent=str(info.get("name") or ""),
        model=str(inside(info, "model_info").get("name") or ""),
        cli_version=str(info.get("version") or ""),
    )


def _row(trial: Mapping[str, Any], task: str, number: int, reward: str, place: str) -> Row:
    if not task:
        raise unreadable("has no task_name", place)
    try:
        facts = _facts(trial)
        rewards = inside(trial, "verifier_result", "rewards")
        if not rewards:
            lost = inside(trial, "exception_info")
            kind = lost.get("exception_type") or "the trial has no reward"
            words = f"{kind}: {lost.get('exception_message') or ''}".removesuffix(": ")
            return loss_of(task, number, words, **facts)
        value = float(_chosen(rewards, reward, place))
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(f"not a trial: {error!r:.200}", place) from error
    return verdict_of(task, number, resolved=value >= 1.0, **facts)


def _chosen(rewards: Mapping[str, Any], reward: str, place: str) -> Any:
    wanted = reward or (REWARD if REWARD in rewards else "")
    if wanted in rewards:
        return rewards[wanted]
    if wanted or len(rewards) > 1:
        raise unreadable(
            f"{place} has the rewards {', '.join(sorted(rewards))}: choose one", "--scorer"
        )
    return next(iter(rewards.values()))


def _facts(trial: Mapping[str, Any]) -> dict[str, Any]:
    used = inside(trial, "agent_result")
    cached = int(used.get("n_cache_tokens") or 0)
    cost = Decimal(str(used.get("cost_usd") or 0)).quantize(Decimal("0.000001"))
    if not math.isfinite(cost) or cost < 0:
        raise ValueError("cost must be a number of 0 or more")
    return {
        "finished_at": str(trial.get("finished_at") or ""),
        "input_tokens": max(0, int(used.get("n_input_tokens") or 0) - cached),
        "cache_read_tokens": cached,
        "output_tokens": int(used.get("n_output_tokens") or 0),
        "cost_usd": format(cost.normalize(), "f") if cost else "0",
    }


def _json(data: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"not JSON: {error}", place) from error
    if not isinstance(found, dict):
        raise unreadable("expected a JSON object", place)
    return found
