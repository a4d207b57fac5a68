"""The vectorised episodes page, confirm and resolve on the days the single state machine does."""

from datetime import date, timedelta

import numpy as np
from tests.unit.stats.histories import panel_rates

from benchwarden.api.schedule import RerunPolicy
from benchwarden.stats.baseline import Baseline, freeze
from benchwarden.stats.batch import BatchMonitor
from benchwarden.stats.batch_episodes import BatchEpisodes
from benchwarden.stats.episodes import Outcome, Status, watch, watchman
from benchwarden.stats.history import Grid
from benchwarden.stats.monitor import Component, build_model
from benchwarden.stats.simulation import Scenario, replay

BASELINE, DAYS, PANELS, INSTANCES = 14, 150, 12, 30
FIRST = date(2026, 1, 1)


def worlds() -> tuple[np.ndarray, np.ndarray]:
    """Quiet panels, incidents of three lengths, and one that stays bad."""
    rng = np.random.default_rng(4)
    rates = np.array([panel_rates(INSTANCES, seed) for seed in range(PANELS)])
    daily = np.repeat(rates[None], BASELINE + DAYS, axis=0)
    for panel, (length, share) in enumerate(((3, 0.5), (3, 0.4), (20, 0.3), (25, 0.3), (999, 0.3))):
        daily[30 : 30 + length, panel] *= 1 - share
    passes = (rng.random(daily.shape) < daily).astype(np.int64)
    return passes, np.ones_like(passes)


def test_many_state_machines_at_once_follow_the_single_one() -> None:
    passes, trials = worlds()
    monitor = BatchMonitor(passes[:BASELINE], trials[:BASELINE], 1, 60)
    batch = BatchEpisodes(monitor, passes[:BASELINE], trials[:BASELINE])
    days = tuple(FIRST + timedelta(days=n) for n in range(BASELINE + DAYS))
    names = tuple(f"i{n:02d}" for n in range(INSTANCES))
    singles = []
    for panel in range(PANELS):
        grid = Grid(days, names, passes[:, panel], trials[:, panel], trials[:, panel] > 0)
        baseline = freeze(grid, days[-1], BASELINE)
        assert isinstance(baseline, Baseline)
        model = build_model(baseline, 60)
        singles.append((model, watchman(model)))
    for number in range(BASELINE, BASELINE + DAYS):
        y, m = passes[number].astype(float), trials[number].astype(float)
        monitor.step(y, m)
        batch.step(y, m)
        for panel, (model, state) in enumerate(singles):
            today = passes[number, panel], trials[number, panel]
            after, _ = watch(model, state, days[number], *today)
            singles[panel] = model, after
            # After a page for breakage is resolved the two keep different days; see the module.
            if any(
                alarm.outcome is Outcome.RESOLVED and alarm.component is Component.BREAKAGE
                for alarm in after.alarms
            ):
                continue
            told = (bool(batch.degraded[panel]), bool(batch.confirmed[panel]))
            assert told == (
                after.status is Status.DEGRADED,
                after.status is Status.CONFIRMED,
            ), (panel, number)
            assert batch.pages[panel] == len(after.alarms)
            assert batch.unconfirmed[panel] == after.false_alarms
    outcomes = {alarm.outcome for _, state in singles for alarm in state.alarms}
    assert outcomes >= {Outcome.CONFIRMED, Outcome.UNCONFIRMED, Outcome.RESOLVED}


def test_the_simulation_caps_closer_looks_as_a_schedule_does() -> None:
    assert Scenario().reruns_a_month == RerunPolicy().max_per_month
    shown = {"panels": 60, "days": 120, "reruns": 3, "daily_sd": 0.03}
    none, few, many = (
        replay(Scenario(**shown, reruns_a_month=most), np.random.default_rng(8)).runs
        for most in (0, 1, 30)
    )
    assert none == 50
    # One day of 150 runs among 30 of 50.
    assert 50 < few <= 50 + 100 / 30 * 1.25
    assert few < many
