"""Every metric there is, with its type, labels and meaning; collector and reference page read this list."""

from dataclasses import dataclass
from typing import Final

GAUGE: Final = "gauge"
COUNTER: Final = "counter"
HISTOGRAM: Final = "histogram"

ALPHA: Final = "alpha"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family.

    Attributes:
        name: as scraped; a counter's ends in `_total`.
        labels: in the order in which values are given.
        buckets: upper bounds of a histogram, without +Inf.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    stability: str = ALPHA


# Series of a run vanish with it. Names and ids of instances are never labels.
RUN_LABELS: Final = ("namespace", "run", "suite", "model")


def _run(name: str, text: str, *labels: str, buckets: tuple[float, ...] = ()) -> Metric:
    kind = HISTOGRAM if buckets else GAUGE
    return Metric(f"benchwarden_run_{name}", kind, text, (*RUN_LABELS, *labels), buckets)


RUN_INFO: Final = _run(
    "info",
    "Always 1; what the run measures, and the version of the rules its grader judges by.",
    "agent",
    "cli_version",
    "panel",
    "grader",
)
RUN_SUSPENDED: Final = _run("suspended", "1 while spec.suspend keeps the run from starting pods.")
RUN_PASS_RATIO: Final = _run(
    "pass_ratio", "Passed trials / trials with a verdict; absent without a verdict."
)
RUN_PASS_CI_LOWER: Final = _run(
    "pass_ratio_ci_lower", "Lower end of the Wilson interval of the pass ratio.", "ci"
)
RUN_PASS_CI_UPPER: Final = _run(
    "pass_ratio_ci_upper", "Upper end of the Wilson interval of the pass ratio.", "ci"
)
RUN_TRIALS: Final = _run(
    "trials", "Planned trials by what they came to: pass, fail, infra or missing.", "outcome"
)
RUN_OUTCOMES: Final = _run(
    "outcomes", "Trials by outcome class of their verdict or last charge.", "class"
)
RUN_COVERAGE: Final = _run("coverage_ratio", "Trials with a verdict / planned trials.")
RUN_COST: Final = _run(
    "cost_usd", "Spent so far as the agents report it, retried launches included."
)
RUN_BUDGET: Final = _run("budget_usd", "Budget of the run; absent when it has none.")
RUN_TOKENS: Final = _run(
    "tokens", "Tokens used so far: input, output, cache_read, cache_write.", "kind"
)
RUN_AGENT_SECONDS: Final = _run(
    "agent_seconds",
    "Wall time of agents, of every launch that ran one.",
    buckets=(30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0),
)
RUN_GRADE_SECONDS: Final = _run(
    "grade_seconds",
    "Wall time of graders, of every launch that ran one.",
    buckets=(5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
RUN_RETRIES: Final = _run("retries", "Launches beyond the first, caused by infrastructure.")
RUN_CONFLICTS: Final = _run(
    "conflicting_verdicts", "Verdicts that came after a trial already had one; the first counts."
)
RUN_STARTED: Final = _run("started_timestamp_seconds", "When the run started.")
RUN_FINISHED: Final = _run("finished_timestamp_seconds", "When the run ended; absent until then.")
RUN_LAST_RESULT: Final = _run(
    "last_result_timestamp_seconds", "When the newest result came in; absent before the first."
)

RECONCILES: Final = Metric(
    "benchwarden_reconcile_total",
    COUNTER,
    "Reconcile passes by result: success, requeue, requeue_after, error.",
    ("controller", "result"),
)
RECONCILE_ERRORS: Final = Metric(
    "benchwarden_reconcile_errors_total", COUNTER, "Reconcile passes that failed.", ("controller",)
)
RECONCILE_SECONDS: Final = Metric(
    "benchwarden_reconcile_time_seconds",
    HISTOGRAM,
    "Duration of reconcile passes.",
    ("controller",),
    (0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0),
)
QUEUE_DEPTH: Final = Metric(
    "benchwarden_workqueue_depth", GAUGE, "Objects waiting for a reconcile pass.", ("name",)
)
QUEUE_SECONDS: Final = Metric(
    "benchwarden_workqueue_queue_duration_seconds",
    HISTOGRAM,
    "From the news about an object until the pass that sees it begins: the reconcile lag.",
    ("name",),
    (0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
)
INFORMER_SYNC: Final = Metric(
    "benchwarden_informer_last_sync_timestamp_seconds",
    GAUGE,
    "When an informer last heard from the API server.",
    ("resource",),
)
LOOP_LAG: Final = Metric(
    "benchwarden_event_loop_lag_seconds", GAUGE, "How late the event loop last woke up."
)
REST_REQUESTS: Final = Metric(
    "benchwarden_rest_client_requests_total",
    COUNTER,
    "Requests to the API server by status code and method.",
    ("code", "method"),
)
ROWS_STORED: Final = Metric(
    "benchwarden_result_rows_stored_total", COUNTER, "Result rows written durably."
)
CONFLICTING: Final = Metric(
    "benchwarden_conflicting_verdicts_total",
    COUNTER,
    "Second verdicts of a trial that were seen and not kept.",
)
LOST: Final = Metric(
    "benchwarden_lost_verdicts_total",
    COUNTER,
    "Launches whose pod vanished before its verdict was read; they are run again.",
)
RUNS: Final = Metric(
    "benchwarden_runs_total", COUNTER, "Runs that ended, by the reason of Succeeded.", ("reason",)
)
BUILD_INFO: Final = Metric(
    "benchwarden_build_info", GAUGE, "Always 1; the operator's version.", ("version", "python")
)
SCRAPE_SECONDS: Final = Metric(
    "benchwarden_collector_duration_seconds", GAUGE, "How long this scrape's collection took."
)

METRICS: Final[tuple[Metric, ...]] = (
    RUN_INFO,
    RUN_SUSPENDED,
    RUN_PASS_RATIO,
    RUN_PASS_CI_LOWER,
    RUN_PASS_CI_UPPER,
    RUN_TRIALS,
    RUN_OUTCOMES,
    RUN_COVERAGE,
    RUN_COST,
    RUN_BUDGET,
    RUN_TOKENS,
    RUN_AGENT_SECONDS,
    RUN_GRADE_SECONDS,
    RUN_RETRIES,
    RUN_CONFLICTS,
    RUN_STARTED,
    RUN_FINISHED,
    RUN_LAST_RESULT,
    RECONCILES,
    RECONCILE_ERRORS,
    RECONCILE_SECONDS,
    QUEUE_DEPTH,
    QUEUE_SECONDS,
    INFORMER_SYNC,
    LOOP_LAG,
    REST_REQUESTS,
    ROWS_STORED,
    CONFLICTING,
    LOST,
    RUNS,
    BUILD_INFO,
    SCRAPE_SECONDS,
)
