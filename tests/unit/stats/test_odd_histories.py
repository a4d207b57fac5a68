"""Whatever a well-formed history holds, the analysis answers with finite numbers."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchwarden.stats.analysis import Settings, analyze
from benchwarden.stats.baseline import Baseline
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.history import Cell, Columns, grid_of

FIRST = date(2027, 12, 20)


@settings(max_examples=60, deadline=None)
@given(
    instances=st.integers(1, 6),
    days=st.integers(1, 60),
    most_trials=st.integers(1, 4),
    rate=st.sampled_from([0.0, 0.02, 0.5, 0.97, 1.0]),
    lost=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 10_000),
)
def test_any_history_gives_finite_json(
    instances: int, days: int, most_trials: int, rate: float, lost: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cells = []
    for d in range(days):
        for i in range(instances):
            if rng.random() < lost:
                continue
            m = int(rng.integers(0, most_trials + 1))
            cells.append(Cell(FIRST + timedelta(days=d), f"i{i}", int(rng.binomial(m, rate)), m))
    if not cells:
        return
    document = analysis_document(analyze(cells, Settings(baseline_days=7)))
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    for window in document["windows"].values():
        if window["pass_rate"] is not None:
            assert 0.0 <= window["midp_less"] <= 1.0
            assert window["midp_less"] <= window["holm"] + 1e-12
            assert window["delta_ci"][0] <= window["delta"] <= window["delta_ci"][1]
            assert window["wilson"][0] <= window["pass_rate"] <= window["wilson"][1]
    for entry in document["monitor"]["days"]:
        assert min(entry["capability"], entry["breakage"], entry["improvement"]) >= 0.0
        assert entry["phi"] >= 1.0


@pytest.mark.parametrize("passes", [0, 1])
def test_a_panel_that_never_varies_stays_quiet(passes: int) -> None:
    cells = [
        Cell(FIRST + timedelta(days=d), f"i{i}", passes, 1) for d in range(90) for i in range(20)
    ]
    found = analyze(cells)
    assert found.monitor is not None
    assert found.monitor.final.alarms == ()
    assert found.flipped == ()
    if passes == 0:
        # The mean rate is too low for any of the six effects, so there is no evidence to speak of.
        assert found.monitor.days[-1].evidence_log10 is None


def test_a_single_instance_is_a_panel() -> None:
    cells = [Cell(FIRST + timedelta(days=d), "only", d % 2, 1) for d in range(40)]
    found = analyze(cells)
    assert isinstance(found.baseline, Baseline)
    week = found.windows[7]
    assert week is not None
    assert (week.instances, week.delta_interval_paired) == (1, None)


def test_columns_and_cells_are_the_same_history() -> None:
    cells = [Cell(FIRST, "a", 1, 2, 1), Cell(FIRST, "b", 0, 1, 2)]
    one, two = grid_of(cells), grid_of(Columns.of(cells))
    assert one.days == two.days
    assert one.passes.tolist() == two.passes.tolist() == [[1, 0]]
    assert grid_of(Columns.of([])).days == ()
