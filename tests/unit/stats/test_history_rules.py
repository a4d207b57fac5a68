"""What a history may hold, how a baseline forms, and what the windows say at the edges."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stats.histories import FIRST, Rows, broken, cells, day, harder, history

from benchwarden.errors import InvalidInputError
from benchwarden.stats.analysis import Analysis, Settings, analyze
from benchwarden.stats.baseline import Baseline, Collecting, freeze, most_frequent_trials
from benchwarden.stats.dispersion import Dispersion, baseline_dispersion
from benchwarden.stats.episodes import Outcome, Status
from benchwarden.stats.gate import Gate, gate_of
from benchwarden.stats.history import Cell, grid_of
from benchwarden.stats.monitor import MergeRule
from benchwarden.stats.windows import Verdict, verdict_of


def same_numbers(one: Analysis, two: Analysis) -> bool:
    assert one.monitor is not None
    assert two.monitor is not None
    return (
        one.windows == two.windows
        and one.monitor.days == two.monitor.days
        and one.flipped == two.flipped
        and isinstance(one.baseline, Baseline)
        and isinstance(two.baseline, Baseline)
        and one.baseline.digest == two.baseline.digest
    )


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_digit(random) -> None:
    rows = history(40, trials=lambda d, i: 0 if (d + i) % 11 == 0 else 1)
    shuffled = random.sample(rows, len(rows))
    assert same_numbers(analyze(cells(rows)), analyze(cells(shuffled)))


def test_a_duplicate_row_is_refused_with_both_lines() -> None:
    rows = history(3)
    with pytest.raises(InvalidInputError, match=r"line 91: duplicate row .* \(lines 5, 91\)"):
        analyze(cells([*rows, rows[4]]))


@pytest.mark.parametrize(("passes", "trials"), [(2, 1), (-1, 1), (0, -1)])
def test_impossible_counts_are_refused_with_their_line(passes: int, trials: int) -> None:
    rows = history(2)
    rows[6] |= {"passes": passes, "trials": trials}
    with pytest.raises(InvalidInputError, match="line 7"):
        analyze(cells(rows))


def test_a_cell_without_a_line_is_named_by_day_and_instance() -> None:
    with pytest.raises(InvalidInputError, match="2026-01-01 a"):
        grid_of([Cell(FIRST, "a", 2, 1)])


def test_a_day_after_the_end_of_data_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"line 31: day 2026-01-02 lies after"):
        analyze(cells(history(2)), Settings(until=FIRST))


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no rows"):
        analyze([])


def test_instances_outside_the_panel_are_ignored_and_counted() -> None:
    rows = history(30)
    strangers = [
        {"day": day(d).isoformat(), "instance": "stranger", "passes": 1, "trials": 1}
        for d in (20, 25)
    ]
    with_strangers = analyze(cells([*rows, *strangers]))
    assert with_strangers.outside_panel == 2
    assert same_numbers(with_strangers, analyze(cells(rows)))


def test_a_given_panel_leaves_the_others_out_from_the_start() -> None:
    rows = history(30)
    panel = frozenset(f"i{i:03d}" for i in range(25))
    found = analyze(cells(rows), Settings(panel=panel))
    assert isinstance(found.baseline, Baseline)
    assert set(found.baseline.instances) == panel
    assert found.outside_panel == 5 * 30
    small = [row for row in rows if row["instance"] in panel]
    assert same_numbers(found, analyze(cells(small)))


def test_days_before_the_first_day_are_left_out_and_counted() -> None:
    rows = history(40)
    found = analyze(cells(rows), Settings(first_day=day(10)))
    assert found.before_first_day == 300
    late = [row for row in rows if row["day"] >= day(10).isoformat()]
    assert same_numbers(found, analyze(cells(late)))


def test_a_voided_day_is_as_if_it_had_not_been_run() -> None:
    rows = history(40)
    found = analyze(cells(rows), Settings(voided=frozenset({day(5), day(30)})))
    kept = [row for row in rows if row["day"] not in {day(5).isoformat(), day(30).isoformat()}]
    assert same_numbers(found, analyze(cells(kept)))


def test_a_missing_row_and_a_row_without_trials_are_the_same() -> None:
    rows = history(40, trials=lambda d, i: 0 if (d + i) % 11 == 0 else 1)
    assert same_numbers(
        analyze(cells(rows)), analyze(cells([row for row in rows if row["trials"]]))
    )


def test_before_the_baseline_is_full_it_is_collecting() -> None:
    found = analyze(cells(history(10)))
    assert isinstance(found.baseline, Collecting)
    assert (len(found.baseline.days), found.baseline.wanted_days) == (10, 14)
    assert (found.baseline.trials, found.baseline.problem) == (300, "")
    assert (found.windows, found.monitor, found.flipped) == ({}, None, ())


def test_only_voided_days_leave_nothing_to_collect() -> None:
    found = analyze(cells(history(2)), Settings(voided=frozenset({day(0), day(1)})))
    assert isinstance(found.baseline, Collecting)
    assert found.baseline.days == ()


def test_held_days_extend_the_baseline() -> None:
    rows = history(30, trials=lambda d, i: 0 if d in {2, 6} and i % 2 else 1)
    found = analyze(cells(rows))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.frozen_on == day(15)
    assert len(found.baseline.days) == 14
    assert day(2) not in found.baseline.days


def test_a_baseline_freezes_at_twice_its_days_with_what_it_has() -> None:
    rows = history(40, trials=lambda d, i: 0 if d % 3 == 0 and i % 2 else 1)
    found = analyze(cells(rows), Settings(baseline_days=28, until=day(55)))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.frozen_on == day(55)
    assert len(found.baseline.days) == 26
    assert found.windows == {1: None, 7: None, 30: None}


def test_instances_with_too_few_trials_leave_the_panel_and_are_listed() -> None:
    rows = history(30, trials=lambda d, i: 0 if i == 4 and d < 8 else 1)
    found = analyze(cells(rows))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.dropped == ("i004",)
    assert "i004" not in found.baseline.instances
    assert found.outside_panel == 30


def test_seven_of_fourteen_trials_are_enough_to_stay() -> None:
    rows = history(30, trials=lambda d, i: 0 if i == 4 and d < 7 else 1)
    found = analyze(cells(rows))
    assert isinstance(found.baseline, Baseline)
    assert found.baseline.dropped == ()


def test_too_few_instances_left_means_no_freeze_and_says_so() -> None:
    sparse = history(40, trials=lambda d, i: 0 if i % 4 == 0 and d > 3 else 1)
    found = analyze(cells(sparse), Settings(baseline_days=10))
    assert isinstance(found.baseline, Collecting)
    assert "only" in found.baseline.problem
    assert len(found.baseline.dropped) > 6


def test_a_baseline_of_less_than_a_week_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 7"):
        freeze(grid_of(cells(history(3))), FIRST, 6)


def test_the_digest_depends_on_content_only() -> None:
    rows = history(20)
    one = analyze(cells(rows)).baseline
    two = analyze(cells(rows[::-1])).baseline
    changed = [*rows]
    changed[0] = changed[0] | {"passes": 1 - changed[0]["passes"]}
    three = analyze(cells(changed)).baseline
    assert isinstance(one, Baseline)
    assert isinstance(two, Baseline)
    assert isinstance(three, Baseline)
    assert one.digest == two.digest != three.digest
    assert one.digest.startswith("sha256:")


def test_a_frozen_baseline_does_not_move_as_days_come_in() -> None:
    rows = history(60)
    early, late = analyze(cells(rows[: 20 * 30])), analyze(cells(rows))
    assert isinstance(early.baseline, Baseline)
    assert isinstance(late.baseline, Baseline)
    assert early.baseline.digest == late.baseline.digest
    assert early.monitor is not None
    assert late.monitor is not None
    assert late.monitor.days[: len(early.monitor.days)] == early.monitor.days


@pytest.mark.parametrize(
    ("valid", "panel", "gate"),
    [(28, 35, Gate.PARTIAL), (27, 35, Gate.HELD), (45, 50, Gate.OK), (44, 50, Gate.PARTIAL),
     (40, 50, Gate.PARTIAL), (39, 50, Gate.HELD), (50, 50, Gate.OK), (0, 0, Gate.HELD)],
)  # fmt: skip
def test_the_gate_opens_at_eighty_and_is_clean_from_ninety_percent(
    valid: int, panel: int, gate: Gate
) -> None:
    assert gate_of(np.array([1] * valid + [0] * (panel - valid))) is gate


def test_a_held_day_changes_nothing_and_counts_in_no_window() -> None:
    rows = history(40, trials=lambda d, i: 0 if d == 39 and i % 2 else 1)
    found = analyze(cells(rows))
    assert found.monitor is not None
    before, held = found.monitor.days[-2:]
    assert held.gate is Gate.HELD
    assert (held.capability, held.breakage) == (before.capability, before.breakage)
    assert found.windows[1] is None
    week = found.windows[7]
    assert week is not None
    assert week.days_present == 6


def test_windows_with_the_same_days_share_one_test() -> None:
    found = analyze(cells(history(15)))
    holm = {window.holm_less for window in found.windows.values() if window}
    assert len(holm) == 1
    window = found.windows[7]
    assert window is not None
    assert window.holm_less == window.test.midp_less
    later = analyze(cells(history(18)))
    one, week, month = (later.windows[n] for n in (1, 7, 30))
    assert one is not None
    assert week is not None
    assert month is not None
    assert week.holm_less == month.holm_less
    smaller = min(one.test.midp_less, week.test.midp_less)
    assert min(one.holm_less, week.holm_less) == pytest.approx(min(1.0, 2 * smaller))


def test_a_window_that_cannot_see_the_effect_is_inconclusive_never_ok() -> None:
    found = analyze(cells(history(60)), Settings(minimum_effect=0.01))
    verdicts = {window.verdict for window in found.windows.values() if window}
    assert Verdict.OK not in verdicts
    generous = analyze(cells(history(60)), Settings(minimum_effect=0.5))
    assert {window.verdict for window in generous.windows.values() if window} == {Verdict.OK}


@pytest.mark.parametrize(
    ("p_less", "p_greater", "mde", "verdict"),
    [
        (0.04, 0.9, 0.5, Verdict.REGRESSED),
        (0.9, 0.04, 0.5, Verdict.IMPROVED),
        (0.5, 0.5, 0.051, Verdict.INCONCLUSIVE),
        (0.5, 0.5, 0.05, Verdict.OK),
        (0.05, 0.95, 0.05, Verdict.OK),
    ],
)
def test_verdicts(p_less: float, p_greater: float, mde: float, verdict: Verdict) -> None:
    assert verdict_of(p_less, p_greater, mde, 0.05) is verdict


def test_a_collapse_of_some_instances_is_named_worst_first() -> None:
    def collapse(d: int, p: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(p)) % 10 == 3, 0.0, np.maximum(p, 0.9)) if d >= 20 else (
            np.maximum(p, 0.9)
        )  # fmt: skip

    found = analyze(cells(history(34, change=collapse)))
    worst = [item.instance for item in found.flipped[:3]]
    assert sorted(worst) == ["i003", "i013", "i023"]
    assert all(item.delta < 0 for item in found.flipped[:3])
    deltas = [item.delta > 0 for item in found.flipped]
    assert deltas == sorted(deltas)


def test_missing_cells_that_could_have_passed_make_a_verdict_fragile() -> None:
    def trials(d: int, i: int) -> int:
        return 0 if d >= 23 and i % 6 == 0 else 1

    sick = history(30, trials=trials, change=broken(23, 40, 0.18), seed=5)
    found = analyze(cells(sick))
    week = found.windows[7]
    assert week is not None
    assert week.test.midp_less < 0.05
    assert found.robust is False
    healthy = analyze(cells(history(30)))
    assert healthy.robust is True
    assert analyze(cells(history(14))).robust is None


def test_an_alarm_puts_the_change_after_the_last_quiet_day() -> None:
    found = analyze(cells(history(40, change=broken(30, 60, 0.5), seed=2)))
    assert found.monitor is not None
    alarm = found.monitor.final.alarms[-1]
    assert abs((alarm.change_day - day(30)).days) <= 2
    assert found.monitor.final.change_day == alarm.change_day
    assert found.monitor.final.status in {Status.DEGRADED, Status.CONFIRMED}


def test_a_two_day_incident_ends_as_a_false_page_and_clears_the_statistics() -> None:
    rows = history(80, change=broken(30, 31, 0.65), seed=4)
    found = analyze(cells(rows))
    assert found.monitor is not None
    alarm = found.monitor.final.alarms[0]
    assert alarm.outcome is Outcome.UNCONFIRMED
    assert found.monitor.final.false_alarms == 1
    assert alarm.ended_on is not None
    after = next(r for r in found.monitor.days if r.day == alarm.ended_on + timedelta(days=1))
    before = next(r for r in found.monitor.days if r.day == alarm.ended_on)
    assert after.capability < max(before.capability, 3.0)
    assert before.status is Status.OK


def test_an_improvement_never_pages() -> None:
    found = analyze(cells(history(60, change=harder(30, 60, -1.5), seed=8)))
    assert found.monitor is not None
    assert max(report.improvement for report in found.monitor.days) > (
        found.monitor.model.threshold
    )
    assert found.monitor.final.alarms == ()
    month = found.windows[30]
    assert month is not None
    assert month.verdict is Verdict.IMPROVED


def test_waiting_days_join_later_under_the_quieter_merge_rule() -> None:
    rows = history(60, change=harder(20, 60, -1.0), seed=8)
    usual = analyze(cells(rows))
    quiet = analyze(cells(rows), Settings(merge_rule=MergeRule.ALL_QUIET))
    assert usual.monitor is not None
    assert quiet.monitor is not None
    absorbed = usual.monitor.final.monitor.learning.trials.sum()
    assert quiet.monitor.final.monitor.learning.trials.sum() < absorbed


def test_a_leap_day_is_a_day_like_any_other() -> None:
    rows = history(60)
    moved: Rows = [
        row | {"day": (date.fromisoformat(row["day"]) + timedelta(days=730 + 31)).isoformat()}
        for row in rows
    ]
    assert any(row["day"] == "2028-02-29" for row in moved)
    one, two = analyze(cells(rows)), analyze(cells(moved))
    assert one.windows == two.windows


def test_repeating_every_trial_three_times_changes_no_rate() -> None:
    rows = history(40)
    tripled = [row | {"passes": 3 * row["passes"], "trials": 3} for row in rows]
    one, three = analyze(cells(rows)), analyze(cells(tripled))
    for length in (1, 7, 30):
        single, triple = one.windows[length], three.windows[length]
        assert single is not None
        assert triple is not None
        assert single.pass_rate == pytest.approx(triple.pass_rate)
        assert single.delta == pytest.approx(triple.delta)


def test_the_most_frequent_trials_win_and_the_smaller_on_a_tie() -> None:
    assert most_frequent_trials(np.array([[1, 3, 3], [0, 3, 1]])) == 3
    assert most_frequent_trials(np.array([[1, 3], [3, 1]])) == 1


def test_days_more_varied_than_chance_raise_the_dispersion_and_never_below_one() -> None:
    rates = np.full(40, 0.5)
    wild = np.zeros((14, 40), dtype=np.int64)
    wild[::2] = 1
    ones = np.ones((14, 40), dtype=np.int64)
    assert baseline_dispersion(wild, ones, rates).factor > 10
    steady = np.tile(np.arange(40) % 2, (14, 1))
    assert baseline_dispersion(steady, ones, rates).factor == 1.0
    assert baseline_dispersion(ones[:1], ones[:1], rates) == Dispersion()
    assert baseline_dispersion(ones * 0, ones * 0, rates) == Dispersion()
    assert math.isclose(Dispersion(10, 10).absorb(32.0).factor, 42 / 11)
