"""What the Grafana dashboard shows: panels with their queries, in rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from benchwarden.telemetry.schedule_series import STATES

SCHEDULE = 'namespace=~"$namespace",schedule=~"$schedule"'
RUN = 'namespace=~"$namespace",run=~"$run"'


class Shape(Enum):
    """How a panel shows its series."""

    LINES = "lines"
    STEPS = "steps"  # numbers that change once a day
    SHARE = "share"  # steps between 0 and 1
    STACK = "stack"
    TIMELINE = "timeline"
    NUMBER = "number"
    TABLE = "table"


@dataclass(frozen=True)
class Panel:
    """One panel: pairs of query and legend, and how they are shown."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    shape: Shape = Shape.LINES
    width: int = 12
    words: tuple[tuple[str, str], ...] = ()  # texts and colours of the values 1, 2, ...


# The colour of each state of a monitor; its number on the dashboard is its place in STATES.
COLOURS = {
    "baseline_collecting": "light-blue",
    "baseline_impossible": "purple",
    "ok": "green",
    "watch": "yellow",
    "degraded": "red",
    "confirmed": "dark-red",
    "resolved": "semi-dark-green",
}
BY_SERIES = "{{schedule}} {{series}}"


def pass_ratio(window: str, days: str) -> Panel:
    """The pass ratio of one window with its interval and what is expected of it."""
    of = f'{SCHEDULE},window="{window}"'
    return Panel(
        f"Pass ratio, {days}",
        f"Passed of valid trials of the last {days} with its 95 % Wilson interval, and what the frozen"
        " baseline expects of the same cells. One day of a small panel moves a lot by chance.",
        "percentunit",
        (
            (f"benchwarden_pass_ratio{{{of}}}", BY_SERIES),
            (f'benchwarden_pass_ratio_ci_lower{{{of},ci="wilson"}}', f"{BY_SERIES} lower"),
            (f'benchwarden_pass_ratio_ci_upper{{{of},ci="wilson"}}', f"{BY_SERIES} upper"),
            (f"benchwarden_expected_pass_ratio{{{of}}}", f"{BY_SERIES} expected"),
        ),
        Shape.SHARE,
        width=8,
    )


def change(window: str, days: str) -> Panel:
    """The change of one window against the baseline with its interval."""
    of = f'{SCHEDULE},window="{window}"'
    return Panel(
        f"Change against the baseline, {days}",
        f"Mean change of the instances' pass ratios over the last {days} against the frozen baseline with its"
        " 95 % interval; below 0 is worse.",
        "percentunit",
        (
            (f"benchwarden_delta_ratio{{{of}}}", BY_SERIES),
            (f"benchwarden_delta_ratio_ci_lower{{{of}}}", f"{BY_SERIES} lower"),
            (f"benchwarden_delta_ratio_ci_upper{{{of}}}", f"{BY_SERIES} upper"),
        ),
        Shape.STEPS,
    )


def state_number() -> str:
    """A query for the number of the state that each monitor is in."""
    each = (
        f'{number} * (benchwarden_monitor_state{{{SCHEDULE},state="{state}"}} == 1)'
        for number, state in enumerate(STATES, 1)
    )
    return f"max by (namespace, schedule, series) ({' or '.join(each)})"


VERDICT = (
    Panel(
        "State of the monitors",
        "One line a monitor. degraded is the page; confirmed follows when later days alone show it;"
        " resolved when a week looks like the baseline again.",
        "none",
        ((state_number(), BY_SERIES),),
        Shape.TIMELINE,
        width=16,
        words=tuple((state.replace("_", " "), COLOURS[state]) for state in STATES),
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
        Shape.NUMBER,
        width=4,
    ),
    Panel(
        "Complete last day",
        "Share of series whose last day has results for at least 90 % of the panel.",
        "percentunit",
        ((f"avg(benchwarden_data_quality_ok{{{SCHEDULE}}})", "complete"),),
        Shape.NUMBER,
        width=4,
    ),
    pass_ratio("1d", "day"),
    pass_ratio("7d", "7 days"),
    pass_ratio("30d", "30 days"),
    change("7d", "7 days"),
    change("30d", "30 days"),
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
        Shape.STEPS,
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
        Shape.STEPS,
    ),
    Panel(
        "Progress of the baseline",
        "Complete days in the baseline of those wanted. Nothing can page before it is frozen.",
        "percentunit",
        ((f"benchwarden_baseline_progress_ratio{{{SCHEDULE}}}", BY_SERIES),),
        Shape.SHARE,
    ),
    Panel(
        "Complete days in the windows",
        "Days with enough results of each window's length; the other days count neither way.",
        "percentunit",
        ((f"benchwarden_window_coverage_ratio{{{SCHEDULE}}}", f"{BY_SERIES} {{{{window}}}}"),),
        Shape.SHARE,
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
        Shape.STACK,
    ),
    Panel(
        "Trials lost to infrastructure",
        "Of the planned trials of the last run; API errors are a part of it. An alert is due from 10 %.",
        "percentunit",
        (
            (f"benchwarden_infra_error_ratio{{{SCHEDULE}}}", BY_SERIES),
            (f"benchwarden_api_error_ratio{{{SCHEDULE}}}", f"{BY_SERIES} API"),
        ),
        Shape.SHARE,
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
        Shape.TABLE,
    ),
)

RUNS = (
    Panel(
        "Pass ratio of runs",
        "Passed trials of those with a verdict.",
        "percentunit",
        ((f"benchwarden_run_pass_ratio{{{RUN}}}", "{{run}}"),),
        Shape.SHARE,
    ),
    Panel(
        "Coverage of runs",
        "Trials with a verdict of those planned.",
        "percentunit",
        ((f"benchwarden_run_coverage_ratio{{{RUN}}}", "{{run}}"),),
        Shape.SHARE,
    ),
    Panel(
        "Trials by outcome class",
        "Class of the verdict, or of the last charge where there is none.",
        "short",
        ((f"sum by (class) (benchwarden_run_outcomes{{{RUN}}})", "{{class}}"),),
        Shape.STACK,
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
        Shape.STACK,
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
        "Verdicts lost or told twice",
        "Since the operator started: launches whose pod vanished before it was read, and second verdicts that"
        " were not kept. Both are run again or ignored, never counted twice.",
        "short",
        (
            ("sum(benchwarden_lost_verdicts_total)", "lost"),
            ("sum(benchwarden_conflicting_verdicts_total)", "told twice"),
        ),
    ),
    Panel(
        "Version",
        "Version of the operator that is scraped, and of its Python.",
        "none",
        (("benchwarden_build_info", ""),),
        Shape.TABLE,
    ),
    Panel(
        "Rows stored",
        "Result rows written durably, per second.",
        "wps",
        (("sum(rate(benchwarden_result_rows_stored_total[$__rate_interval]))", "rows"),),
    ),
)
ROWS = (("Verdict by schedule", VERDICT), ("Runs", RUNS), ("Operator", OPERATOR))
