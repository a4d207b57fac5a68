"""What the Grafana dashboard shows: panels with their queries, in rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEDULE = 'namespace=~"$namespace",schedule=~"$schedule"'
RUN = 'namespace=~"$namespace",run=~"$run"'


@dataclass(frozen=True)
class Panel:
    """One panel: pairs of query and legend, and how they are shown."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    width: int = 12
    options: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)


BY_SERIES = "{{schedule}} {{series}}"
STEPS = {"custom": {"lineInterpolation": "stepAfter", "fillOpacity": 0}}
STACKED = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 60, "lineWidth": 0}}
LIMITED = {**STEPS, "min": 0, "max": 1}

VERDICT = (
    Panel(
        "State of the monitors",
        "The state that is 1. degraded is the page; confirmed follows when later days alone show it;"
        " resolved when a week looks like the baseline again.",
        "none",
        ((f"benchwarden_monitor_state{{{SCHEDULE}}} == 1", f"{BY_SERIES}: {{{{state}}}}"),),
        kind="state-timeline",
        width=16,
    ),
    Panel(
        "Open alarms",
        "Alarms that are open now and not acknowledged.",
        "none",
        (
            (
                (
                    f"sum(benchwarden_monitor_alarm{{{SCHEDULE}}}"
                    " unless on (namespace, schedule, series) benchwarden_monitor_acknowledged == 1)"
                ),
                "open",
            ),
        ),
        kind="stat",
        width=4,
    ),
    Panel(
        "Complete last day",
        "Share of series whose last day has results for at least 90 % of the panel.",
        "percentunit",
        ((f"avg(benchwarden_data_quality_ok{{{SCHEDULE}}})", "complete"),),
        kind="stat",
        width=4,
    ),
    Panel(
        "Pass ratio, 7 days",
        "Passed of valid trials of the last seven complete days with its 95 % Wilson interval,"
        " and what the frozen baseline expects of the same cells.",
        "percentunit",
        (
            (f'benchwarden_pass_ratio{{{SCHEDULE},window="7d"}}', BY_SERIES),
            (
                f'benchwarden_pass_ratio_ci_lower{{{SCHEDULE},window="7d",ci="wilson"}}',
                f"{BY_SERIES} lower",
            ),
            (
                f'benchwarden_pass_ratio_ci_upper{{{SCHEDULE},window="7d",ci="wilson"}}',
                f"{BY_SERIES} upper",
            ),
            (f'benchwarden_expected_pass_ratio{{{SCHEDULE},window="7d"}}', f"{BY_SERIES} expected"),
        ),
        defaults=LIMITED,
    ),
    Panel(
        "Pass ratio by window",
        "Passed of valid trials over 1, 7 and 30 days. One day of a small panel moves a lot by chance.",
        "percentunit",
        ((f"benchwarden_pass_ratio{{{SCHEDULE}}}", f"{BY_SERIES} {{{{window}}}}"),),
        defaults=LIMITED,
    ),
    Panel(
        "Change against the baseline, 7 days",
        "Mean change of the instances' pass ratios against the frozen baseline with its 95 % interval.",
        "percentunit",
        (
            (f'benchwarden_delta_ratio{{{SCHEDULE},window="7d"}}', BY_SERIES),
            (f'benchwarden_delta_ratio_ci_lower{{{SCHEDULE},window="7d"}}', f"{BY_SERIES} lower"),
            (f'benchwarden_delta_ratio_ci_upper{{{SCHEDULE},window="7d"}}', f"{BY_SERIES} upper"),
        ),
        defaults=STEPS,
    ),
    Panel(
        "CUSUM against threshold",
        "Accumulated evidence in nats by component, and the threshold from which a page is due.",
        "none",
        (
            (f"benchwarden_monitor_statistic{{{SCHEDULE}}}", f"{BY_SERIES} {{{{component}}}}"),
            (
                f"max by (schedule, series) (benchwarden_monitor_threshold{{{SCHEDULE}}})",
                f"{BY_SERIES} threshold",
            ),
        ),
        defaults=STEPS,
    ),
    Panel(
        "Smallest drop that would be seen",
        "With 80 % power. A window whose smallest visible drop is larger than what matters to you says little.",
        "percentunit",
        (
            (
                f"benchwarden_minimum_detectable_effect_ratio{{{SCHEDULE}}}",
                f"{BY_SERIES} {{{{window}}}}",
            ),
        ),
        defaults=STEPS,
    ),
    Panel(
        "Progress of the baseline",
        "Complete days in the baseline of those wanted. Nothing can page before it is frozen.",
        "percentunit",
        ((f"benchwarden_baseline_progress_ratio{{{SCHEDULE}}}", BY_SERIES),),
        defaults=LIMITED,
    ),
    Panel(
        "Trials of the last run by outcome",
        "pass and fail are verdicts; infra and missing count neither way.",
        "short",
        (
            (
                f"sum by (schedule, series, outcome) (benchwarden_trials{{{SCHEDULE}}})",
                f"{BY_SERIES} {{{{outcome}}}}",
            ),
        ),
        defaults=STACKED,
    ),
    Panel(
        "Trials lost to infrastructure",
        "Of the planned trials of the last run; API errors are a part of it. An alert is due from 10 %.",
        "percentunit",
        (
            (f"benchwarden_infra_error_ratio{{{SCHEDULE}}}", BY_SERIES),
            (f"benchwarden_api_error_ratio{{{SCHEDULE}}}", f"{BY_SERIES} API"),
        ),
        defaults=LIMITED,
    ),
    Panel(
        "Time since the last run",
        "Since the end of the last run that was rolled up.",
        "s",
        ((f"time() - benchwarden_last_run_timestamp_seconds{{{SCHEDULE}}}", BY_SERIES),),
    ),
    Panel(
        "What the last runs measured",
        "CLI version, panel and identity of each series' last run.",
        "none",
        ((f"benchwarden_schedule_info{{{SCHEDULE}}}", ""),),
        kind="table",
    ),
)

