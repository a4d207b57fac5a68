from datetime import date, timedelta

import numpy as np
import pytest
from tests.unit.stats.vectors import all_vectors, check

from benchwarden.stats.baseline import Baseline
from benchwarden.stats.dispersion import Dispersion
from benchwarden.stats.monitor import Day, advance, build_model, start
from benchwarden.stats.shrinkage import instance_rates

START = date(2026, 1, 1)


def vector_baseline() -> Baseline:
    given = all_vectors()["monitor-14d-10"]["inputs"]
    passes = np.array(given["baseline_passes"])
    rates = instance_rates(passes, given["baseline_trials"]).rates
    counts = np.array(given["baseline_daily_counts"], dtype=float)
    variance = float((rates * (1 - rates)).sum())
    squares = float(((counts - counts.mean()) ** 2).sum()) / variance
    return Baseline(
        instances=tuple(f"i{n}" for n in range(10)),
        passes=passes,
        trials=np.full(10, 14),
        rates=rates,
        days=tuple(START + timedelta(days=n) for n in range(14)),
        frozen_on=START + timedelta(days=13),
        dropped=(),
        nominal_trials=1,
        scale=0.5 * variance**0.5,
        dispersion=Dispersion(10 + squares, 23),
        digest="",
    )


def test_the_monitor_matches_its_vector() -> None:
    given = all_vectors()["monitor-14d-10"]["inputs"]
    baseline = vector_baseline()
    model = build_model(baseline, given["arl0_days"])
    state = start(model)
    paths: dict[str, list[float]] = {"c1": [], "c2": [], "phi": []}
    for number, outcomes in enumerate(given["y"]):
        cells = np.array(outcomes)
        trials = (cells >= 0).astype(np.int64)
        today = Day(START + timedelta(days=14 + number), np.maximum(cells, 0), trials)
        paths["phi"].append(state.learning.dispersion.factor)
        state = advance(model, state, today)
        paths["c1"].append(state.statistics.capability)
        paths["c2"].append(state.statistics.breakage)
    check(
        "monitor-14d-10",
        paths
        | {
            "baseline_trials_final": list(state.learning.trials),
            "p_final": list(state.learning.rates),
            "p_initial": list(baseline.rates),
            "delta_day": baseline.scale,
            "threshold_arl365": model.threshold,
        },
    )
    assert paths["c1"] == pytest.approx(all_vectors()["monitor-14d-10"]["expected"]["c1"], abs=1e-9)
