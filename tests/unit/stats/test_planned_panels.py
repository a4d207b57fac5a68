"""A panel that was planned: who never ran is missing, who is not on it does not count; and one-instance intervals."""

import math

import pytest
from tests.unit.stats.histories import cells, day, history
from tests.unit.stats.test_history_rules import same_numbers

from benchwarden.stats.analysis import Settings, analyze
from benchwarden.stats.baseline import Baseline, Collecting


def test_a_planned_instance_that_never_ran_is_missing_from_every_day() -> None:
    rows = history(30, instances=9)
    seen = frozenset(f"i{i:03d}" for i in range(9))
    found = analyze(cells(rows), Settings(panel=seen | {"never"}))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.dropped == ("never",)
    assert set(found.baseline.instances) == seen
    assert same_numbers(found, analyze(cells(rows)))


def test_a_panel_of_which_a_quarter_never_ran_is_not_frozen() -> None:
    planned = frozenset(f"i{i:03d}" for i in range(12))
    found = analyze(cells(history(40, instances=9)), Settings(panel=planned))
    assert isinstance(found.baseline, Collecting)
    assert found.baseline.problem == "only 0 of 12 instances have 7 valid trials on 0 complete days"
    assert "i011" in found.baseline.dropped


def test_what_others_did_before_the_panel_began_does_not_use_up_its_baseline() -> None:
    strangers = [row | {"instance": f"other-{row['instance']}"} for row in history(40)]
    late = [row for row in history(70) if row["day"] >= day(40).isoformat()]
    panel = frozenset(row["instance"] for row in late)
    found = analyze(cells([*strangers, *late]), Settings(panel=panel))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.days[0] == day(40)
    assert found.outside_panel == len(strangers)
    assert same_numbers(found, analyze(cells(late)))


def test_the_interval_of_a_difference_follows_its_formula_even_beyond_one() -> None:
    # One instance, 14 of 14 before, 0 of 1 today: -1 +- 1.96 sqrt(r(1-r)(1/1 + 1/14)).
    rows = [
        {"day": day(d).isoformat(), "instance": "only", "passes": int(d < 14), "trials": 1}
        for d in range(15)
    ]
    today = analyze(cells(rows)).windows[1]
    assert today is not None
    strength = 1 / 0.6 - 1
    rate = (14 / 15 * strength + 14) / (strength + 15)
    phi = max(1.0, analyze(cells(rows)).monitor.dispersion)
    half = 1.959963984540054 * math.sqrt(phi * rate * (1 - rate) * (1 + 1 / 14))
    assert today.delta == -1.0
    assert today.delta_interval.lower == pytest.approx(-1.0 - half, rel=1e-12)
    assert today.delta_interval.upper == pytest.approx(-1.0 + half, rel=1e-12)
