"""Names that dashboards and rules of users rest on: they change only with a deprecation."""

import pytest

from benchwarden.telemetry.catalogue import METRICS
from benchwarden.telemetry.schedule_catalogue import SCHEDULE_METRICS

LABELS = {metric.name: set(metric.labels) for metric in (*METRICS, *SCHEDULE_METRICS)}
PROMISED = {
    "pass_ratio": {"window"},
    "pass_ratio_ci_lower": {"window", "ci"},
    "pass_ratio_ci_upper": {"window", "ci"},
    "expected_pass_ratio": {"window"},
    "baseline_pass_ratio": set(),
    "baseline_trials": set(),
    "baseline_frozen_timestamp_seconds": set(),
    "delta_ratio": {"window"},
    "delta_ratio_ci_lower": {"window"},
    "delta_ratio_ci_upper": {"window"},
    "odds_ratio": {"window"},
    "odds_ratio_ci_lower": {"window"},
    "odds_ratio_ci_upper": {"window"},
    "degradation_pvalue": {"window", "method"},
    "improvement_pvalue": {"window", "method"},
    "minimum_detectable_effect_ratio": {"window", "power"},
    "monitor_statistic": {"component"},
    "monitor_threshold": {"component"},
    "monitor_alarm": {"component"},
    "monitor_state": {"state"},
    "monitor_changepoint_timestamp_seconds": set(),
    "monitor_evidence_log10": set(),
    "monitor_arl0_seconds": set(),  # the base unit: promtool refuses days
    "overdispersion_ratio": set(),
    "within_variance_ratio": set(),
    "trials": {"outcome"},
    "infra_error_ratio": set(),
    "data_quality_ok": set(),
    "verdict_robust": set(),
    "last_run_timestamp_seconds": set(),
    "schedule_info": {"cli_version", "panel", "grader"},
    "schedule_runs_total": {"result"},
    "alarms_total": {"result"},
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_number_of_a_series_is_exported_with_its_labels(name: str) -> None:
    found = LABELS[f"benchwarden_{name}"]
    assert found >= {"namespace", "schedule", "series", "suite", "model", *PROMISED[name]}


def test_a_run_says_what_it_measures() -> None:
    found = LABELS["benchwarden_run_info"]
    assert found >= {"namespace", "run", "suite", "model", "cli_version", "panel", "grader"}
