"""The three pictures of an analysis as SVG text: pass rate, statistics, instances by week."""

import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.dates
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchwarden.stats.proportion import wilson

if TYPE_CHECKING:
    from benchwarden.stats.baseline import Baseline
    from benchwarden.stats.monitor import Day

_WEEK_DAYS = 7
_MOST_INSTANCES = 60
_BLUE, _RED, _GREEN, _GREY = "#1f5fa8", "#b3261e", "#2e7d32", "#888888"


def rate_plot(baseline: "Baseline", days: tuple["Day", ...], change_day: date | None) -> str:
    """Return daily pass rates with a 7-day mean, its Wilson band and the baseline."""
    figure, axes = _figure(2.8)
    dates = [day.day for day in days]
    rates = [day.passes.sum() / day.trials.sum() for day in days]
    axes.plot(dates, rates, ".", color=_GREY, markersize=4, label="day")
    low, middle, high = _weekly(days)
    axes.fill_between(dates, low, high, color=_BLUE, alpha=0.15, linewidth=0)
    axes.plot(dates, middle, color=_BLUE, label="7 days, 95 % Wilson")
    level = baseline.total_passes / baseline.total_trials
    axes.axhline(level, color=_GREEN, linestyle="--", label="baseline")
    _mark(axes, change_day)
    axes.set_ylim(0.0, 1.0)
    axes.set_ylabel("pass rate")
    axes.legend(loc="lower left", fontsize=8, frameon=False, ncols=3)
    return _svg(figure)


def statistics_plot(document: dict[str, Any], change_day: date | None) -> str:
    """Return the statistics in nats with the threshold, alarms and the change point."""
    figure, axes = _figure(2.8)
    monitor = document["monitor"]
    dates = [date.fromisoformat(day["day"]) for day in monitor["days"]]
    for name, colour in (("capability", _BLUE), ("breakage", _RED), ("improvement", _GREEN)):
        values = [day[name] for day in monitor["days"]]
        style = ":" if name == "improvement" else "-"
        axes.plot(dates, values, style, color=colour, label=name)
    axes.axhline(monitor["threshold"], color="black", linestyle="--", linewidth=1)
    for alarm in monitor["alarms"]:
        axes.axvline(date.fromisoformat(alarm["day"]), color=_RED, linewidth=0.8, alpha=0.6)
    _mark(axes, change_day)
    axes.set_ylabel("nats (page at the dashed line)")
    axes.legend(loc="upper left", fontsize=8, frameon=False, ncols=3)
    return _svg(figure)


def instance_plot(baseline: "Baseline", days: tuple["Day", ...]) -> str:
    """Return the change of each instance's rate by week, worst instances on top."""
    first = baseline.frozen_on + timedelta(days=1)
    weeks = sorted({(day.day - first).days // _WEEK_DAYS for day in days})
    passes = np.zeros((len(baseline.instances), len(weeks)))
    trials = np.zeros_like(passes)
    for day in days:
        column = weeks.index((day.day - first).days // _WEEK_DAYS)
        passes[:, column] += day.passes
        trials[:, column] += day.trials
    with np.errstate(invalid="ignore", divide="ignore"):
        change = passes / trials - (baseline.passes / baseline.trials)[:, None]
    recent_passes, recent_trials = passes[:, -4:].sum(axis=1), trials[:, -4:].sum(axis=1)
    recent = recent_passes / np.maximum(recent_trials, 1.0) - baseline.passes / baseline.trials
    order = np.argsort(np.where(recent_trials > 0, recent, 0.0), kind="stable")[:_MOST_INSTANCES]
    figure, axes = _figure(0.9 + 0.16 * len(order))
    image = axes.imshow(change[order], cmap="RdBu", vmin=-1.0, vmax=1.0, aspect="auto")
    axes.set_yticks(range(len(order)), [_short(baseline.instances[i]) for i in order], fontsize=6)
    starts = [first + timedelta(days=_WEEK_DAYS * week) for week in weeks]
    step = max(1, len(weeks) // 12)
    axes.set_xticks(
        range(0, len(weeks), step), [start.isoformat() for start in starts[::step]], fontsize=7
    )
    figure.colorbar(image, ax=axes, label="rate minus baseline")
    return _svg(figure)


def _weekly(days: tuple["Day", ...]) -> tuple[list[float], list[float], list[float]]:
    low, middle, high = [], [], []
    for end in days:
        week = [d for d in days if end.day - timedelta(days=_WEEK_DAYS) < d.day <= end.day]
        passes = int(sum(d.passes.sum() for d in week))
        trials = int(sum(d.trials.sum() for d in week))
        band = wilson(passes, trials)
        low.append(band.lower)
        middle.append(passes / trials)
        high.append(band.upper)
    return low, middle, high


def _short(instance: str) -> str:
    # The dollar sign would start mathematics in a label.
    plain = instance.replace("$", "")
    return plain if len(plain) <= 40 else f"{plain[:24]}...{plain[-13:]}"


def _figure(height_inches: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9.0, height_inches), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _mark(axes: Any, change_day: date | None) -> None:
    ticks: Any = mpl.dates  # its classes carry no types
    locator = ticks.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ticks.ConciseDateFormatter(locator))
    if change_day is not None:
        axes.axvline(change_day, color="black", linewidth=1, label="change point")


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # A fixed salt and no date: the same analysis gives the same bytes.
    with mpl.rc_context({"svg.hashsalt": "benchwarden", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
