"""The vectorised monitors follow the scalar one, and reach the promised numbers in a short run.

The bounds allow for the noise of a few hundred panels; the benchmark holds the exact ones.
"""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests.unit.stats.histories import panel_rates

from benchwarden.stats.baseline import Baseline, freeze
from benchwarden.stats.batch import BatchMonitor, batch_rates
from benchwarden.stats.distributions import binomial_lower_tail
from benchwarden.stats.history import Grid
from benchwarden.stats.monitor import Day, MergeRule, advance, build_model, start
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.simulation import (
    NO_CHANGE,
    Scenario,
    false_pages_a_year,
    first_page_rate,
    monitor_delays,
    pooled_delays,
    pooled_episodes_a_year,
    pooled_flags,
    replay,
)
from benchwarden.stats.stratified import PanelCounts, stratified_test
from benchwarden.stats.synthetic import (
    Change,
    PanelKind,
    Shape,
    daily_shifts,
    degraded,
    draw_panels,
    pool_rates,
    pool_shift,
    shifted,
)

FIVE_POINTS = Change(Shape.CAPABILITY, 0.05)
BROKEN = Change(Shape.BREAKAGE, 0.05)


@pytest.mark.parametrize("rule", list(MergeRule))
def test_many_monitors_at_once_follow_the_single_one(rule: MergeRule) -> None:
    rng = np.random.default_rng(11)
    panels, instances, baseline_days, days = 4, 25, 14, 60
    rates = np.array([panel_rates(instances, seed) for seed in range(panels)])
    trials = rng.integers(0, 4, (baseline_days + days, panels, instances))
    trials[:2] = 2
    passes = rng.binomial(trials, np.clip(rates, 0, 1))
    passes[baseline_days + 20 :] = rng.binomial(trials[baseline_days + 20 :], 0.8 * rates)
    batch = BatchMonitor(passes[:14], trials[:14], 1, 365, rule)
    first = date(2026, 1, 1)
    singles = []
    for panel in range(panels):
        grid = Grid(
            tuple(first + timedelta(days=n) for n in range(baseline_days)),
            tuple(f"i{n:02d}" for n in range(instances)),
            passes[:14, panel],
            trials[:14, panel],
            trials[:14, panel] >= 0,
        )
        counts = grid.passes.sum(axis=0), grid.trials.sum(axis=0)
        whole = Grid(
            grid.days[:1], grid.instances, *(c[None, :] for c in counts), counts[1][None] > 0
        )
        assert whole.trials.min() > 0
        baseline = _frozen_as_it_is(grid)
        model = build_model(baseline, 365, rule)
        singles.append((model, start(model)))
    assert batch.threshold == pytest.approx([model.threshold for model, _ in singles], rel=1e-12)
    for number in range(baseline_days, baseline_days + days):
        batch.step(passes[number].astype(float), trials[number].astype(float))
        for panel, (model, state) in enumerate(singles):
            today = Day(
                first + timedelta(days=number), passes[number, panel], trials[number, panel]
            )
            singles[panel] = model, advance(model, state, today)
        for name in ("capability", "breakage", "improvement"):
            expected = [getattr(state.statistics, name) for _, state in singles]
            assert getattr(batch, name) == pytest.approx(expected, abs=1e-9), (number, name)
        dispersions = [state.learning.dispersion.factor for _, state in singles]
        assert batch.dispersion == pytest.approx(dispersions, rel=1e-9)


def _frozen_as_it_is(grid: Grid) -> Baseline:
    from benchwarden.stats import baseline

    return baseline._frozen(grid, grid.days[-1], (), 1)


def test_rates_of_many_panels_are_those_of_each() -> None:
    rng = np.random.default_rng(2)
    trials = rng.integers(1, 20, (6, 30)).astype(float)
    passes = np.floor(trials * rng.random((6, 30)))
    trials[0], passes[0] = 1.0, (rng.random(30) < 0.5).astype(float)
    found = batch_rates(passes, trials)
    for row in range(6):
        assert found[row] == pytest.approx(instance_rates(passes[row], trials[row]).rates)


