"""Figures: an evaluation as the status shows it; every number is the exact text of the one computed."""

from collections.abc import Mapping
from typing import Any

from benchwarden.scheduling.attribution import PAGING, cli_change
from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.scheduling.side_signals import signal_text

SHOWN_FLIPPED = 10


def text(value: Any) -> str:
    """The shortest text that reads back as the same number; nothing for an unknown one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def baseline_figures(evaluation: Evaluation) -> dict[str, Any]:
    """The baseline of a series."""
    found, epoch = evaluation.document["baseline"], evaluation.epoch
    wanted = evaluation.settings.baseline_days
    return {
        "progress": f"{min(found['days'], wanted)}/{wanted}",
        "digest": text(found["digest"]),
        "passRate": text(found["pass_rate"]),
        "trials": found["trials"],
        "instances": found["instances"] or 0,
        "dropped": len(found["dropped"]),
        "firstDay": text(found["first_day"]),
        "frozenOn": text(found["frozen_on"]),
        "series": epoch.number if epoch is not None else 0,
        "identity": epoch.identity if epoch is not None else "",
        "problem": found["problem"],
    }


def monitor_figures(evaluation: Evaluation) -> dict[str, Any]:
    """The monitor of a series, without what other series and people add."""
    found = evaluation.document["monitor"]
    day: Mapping[str, Any] = found["days"][-1] if found["days"] else {}
    alarms = found["alarms"]
    alarm: Mapping[str, Any] = alarms[-1] if alarms else {}
    return {
        "state": found["state"],
        "day": text(day.get("day")),
        "capability": text(day.get("capability")),
        "breakage": text(day.get("breakage")),
        "improvement": text(day.get("improvement")),
        "threshold": text(found["threshold"]),
        "overdispersion": text(found["phi"]),
        "evidenceLog10": text(day.get("evidence_log10")),
        "alarmDay": text(alarm.get("day")),
        "changepoint": text(found["changepoint"]),
        "confirmedOn": text(alarm.get("confirmed_on")),
        "robust": text(found["robust"]),
        "cliChange": cli_change_figure(evaluation),
        "imageChange": evaluation.images,
        "alarms": len(alarms),
        "falseAlarms": found["false_alarms"],
        "signals": [signal_text(signal) for signal in evaluation.signals],
    }


def cli_change_figure(evaluation: Evaluation) -> str:
    """The change of the CLI that goes with a page; nothing while there is none."""
    if evaluation.state not in PAGING or evaluation.epoch is None or evaluation.analysis is None:
        return ""
    report = evaluation.analysis.monitor
    return cli_change(evaluation.epoch.runs, report.final.change_day if report else None)


def window_figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The windows that hold a valid cell."""
    return [
        {
            "days": int(days),
            "daysPresent": window["days_present"],
            "passes": window["passes"],
            "trials": window["trials"],
            "passRate": text(window["pass_rate"]),
            "passRateInterval": _interval(window["wilson"]),
            "expected": text(window["expected"]),
            "delta": text(window["delta"]),
            "deltaInterval": _interval(window["delta_ci"]),
            "pWorse": text(window["midp_less"]),
            "pWorseHolm": text(window["holm"]),
            "minimumDetectableEffect": text(window["mde"]),
            "verdict": text(window["verdict"]),
        }
        for days, window in evaluation.document["windows"].items()
        if window["trials"]
    ]


def flipped_figures(evaluation: Evaluation) -> list[dict[str, str]]:
    """The instances that changed most."""
    return [
        {
            "instance": each["instance"],
            "baseline": f"{each['baseline_passes']}/{each['baseline_trials']}",
            "now": f"{each['passes']}/{each['trials']}",
        }
        for each in evaluation.document["flipped"][:SHOWN_FLIPPED]
    ]


def _interval(pair: list[float]) -> dict[str, str]:
    return {"lower": text(pair[0]), "upper": text(pair[1])}
