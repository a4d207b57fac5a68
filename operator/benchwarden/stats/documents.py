"""Analyses and comparisons as plain documents, ready for JSON: stable keys, null for "not known"."""

from datetime import date
from typing import Any

from benchwarden.stats.analysis import Analysis, MonitorReport
from benchwarden.stats.baseline import Baseline, Collecting
from benchwarden.stats.comparison import Comparison
from benchwarden.stats.episodes import Alarm, DayReport
from benchwarden.stats.flipped import Flipped
from benchwarden.stats.proportion import Interval, wilson
from benchwarden.stats.windows import WINDOW_DAYS, Window

COLLECTING = "baseline_collecting"
NOT_FROZEN = "baseline_impossible"

_NULL_WINDOW: dict[str, Any] = dict.fromkeys(
    (
        "pass_rate", "wilson", "panel_ci", "expected", "delta", "delta_ci", "delta_ci_paired",
        "p_less", "midp_less", "p_greater", "midp_greater", "holm", "holm_greater", "fisher_less",
        "method", "odds_ratio", "odds_ratio_ci", "mde", "verdict",
    )
) | {"days_present": 0, "instances": 0, "passes": 0, "trials": 0}  # fmt: skip


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison with the documented keys of ``benchwarden compare -o json``."""
    tests = comparison.mcnemar
    return {
        "n_common": comparison.n_common,
        "base_rate": comparison.base_rate,
        "new_rate": comparison.new_rate,
        "delta": comparison.delta,
        "delta_ci95": _pair(comparison.delta_interval),
        "wilson_base": _pair(comparison.wilson_base),
        "wilson_new": _pair(comparison.wilson_new),
        "mcnemar_exact_p": tests.p_exact if tests else None,
        "mcnemar_midp": tests.p_mid if tests else None,
        "odds_ratio": comparison.odds_ratio.estimate,
        "odds_ratio_ci95": _pair(comparison.odds_ratio.interval),
        "discordant": list(comparison.discordant),
        "p_less": comparison.test.p_less,
        "midp_less": comparison.test.midp_less,
        "p_greater": comparison.test.p_greater,
        "midp_greater": comparison.test.midp_greater,
        "method": comparison.test.method,
        "mde80": comparison.mde80,
        "verdict": str(comparison.verdict),
    }


def analysis_document(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis with the documented keys of ``benchwarden analyze -o json``."""
    return {
        "until": analysis.until.isoformat(),
        "baseline": _baseline(analysis.baseline),
        "windows": {
            str(length): _window(analysis.windows.get(length))
            for length in analysis.windows or WINDOW_DAYS
        },
        "monitor": _monitor(analysis),
        "flipped": [_flipped(item) for item in analysis.flipped],
        "ignored": {
            "outside_panel": analysis.outside_panel,
            "before_first_day": analysis.before_first_day,
        },
    }


def _baseline(baseline: Baseline | Collecting) -> dict[str, Any]:
    frozen = baseline if isinstance(baseline, Baseline) else None
    if isinstance(baseline, Baseline):
        passes, trials = baseline.total_passes, baseline.total_trials
    else:
        passes, trials = baseline.passes, baseline.trials
    days = baseline.days
    return {
        "days": len(days),
        "digest": frozen.digest if frozen else None,
        "pass_rate": passes / trials if trials else None,
        "wilson": _pair(wilson(passes, trials)) if trials else None,
        "trials": trials,
        "instances": len(frozen.instances) if frozen else None,
        "first_day": _iso(days[0]) if days else None,
        "frozen_on": _iso(frozen.frozen_on) if frozen else None,
        "trials_per_instance": frozen.nominal_trials if frozen else None,
        "wanted_days": None if isinstance(baseline, Baseline) else baseline.wanted_days,
        "dropped": list(baseline.dropped),
        "problem": "" if isinstance(baseline, Baseline) else baseline.problem,
    }


def _window(window: Window | None) -> dict[str, Any]:
    if window is None:
        return dict(_NULL_WINDOW)
    return {
        "pass_rate": window.pass_rate,
        "wilson": _pair(window.wilson),
        "panel_ci": _pair(window.panel_interval),
        "expected": window.expected,
        "delta": window.delta,
        "delta_ci": _pair(window.delta_interval),
        "delta_ci_paired": _pair(window.delta_interval_paired),
        "p_less": window.test.p_less,
        "midp_less": window.test.midp_less,
        "p_greater": window.test.p_greater,
        "midp_greater": window.test.midp_greater,
        "holm": window.holm_less,
        "holm_greater": window.holm_greater,
        "fisher_less": window.fisher_less,
        "method": window.test.method,
        "odds_ratio": window.odds_ratio.estimate,
        "odds_ratio_ci": _pair(window.odds_ratio.interval),
        "mde": window.mde,
        "verdict": str(window.verdict),
        "days_present": window.days_present,
        "instances": window.instances,
        "passes": window.passes,
        "trials": window.trials,
    }


def _monitor(analysis: Analysis) -> dict[str, Any]:
    report = analysis.monitor
    if report is None:
        stuck = isinstance(analysis.baseline, Collecting) and analysis.baseline.problem
        return {
            "state": NOT_FROZEN if stuck else COLLECTING,
            "threshold": None,
            "phi": None,
            "changepoint": None,
            "robust": None,
            "false_alarms": 0,
            "alarms": [],
            "days": [],
        }
    return {
        "state": str(report.final.status),
        "threshold": report.model.threshold,
        "phi": report.dispersion,
        "changepoint": _iso(report.final.change_day),
        "robust": analysis.robust,
        "false_alarms": report.final.false_alarms,
        "alarms": [_alarm(alarm) for alarm in report.final.alarms],
        "days": _days(report),
    }


def _days(report: MonitorReport) -> list[dict[str, Any]]:
    return [_day(day) for day in report.days]


def _day(day: DayReport) -> dict[str, Any]:
    return {
        "day": _iso(day.day),
        "capability": day.capability,
        "breakage": day.breakage,
        "improvement": day.improvement,
        "evidence_log10": day.evidence_log10,
        "gate": str(day.gate),
        "phi": day.dispersion,
        "state": str(day.status),
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "day": _iso(alarm.day),
        "component": str(alarm.component),
        "changepoint": _iso(alarm.change_day),
        "outcome": str(alarm.outcome),
        "confirmed_on": _iso(alarm.confirmed_on),
        "ended_on": _iso(alarm.ended_on),
    }


def _flipped(item: Flipped) -> dict[str, Any]:
    return {
        "instance": item.instance,
        "baseline_passes": item.baseline_passes,
        "baseline_trials": item.baseline_trials,
        "passes": item.passes,
        "trials": item.trials,
        "delta": item.delta,
        "midp": item.midp,
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return [interval.lower, interval.upper] if interval else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