RUNS = (
    Panel(
        "Pass ratio of runs",
        "Passed trials of those with a verdict.",
        "percentunit",
        ((f"benchwarden_run_pass_ratio{{{RUN}}}", "{{run}}"),),
        defaults=LIMITED,
    ),
    Panel(
        "Coverage of runs",
        "Trials with a verdict of those planned.",
        "percentunit",
        ((f"benchwarden_run_coverage_ratio{{{RUN}}}", "{{run}}"),),
        defaults=LIMITED,
    ),
    Panel(
        "Trials by outcome class",
        "Class of the verdict, or of the last charge where there is none.",
        "short",
        ((f"sum by (class) (benchwarden_run_outcomes{{{RUN}}})", "{{class}}"),),
        defaults=STACKED,
    ),
    Panel(
        "Cost and budget",
        "Spent as the agents report it, launches that were retried included, and the budget.",
        "currencyUSD",
        (
            (f"benchwarden_run_cost_usd{{{RUN}}}", "{{run}}"),
            (f"benchwarden_run_budget_usd{{{RUN}}}", "{{run}} budget"),
        ),
    ),
    Panel(
        "Tokens",
        "Used so far by kind.",
        "short",
        ((f"sum by (kind) (benchwarden_run_tokens{{{RUN}}})", "{{kind}}"),),
        defaults=STACKED,
    ),
    Panel(
        "Agent time, median and 90th percentile",
        "Wall time of every launch that ran an agent.",
        "s",
        tuple(
            (
                (
                    f"histogram_quantile({quantile},"
                    f" sum by (run, le) (benchwarden_run_agent_seconds_bucket{{{RUN}}}))"
                ),
                f"{{{{run}}}} {name}",
            )
            for quantile, name in (("0.5", "median"), ("0.9", "p90"))
        ),
    ),
    Panel(
        "Launches caused by infrastructure",
        "Launches beyond the first of each trial.",
        "short",
        ((f"benchwarden_run_retries{{{RUN}}}", "{{run}}"),),
    ),
)

OPERATOR = (
    Panel(
        "Reconcile passes",
        "Per second, by controller and result.",
        "ops",
        (
            (
                "sum by (controller, result) (rate(benchwarden_reconcile_total[$__rate_interval]))",
                "{{controller}} {{result}}",
            ),
        ),
    ),
    Panel(
        "Reconcile time, 95th percentile",
        "Duration of passes by controller.",
        "s",
        (
            (
                (
                    "histogram_quantile(0.95, sum by (controller, le)"
                    " (rate(benchwarden_reconcile_time_seconds_bucket[$__rate_interval])))"
                ),
                "{{controller}}",
            ),
        ),
    ),
    Panel(
        "Waiting for a pass",
        "Objects in the work queues.",
        "short",
        (("sum by (name) (benchwarden_workqueue_depth)", "{{name}}"),),
    ),
    Panel(
        "Event loop lag and silence of informers",
        "Both grow when the operator hangs or the API server is away.",
        "s",
        (
            ("max(benchwarden_event_loop_lag_seconds)", "loop lag"),
            (
                "max by (resource) (time() - benchwarden_informer_last_sync_timestamp_seconds)",
                "{{resource}}",
            ),
        ),
    ),
    Panel(
        "Requests to the API server",
        "Per second, by status code and method.",
        "reqps",
        (
            (
                "sum by (code, method) (rate(benchwarden_rest_client_requests_total[$__rate_interval]))",
                "{{method}} {{code}}",
            ),
        ),
    ),
    Panel(
        "Rows stored",
        "Result rows written durably, per second.",
        "wps",
        (("sum(rate(benchwarden_result_rows_stored_total[$__rate_interval]))", "rows"),),
    ),
)
ROWS = (("Verdict by schedule", VERDICT), ("Runs", RUNS), ("Operator", OPERATOR))
