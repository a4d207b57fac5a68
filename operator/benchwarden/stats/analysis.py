"""The whole answer for one history: baseline, monitor, windows, and what flipped.

The operator and the command line both call `analyze`, so their numbers are the same bit for bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from benchwarden.errors import InvalidInputError
from benchwarden.stats.baseline import DEFAULT_DAYS, Baseline, Collecting, freeze
from benchwarden.stats.episodes import DayReport, Watchman, watch, watchman
from benchwarden.stats.flipped import Flipped, flipped
from benchwarden.stats.gate import Gate
from benchwarden.stats.history import INVALID_HISTORY, Cell, Columns, Grid, grid_of
from benchwarden.stats.monitor import Day, MergeRule, Model, build_model
from benchwarden.stats.windows import WINDOW_DAYS, Window, is_robust, report_windows, window_days

DEFAULT_RUN_LENGTH_DAYS = 365
DEFAULT_MINIMUM_EFFECT = 0.05
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Settings:
    """How to read a history.

    Attributes:
        baseline_days: Complete days the baseline wants, at least 7.
        run_length_days: Mean days between false pages.
        minimum_effect: The drop (ratio) the user must not miss.
        until: End of data; None takes the last day there is. A later day is an error.
        first_day: Days before are left out (screening samples, an earlier series).
        panel: Planned instances; None takes those seen during the baseline.
        nominal_trials: Planned trials per cell; None takes the baseline's most frequent count.
        voided: Days declared void; as if they had not been run.
        merge_rule: When waiting days join the monitor's rates.
        windows: Lengths of the reporting windows in calendar days.
    """

    baseline_days: int = DEFAULT_DAYS
    run_length_days: int = DEFAULT_RUN_LENGTH_DAYS
    minimum_effect: float = DEFAULT_MINIMUM_EFFECT
    until: date | None = None
    first_day: date | None = None
    panel: frozenset[str] | None = None
    nominal_trials: int | None = None
    voided: frozenset[date] = field(default_factory=frozenset)
    merge_rule: MergeRule = MergeRule.CAPABILITY_AT_ZERO
    windows: tuple[int, ...] = WINDOW_DAYS


@dataclass(frozen=True, slots=True, eq=False)
class MonitorReport:
    """The monitor after the last day; ``dispersion`` is the factor as of that evening."""

    model: Model
    final: Watchman
    days: tuple[DayReport, ...]
    dispersion: float


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The answer. Without a frozen baseline there are no windows, no monitor and nothing flipped.

    ``outside_panel`` and ``before_first_day`` count cells that were ignored; ``robust`` tells
    whether the 7-day verdict survives counting missing cells as passed (None without days);
    ``panel_days`` are the monitored days that the gate let through.
    """

    until: date
    baseline: Baseline | Collecting
    windows: dict[int, Window | None]
    monitor: MonitorReport | None
    flipped: tuple[Flipped, ...]
    panel_days: tuple[Day, ...]
    outside_panel: int
    before_first_day: int
    robust: bool | None


def analyze(cells: Iterable[Cell] | Columns, settings: Settings | None = None) -> Analysis:
    """Analyse a history of daily cells.

    Args:
        cells: One cell per (day, instance); their order does not matter.
        settings: How to read them; None takes the defaults.

    Raises:
        InvalidInputError: On an empty history or a bad cell (see `grid_of`).
    """
    settings = settings or Settings()
    grid = grid_of(cells, settings.until)
    if not grid.days:
        raise InvalidInputError("the history has no rows", reason=INVALID_HISTORY)
    until = settings.until or grid.days[-1]
    kept = grid
    if settings.first_day is not None:
        kept = grid.between(settings.first_day, until)
    before = int(grid.planned.sum()) - int(kept.planned.sum())
    used = kept.without(settings.voided)
    baseline = freeze(used, until, settings.baseline_days, settings.panel, settings.nominal_trials)
    if isinstance(baseline, Collecting):
        return Analysis(until, baseline, {}, None, (), (), 0, before, None)
    panel = used.only(baseline.instances)
    outside = int(kept.planned.sum()) - int(kept.only(baseline.instances).planned.sum())
    monitor, days = _monitored(baseline, panel, settings)
    windows = report_windows(
        baseline, days, until, monitor.dispersion, settings.minimum_effect, settings.windows
    )
    week = window_days(days, until, _WEEK_DAYS)
    change_day = monitor.final.change_day
    suspects = week if change_day is None else tuple(d for d in days if d.day >= change_day)
    return Analysis(
        until=until,
        baseline=baseline,
        windows=windows,
        monitor=monitor,
        flipped=flipped(baseline, suspects),
        panel_days=days,
        outside_panel=outside,
        before_first_day=before,
        robust=is_robust(baseline, week, baseline.nominal_trials),
    )


def _monitored(
    baseline: Baseline, panel: Grid, settings: Settings
) -> tuple[MonitorReport, tuple[Day, ...]]:
    model = build_model(baseline, settings.run_length_days, settings.merge_rule)
    state = watchman(model)
    reports: list[DayReport] = []
    gated: list[Day] = []
    for row, day in enumerate(panel.days):
        if day <= baseline.frozen_on:
            continue
        passes, trials = panel.passes[row], panel.trials[row]
        state, report = watch(model, state, day, passes, trials)
        reports.append(report)
        if report.gate is not Gate.HELD:
            gated.append(Day(day, passes, trials))
    dispersion = state.monitor.learning.dispersion.factor
    return MonitorReport(model, state, tuple(reports), dispersion), tuple(gated)
