"""Rows as an Inspect log: one sample per trial with its score, so that `inspect view` and its data frames read it.

An epoch is a trial, counted from 1. A trial that the infrastructure lost is a sample with an error and without a
score, as in Inspect. All rows travel in the samples' metadata too: Inspect knows no retries of ours.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from benchwarden.exchange import inspect_names as inspect
from benchwarden.exchange.results import (
    OURS,
    About,
    Results,
    by_trial,
    carried,
    deciding,
    passed,
)
from benchwarden.results.row import KIND_VERDICT, Row

_NO_MODEL: Final = "none/none"
_LONG_AGO: Final = "1970-01-01T00:00:00+00:00"
_STAMP: Final = (1980, 1, 1, 0, 0, 0)  # the same rows give the same bytes


def write(results: Results) -> bytes:
    """Write an `.eval` archive."""
    about = results.about
    samples = [_sample(about, rows) for rows in by_trial(results.rows).values()]
    head = _head(about, samples)
    members: dict[str, Any] = {
        inspect.START: {key: head[key] for key in ("version", "eval", "plan")},
        **{inspect.sample_file(each["id"], each["epoch"]): each for each in samples},
        inspect.SUMMARIES: [_summary(each) for each in samples],
        inspect.HEADER: head,
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(
                zipfile.ZipInfo(name, _STAMP), json.dumps(content), zipfile.ZIP_DEFLATED
            )
    return written.getvalue()


def _head(about: About, samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scored = [each for each in samples if each["scores"]]
    right = sum(1 for each in scored if each["scores"][OURS]["value"] == inspect.CORRECT)
    ids = list(dict.fromkeys(each["id"] for each in samples))
    accuracy = right / len(scored) if scored else 0.0
    return {
        "version": inspect.VERSION,
        "status": "success",
        "eval": {
            "eval_id": about.run or OURS,
            "run_id": about.run or OURS,
            "created": about.started_at or about.finished_at or _LONG_AGO,
            "task": about.suite or about.run or OURS,
            "task_id": about.panel_digest or about.suite or OURS,
            "dataset": {"name": about.suite, "samples": len(ids), "sample_ids": ids},
            "model": about.model or _NO_MODEL,
            "config": {"epochs": max((each["epoch"] for each in samples), default=1)},
            "packages": {},
            "metadata": {OURS: asdict(about)},
        },
        "plan": {"name": "plan", "steps": []},
        "results": {
            "total_samples": len(samples),
            "completed_samples": len(scored),
            "scores": [
                {
                    "name": OURS,
                    "scorer": OURS,
                    "scored_samples": len(scored),
                    "unscored_samples": len(samples) - len(scored),
                    "metrics": {"accuracy": {"name": "accuracy", "value": accuracy}},
                }
            ],
        },
        "stats": {
            "started_at": about.started_at,
            "completed_at": about.finished_at,
            "model_usage": {},
        },
    }


def _sample(about: About, rows: Sequence[tuple[int, Row]]) -> dict[str, Any]:
    row = deciding(rows)
    first = rows[0][1]
    found: dict[str, Any] = {
        "id": first.instance,
        "epoch": first.trial + 1,
        "input": "",
        "target": "",
        "scores": None,
        "messages": [],
        "metadata": {OURS: {"rows": carried(rows)}},
        "store": {},
        "events": [],
        "attachments": {},
    }
    if row is None:
        return {**found, "error": _error("no launch came to an end")}
    found["total_time"] = found["working_time"] = row.agent_seconds + row.grade_seconds
    if row.finished_at:
        found["completed_at"] = row.finished_at
    found["model_usage"] = {about.model or _NO_MODEL: _usage(row)}
    if row.kind != KIND_VERDICT:
        return {**found, "error": _error(f"{row.outcome}: {row.reason}".removesuffix(": "))}
    return {**found, "scores": {OURS: _score(row)}}


def _score(row: Row) -> dict[str, Any]:
    return {
        "value": inspect.CORRECT if passed(row) else inspect.INCORRECT,
        "explanation": f"{row.outcome}: {row.reason}".removesuffix(": "),
        "metadata": {"outcome": row.outcome, "tests": list(row.tests)},
    }


def _usage(row: Row) -> dict[str, Any]:
    read, written = row.cache_read_tokens, row.cache_write_tokens
    return {
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "total_tokens": row.input_tokens + row.output_tokens + read + written,
        "input_tokens_cache_read": read,
        "input_tokens_cache_write": written,
        "total_cost": float(row.cost_usd),
    }


def _error(message: str) -> dict[str, str]:
    return {"message": message, "traceback": "", "traceback_ansi": ""}


def _summary(sample: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("id", "epoch", "input", "target", "scores", "model_usage", "total_time", "working_time")
    found = {key: sample[key] for key in (*kept, "completed_at") if key in sample}
    if "error" in sample:
        found["error"] = sample["error"]["message"]
    return {**found, "metadata": {}, "completed": True, "retries": 0}
