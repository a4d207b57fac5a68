"""Synthetic histories that read like sentences: a panel, a change, holes, repeats."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from benchwarden.stats.history import Cell

FIRST = date(2026, 1, 1)
Rows = list[dict[str, Any]]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def panel_rates(instances: int = 30, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).beta(0.9, 0.6, instances)


def history(
    days: int,
    *,
    instances: int = 30,
    trials: Callable[[int, int], int] = lambda _d, _i: 1,
    change: Callable[[int, np.ndarray], np.ndarray] = lambda _d, p: p,
    seed: int = 1,
) -> Rows:
    """Rows of a history: ``trials(d, i)`` per cell, rates on day d are ``change(d, rates)``."""
    rng = np.random.default_rng(seed)
    rates = panel_rates(instances)
    rows: Rows = []
    for d in range(days):
        today = change(d, rates)
        for i in range(instances):
            m = trials(d, i)
            rows.append(
                {
                    "day": day(d).isoformat(),
                    "instance": f"i{i:03d}",
                    "passes": int(rng.binomial(m, today[i])) if m else 0,
                    "trials": m,
                }
            )
    return rows


def cells(rows: Rows) -> list[Cell]:
    return [
        Cell(date.fromisoformat(row["day"]), row["instance"], row["passes"], row["trials"], n)
        for n, row in enumerate(rows, start=1)
    ]


def broken(first: int, last: int, share: float) -> Callable[[int, np.ndarray], np.ndarray]:
    """A change that fails a ``share`` of all sessions on days first..last."""
    return lambda d, p: p * (1 - share) if first <= d <= last else p


def harder(first: int, last: int, shift: float) -> Callable[[int, np.ndarray], np.ndarray]:
    """A change that lowers the log odds of every instance on days first..last."""

    def change(d: int, p: np.ndarray) -> np.ndarray:
        if not first <= d <= last:
            return p
        odds = np.exp(-shift) * p / (1 - p)
        return odds / (1 + odds)

    return change
