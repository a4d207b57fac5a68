"""The whole analysis against the second implementation, over histories of every kind."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.stats.histories import Rows, broken, cells, harder, history
from tests.unit.stats.second_opinion import Opinion

from benchwarden.stats.analysis import Analysis, analyze
from benchwarden.stats.baseline import Baseline

SCENARIOS: dict[str, Rows] = {
    "quiet": history(60),
    "three-trials": history(50, trials=lambda _d, _i: 3),
    "reruns-on-some-days": history(60, trials=lambda d, _i: 3 if d % 9 == 0 else 1),
    "holes-in-the-baseline": history(
        60,
        trials=lambda d, i: 0 if (d in {3, 7} and i % 3 == 0) or (d * 31 + i * 17) % 13 == 0 else 1,
    ),
    "an-instance-leaves": history(50, trials=lambda d, i: 0 if i == 4 and d < 12 else 1),
    "held-days": history(50, trials=lambda d, i: 0 if d in {20, 21, 33} and i % 2 else 1),
    "partial-days": history(50, trials=lambda d, i: 0 if d in {20, 25} and i % 7 == 0 else 1),
    "confirmed-and-resolved": history(110, change=harder(30, 55, 1.3), seed=5),
    "broken-and-resolved": history(110, change=broken(30, 50, 0.3), seed=6),
    "unconfirmed": history(80, change=broken(30, 31, 0.65), seed=4),
    "improvement": history(60, change=harder(30, 60, -1.5), seed=8),
    "still-degraded": history(34, change=harder(28, 60, 2.0), seed=9),
}


def windows_agree(found: Analysis, expected: Opinion) -> None:
    adjusted = expected.holm()
    for length in (1, 7, 30):
        window, other = found.windows[length], expected.report(length)
        assert (window is None) == (other is None)
        if window is None or other is None:
            continue
        assert window.pass_rate == pytest.approx(other["pass_rate"], abs=1e-12)
        assert window.expected == pytest.approx(other["expected"], abs=1e-12)
        assert window.delta == pytest.approx(other["delta"], abs=1e-12)
        ends = [window.delta_interval.lower, window.delta_interval.upper]
        assert ends == pytest.approx(other["delta_ci"], abs=1e-10)
        assert window.test.midp_less == pytest.approx(other["midp_less"], abs=1e-10)
        assert window.holm_less == pytest.approx(adjusted[length], abs=1e-10)
        assert window.mde == pytest.approx(other["mde"], abs=1e-10)


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_implementations_agree_on_every_day_and_window(name: str) -> None:
    rows = SCENARIOS[name]
    found, expected = analyze(cells(rows)), Opinion(rows)
    assert isinstance(found.baseline, Baseline)
    assert found.monitor is not None
    assert list(found.baseline.instances) == expected.panel
    assert found.baseline.frozen_on == expected.frozen_on
    assert found.baseline.nominal_trials == expected.k
    assert found.monitor.model.threshold == pytest.approx(expected.threshold, abs=1e-9)
    assert len(found.monitor.days) == len(expected.path)
    for report, other in zip(found.monitor.days, expected.path, strict=True):
        assert (report.day.isoformat(), report.gate) == (other["day"], other["gate"])
        assert report.status == other["status"], report.day
        for key in ("capability", "breakage", "improvement"):
            assert getattr(report, key) == pytest.approx(other[key], abs=1e-8), (report.day, key)
        assert report.dispersion == pytest.approx(other["phi"], abs=1e-10)
        assert report.evidence_log10 == pytest.approx(other["evidence_log10"], abs=1e-8)
    alarms = [alarm_document(alarm) for alarm in found.monitor.final.alarms]
    assert alarms == expected.alarms
    windows_agree(found, expected)


def alarm_document(alarm: Any) -> dict[str, Any]:
    return {
        "day": alarm.day.isoformat(),
        "component": str(alarm.component),
        "change_day": alarm.change_day.isoformat(),
        "outcome": str(alarm.outcome),
        "confirmed_on": alarm.confirmed_on.isoformat() if alarm.confirmed_on else None,
        "ended_on": alarm.ended_on.isoformat() if alarm.ended_on else None,
    }


STORED = Path(__file__).parents[2] / "data" / "analysis-vectors.json"
STORED_NAMES = (
    "three-trials",
    "holes-in-the-baseline",
    "confirmed-and-resolved",
    "unconfirmed",
    "improvement",
    "still-degraded",
)


@pytest.mark.parametrize("name", STORED_NAMES)
def test_the_analysis_matches_its_stored_vectors(name: str) -> None:
    vector = json.loads(STORED.read_text())[name]
    found = analyze(cells(unpacked(vector["cells"])))
    assert found.monitor is not None
    expected = vector["expected"]
    assert found.monitor.model.threshold == pytest.approx(expected["threshold"], abs=1e-9)
    assert [alarm_document(alarm) for alarm in found.monitor.final.alarms] == expected["alarms"]
    days = found.monitor.days
    assert [str(day.status) for day in days] == expected["status"]
    for key in ("capability", "breakage", "improvement", "evidence_log10"):
        assert [getattr(day, key) for day in days] == pytest.approx(expected[key], abs=1e-8)
    for length, midp in expected["midp_less"].items():
        window = found.windows[int(length)]
        assert window is not None
        assert window.test.midp_less == pytest.approx(midp, abs=1e-9)


def packed(rows: Rows) -> dict[str, list[str]]:
    """One string per day and kind, one digit per instance: rows are days in order, all instances."""
    days: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["day"], []).append(row)
    return {
        "days": list(days),
        "passes": ["".join(str(row["passes"]) for row in today) for today in days.values()],
        "trials": ["".join(str(row["trials"]) for row in today) for today in days.values()],
    }


def unpacked(table: dict[str, list[str]]) -> Rows:
    return [
        {"day": day, "instance": f"i{i:03d}", "passes": int(y), "trials": int(m)}
        for day, passes, trials in zip(*table.values(), strict=True)
        for i, (y, m) in enumerate(zip(passes, trials, strict=True))
    ]


def store_vectors() -> None:
    """Write the stored vectors from the second implementation (run this module to do so)."""
    stored = {}
    for name in STORED_NAMES:
        rows = SCENARIOS[name]
        opinion = Opinion(rows)
        reports = {length: opinion.report(length) for length in (1, 7, 30)}
        stored[name] = {
            "cells": packed(rows),
            "expected": {
                "threshold": opinion.threshold,
                "alarms": opinion.alarms,
                "midp_less": {str(n): r["midp_less"] for n, r in reports.items() if r},
                **{
                    key: [entry[key] for entry in opinion.path]
                    for key in ("status", "capability", "breakage", "improvement", "evidence_log10")
                },
            },
        }
    STORED.write_text(json.dumps(stored, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    store_vectors()
