"""Every metric of schedules; they are labelled per series, never per instance."""

from typing import Final

from benchwarden.telemetry.catalogue import COUNTER, GAUGE, Metric

SCHEDULE_LABELS: Final = ("namespace", "schedule", "series", "suite", "model")


def _schedule(name: str, text: str, *labels: str) -> Metric:
    kind = COUNTER if name.endswith("_total") else GAUGE
    return Metric(f"benchwarden_{name}", kind, text, (*SCHEDULE_LABELS, *labels))


INFO: Final = _schedule(
    "schedule_info",
    "Always 1; what the last run measured: its CLI, panel, grader and the digest that makes the series.",
    "cli_version",
    "panel",
    "grader",
    "identity",
)
SUSPENDED: Final = _schedule("schedule_suspended", "1 while the schedule starts no new runs.")
RUNS: Final = _schedule(
    "schedule_runs_total", "Runs rolled up, by result: succeeded or failed.", "result"
)
LAST_RUN: Final = _schedule("last_run_timestamp_seconds", "End of the last run that was rolled up.")
NEXT_RUN: Final = _schedule("next_run_timestamp_seconds", "The next slot; absent while suspended.")
TRIALS: Final = _schedule(
    "trials",
    "Trials of the last run by what they came to: pass, fail, infra or missing.",
    "outcome",
)
INFRA_ERROR: Final = _schedule(
    "infra_error_ratio", "Trials of the last run lost to the infrastructure / planned trials."
)
API_ERROR: Final = _schedule(
    "api_error_ratio", "Trials of the last run lost to the API (a part of the infrastructure's)."
)
RERUNS: Final = _schedule("reruns", "Closer looks taken in this calendar month.")

PASS: Final = _schedule(
    "pass_ratio", "Passed / valid trials of the window's complete days.", "window"
)
PASS_LOWER: Final = _schedule(
    "pass_ratio_ci_lower",
    "Lower end of a 95 % interval of the pass ratio: wilson (the population) or panel (these instances).",
    "window",
    "ci",
)
PASS_UPPER: Final = _schedule("pass_ratio_ci_upper", "Upper end of that interval.", "window", "ci")
EXPECTED: Final = _schedule(
    "expected_pass_ratio", "Pass ratio that the baseline expects of the same cells.", "window"
)
DELTA: Final = _schedule(
    "delta_ratio",
    "Mean change of the instances' pass ratios against the frozen baseline.",
    "window",
)
DELTA_LOWER: Final = _schedule(
    "delta_ratio_ci_lower", "Lower end of the 95 % interval of the change.", "window"
)
DELTA_UPPER: Final = _schedule(
    "delta_ratio_ci_upper", "Upper end of the 95 % interval of the change.", "window"
)
ODDS: Final = _schedule(
    "odds_ratio", "Mantel-Haenszel odds ratio against the baseline; below 1 is worse.", "window"
)
ODDS_LOWER: Final = _schedule("odds_ratio_ci_lower", "Lower end of its 95 % interval.", "window")
ODDS_UPPER: Final = _schedule("odds_ratio_ci_upper", "Upper end of its 95 % interval.", "window")
WORSE: Final = _schedule(
    "degradation_pvalue",
    "One-sided p-value of worse: midp, exact, holm (over windows) or fisher (unpaired).",
    "window",
    "method",
)
BETTER: Final = _schedule(
    "improvement_pvalue", "One-sided p-value of better: midp, exact or holm.", "window", "method"
)
MDE: Final = _schedule(
    "minimum_detectable_effect_ratio",
    "Smallest drop that would be seen with this power.",
    "window",
    "power",
)
COVERAGE: Final = _schedule(
    "window_coverage_ratio", "Complete days in the window / its length.", "window"
)

BASELINE_PROGRESS: Final = _schedule(
    "baseline_progress_ratio", "Complete days in the baseline / days wanted."
)
BASELINE_PASS: Final = _schedule("baseline_pass_ratio", "Passed / valid trials of the baseline.")
BASELINE_TRIALS: Final = _schedule("baseline_trials", "Valid trials of the baseline.")
BASELINE_FROZEN: Final = _schedule(
    "baseline_frozen_timestamp_seconds",
    "End of the day the baseline was frozen on; absent until then.",
)
OVERDISPERSION: Final = _schedule(
    "overdispersion_ratio", "How much more days vary than chance alone would have it."
)
WITHIN: Final = _schedule(
    "within_variance_ratio",
    "Share of the variance of one trial that is noise on the same instance, in the baseline.",
)

STATISTIC: Final = _schedule(
    "monitor_statistic",
    "CUSUM in nats: capability, breakage or improvement.",
    "component",
)
THRESHOLD: Final = _schedule("monitor_threshold", "A page is due from here, in nats.", "component")
ALARM: Final = _schedule(
    "monitor_alarm",
    "1 while an alarm that this statistic raised is open (degraded or confirmed); page on this.",
    "component",
)
ACKNOWLEDGED: Final = _schedule(
    "monitor_acknowledged", "1 while somebody has taken note of the open alarm."
)
STATE: Final = _schedule(
    "monitor_state",
    "1 for the state the monitor is in, 0 for the others.",
    "state",
)
CHANGEPOINT: Final = _schedule(
    "monitor_changepoint_timestamp_seconds",
    "Start of the estimated first day of the degradation; absent without one.",
)
EVIDENCE: Final = _schedule(
    "monitor_evidence_log10", "Decimal logarithm of the evidence for a change."
)
ARL: Final = _schedule(
    "monitor_arl0_seconds", "Mean time between false pages that the threshold is made for."
)
ALARMS: Final = _schedule(
    "alarms_total", "Ended alarms of this series by result: confirmed or unconfirmed.", "result"
)
QUALITY: Final = _schedule(
    "data_quality_ok", "1 if at least 90 % of the panel have a result on the last day."
)
ROBUST: Final = _schedule(
    "verdict_robust",
    "1 if the week's verdict survives counting missing results as passed; absent without one.",
)

SCHEDULE_METRICS: Final[tuple[Metric, ...]] = (
    INFO,
    SUSPENDED,
    RUNS,
    LAST_RUN,
    NEXT_RUN,
    TRIALS,
    INFRA_ERROR,
    API_ERROR,
    RERUNS,
    PASS,
    PASS_LOWER,
    PASS_UPPER,
    EXPECTED,
    DELTA,
    DELTA_LOWER,
    DELTA_UPPER,
    ODDS,
    ODDS_LOWER,
    ODDS_UPPER,
    WORSE,
    BETTER,
    MDE,
    COVERAGE,
    BASELINE_PROGRESS,
    BASELINE_PASS,
    BASELINE_TRIALS,
    BASELINE_FROZEN,
    OVERDISPERSION,
    WITHIN,
    STATISTIC,
    THRESHOLD,
    ALARM,
    ACKNOWLEDGED,
    STATE,
    CHANGEPOINT,
    EVIDENCE,
    ARL,
    ALARMS,
    QUALITY,
    ROBUST,
)