def test_the_pool_has_the_published_moments() -> None:
    rates = pool_rates()
    assert rates.mean() == pytest.approx(0.5182, abs=0.002)
    assert (rates * (1 - rates)).mean() == pytest.approx(0.0985, abs=0.002)
    assert pool_shift(0.05) == pytest.approx(0.498, abs=0.005)
    assert pool_shift(-0.05) < 0


def test_changes_lower_the_pool_by_their_effect() -> None:
    rng = np.random.default_rng(3)
    rates = draw_panels(rng, 2000, 50, PanelKind.RANDOM)
    for change in (FIVE_POINTS, BROKEN):
        drop = (rates - degraded(rng, rates, change)).mean()
        assert drop == pytest.approx(0.05, abs=0.003)
    hit = degraded(rng, rates, Change(Shape.COLLAPSE, 0.2))
    assert (hit[rates > 0] == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert degraded(rng, rates, NO_CHANGE) is rates


def test_certain_instances_stay_certain_under_a_shift() -> None:
    assert shifted(np.array([0.0, 1.0]), 0.5).tolist() == [0.0, 1.0]


def test_a_mixed_panel_is_noisier_than_a_random_one() -> None:
    rng = np.random.default_rng(4)
    mixed = draw_panels(rng, 300, 50, PanelKind.MIXED)
    random = draw_panels(rng, 300, 50, PanelKind.RANDOM)
    assert mixed.shape == random.shape == (300, 50)
    assert (mixed * (1 - mixed)).mean() > 1.4 * (random * (1 - random)).mean()


def test_daily_effects_have_the_spread_and_memory_asked_for() -> None:
    rng = np.random.default_rng(5)
    shifts = daily_shifts(rng, 400, 50, 0.02, 0.7)
    moved = 0.5189 - np.array([shifted(pool_rates()[::200], s).mean() for s in shifts[:, 0]])
    assert np.std(moved) == pytest.approx(0.02, rel=0.25)
    lag = np.corrcoef(shifts[1:].ravel(), shifts[:-1].ravel())[0, 1]
    assert lag == pytest.approx(0.7, abs=0.03)
    assert not daily_shifts(rng, 3, 2, 0.0).any()


def test_the_pooled_rule_flags_what_the_binomial_tail_says() -> None:
    rng = np.random.default_rng(6)
    passes, trials = rng.binomial(50, 0.5, (40, 3)).astype(float), np.full((40, 3), 50.0)
    flags = pooled_flags(passes, trials, np.full(3, 0.52))
    for d in range(40):
        for panel in range(3):
            tails = []
            for length in (1, 7, 30):
                window = slice(max(0, d - length + 1), d + 1)
                k, n = int(passes[window, panel].sum()), int(trials[window, panel].sum())
                tails.append(binomial_lower_tail(k, n, 0.52))
            assert flags[d, panel] == (min(tails) < 0.05)


def test_equal_seeds_replay_equal_paths() -> None:
    scenario = Scenario(panels=20, days=60, missing=0.05, trials=2, reruns=3, daily_sd=0.02)
    one, two = (replay(scenario, np.random.default_rng(9)) for _ in range(2))
    assert one.first_alarm.tolist() == two.first_alarm.tolist()
    assert one.runs == two.runs > 90


@pytest.mark.parametrize("baseline_days", [7, 14, 28])
@pytest.mark.parametrize("daily_sd", [0.0, 0.03])
def test_false_pages_stay_rare_for_every_baseline_and_daily_effect(
    baseline_days: int, daily_sd: float
) -> None:
    scenario = Scenario(panels=400, baseline_days=baseline_days, daily_sd=daily_sd)
    paths = replay(scenario, np.random.default_rng(21))
    assert first_page_rate(paths, scenario) <= 1.4
    assert false_pages_a_year(paths, scenario) >= 0.5 * first_page_rate(paths, scenario)


@pytest.mark.parametrize(
    ("kind", "change", "reruns", "median", "p90", "runs"),
    [
        (PanelKind.RANDOM, FIVE_POINTS, 1, 7, 18, 50),
        (PanelKind.MIXED, FIVE_POINTS, 1, 5, 12, 50),
        (PanelKind.MIXED, FIVE_POINTS, 3, 3, 7, 60),
        (PanelKind.RANDOM, BROKEN, 1, 4, 10, 50),
        (PanelKind.MIXED, BROKEN, 1, 5, 10, 50),
        (PanelKind.MIXED, BROKEN, 3, 3, 6, 60),
    ],
)
def test_five_points_are_paged_within_days(
    kind: PanelKind, change: Change, reruns: int, median: int, p90: int, runs: float
) -> None:
    # The closer a median is to its bound, the more panels.
    panels = 1000 if median == 3 and change is FIVE_POINTS else 400
    scenario = Scenario(panels=panels, days=110, kind=kind, change=change, reruns=reruns)
    paths = replay(scenario, np.random.default_rng(22))
    found = monitor_delays(paths)
    assert found.median is not None
    assert found.p90 is not None
    assert (found.median <= median, found.p90 <= p90) == (True, True), found
    assert paths.runs <= runs + 0.01


def test_absorbing_unconfirmed_days_stops_repeated_pages() -> None:
    discarding = Scenario(panels=250, baseline_days=7, daily_sd=0.03)
    absorbing = replace(discarding, absorb_unconfirmed=True)
    one, two = (replay(s, np.random.default_rng(25)) for s in (discarding, absorbing))
    assert first_page_rate(one, discarding) == first_page_rate(two, absorbing)
    assert false_pages_a_year(two, absorbing) < 0.75 * false_pages_a_year(one, discarding)


def test_the_pooled_rule_cries_wolf_more_often_than_the_monitor() -> None:
    scenario = Scenario(panels=300)
    paths = replay(scenario, np.random.default_rng(23))
    assert pooled_episodes_a_year(paths, scenario) > 3 * first_page_rate(paths, scenario)


def test_delays_not_reached_are_unknown() -> None:
    scenario = Scenario(panels=30, days=30, change=Change(Shape.CAPABILITY, 0.001), change_within=5)
    paths = replay(scenario, np.random.default_rng(24))
    assert monitor_delays(paths).p90 is None
    assert pooled_delays(paths).panels <= 30


def window_p_values(effect: Change, panels: int, window: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rates = draw_panels(rng, panels, 50, PanelKind.RANDOM)
    after = degraded(rng, rates, effect)
    base, new = rng.binomial(20, rates), rng.binomial(window, after)
    return np.array(
        [
            stratified_test(PanelCounts.of(x, window, s, 20)).midp_less
            for x, s in zip(new, base, strict=True)
        ]
    )


def test_the_week_test_keeps_its_size_and_sees_five_points() -> None:
    null = window_p_values(NO_CHANGE, 1200, 7, 31)
    assert np.mean(null < 0.05) <= 0.07
    assert np.mean(null < 0.5) == pytest.approx(0.5, abs=0.05)
    worse = window_p_values(FIVE_POINTS, 600, 7, 32)
    assert np.mean(worse < 0.05) >= 0.76


def test_freeze_is_what_the_batch_assumes_of_a_complete_baseline() -> None:
    rng = np.random.default_rng(12)
    passes = rng.binomial(1, panel_rates(20), (14, 20))
    days = tuple(date(2026, 1, 1) + timedelta(days=n) for n in range(14))
    names = tuple(f"i{n:02d}" for n in range(20))
    ones = np.ones((14, 20), dtype=np.int64)
    frozen = freeze(Grid(days, names, passes, ones, ones > 0), days[-1])
    assert isinstance(frozen, Baseline)
    batch = BatchMonitor(passes[:, None], ones[:, None], 1, 365)
    assert batch.rates[0] == pytest.approx(frozen.rates)
    assert batch.dispersion[0] == pytest.approx(frozen.dispersion.factor)
