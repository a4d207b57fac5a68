"""The series of one schedule: its evaluation and its last run, as numbers a scrape can show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from benchwarden.results.cells import RunCells
from benchwarden.scheduling.attribution import PAGING
from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.scheduling.identity import GRADER_RULES
from benchwarden.stats.baseline import Baseline
from benchwarden.stats.documents import COLLECTING, NOT_FROZEN
from benchwarden.stats.episodes import Outcome, Status
from benchwarden.stats.gate import Gate
from benchwarden.stats.monitor import Component
from benchwarden.stats.variance import variance_split
from benchwarden.telemetry import schedule_catalogue as known
from benchwarden.telemetry.catalogue import Metric

STATES: Final = (COLLECTING, NOT_FROZEN, *(str(state) for state in Status))
PAGERS: Final = (Component.CAPABILITY, Component.BREAKAGE)
POWER: Final = "0.8"
DAY_SECONDS: Final = 86_400

Shown = tuple[Metric, tuple[str, ...], float]


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleSample:
    """One series of a schedule as of now.

    Attributes:
        zone: of the schedule: a day begins at its midnight.
        last: the newest run that was rolled up, if any.
        results: runs rolled up, by whether they succeeded.
        acknowledged: somebody has taken note of the open alarm.
    """

    namespace: str
    schedule: str
    series: str
    suite: str
    model: str
    zone: tzinfo
    evaluation: Evaluation
    last: RunCells | None = None
    results: tuple[int, int] = (0, 0)
    suspended: bool = False
    next_at: datetime | None = None
    reruns: int = 0
    acknowledged: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Values of `SCHEDULE_LABELS`."""
        return (self.namespace, self.schedule, self.series, self.suite, self.model)


def of_schedule(sample: ScheduleSample) -> Iterator[Shown]:
    """All series of a sample; what is not known has none."""
    yield known.SUSPENDED, (), float(sample.suspended)
    yield known.RERUNS, (), sample.reruns
    for result, count in zip(("succeeded", "failed"), sample.results, strict=True):
        yield known.RUNS, (result,), count
    if sample.next_at is not None:
        yield known.NEXT_RUN, (), sample.next_at.timestamp()
    if sample.last is not None:
        yield from _last_run(sample.last)
    document = sample.evaluation.document
    if document:
        yield known.QUALITY, (), float(sample.evaluation.quality is Gate.OK)
        yield from _baseline(sample, document["baseline"])
        for window, found in document["windows"].items():
            if found["trials"]:
                yield from _window(int(window), found)
        yield from _monitor(sample, document["monitor"])


def _last_run(run: RunCells) -> Iterator[Shown]:
    digests = (run.panel_digest[:12], str(GRADER_RULES), run.identity[:12])
    yield known.INFO, (run.cli_version, *digests), 1
    if run.finished_at:
        yield known.LAST_RUN, (), datetime.fromisoformat(run.finished_at).timestamp()
    counts = {
        "pass": run.passed,
        "fail": run.valid - run.passed,
        "infra": run.infra,
        "missing": run.missing,
    }
    for outcome, count in counts.items():
        yield known.TRIALS, (outcome,), count
    planned = sum(counts.values())
    if planned:
        yield known.INFRA_ERROR, (), run.infra / planned
        yield known.API_ERROR, (), run.api / planned


def _baseline(sample: ScheduleSample, found: Mapping[str, Any]) -> Iterator[Shown]:
    wanted = sample.evaluation.settings.baseline_days
    yield known.BASELINE_PROGRESS, (), min(found["days"] / wanted, 1.0)
    yield known.BASELINE_TRIALS, (), found["trials"]
    yield from _known(known.BASELINE_PASS, found["pass_rate"])
    baseline = sample.evaluation.baseline
    if isinstance(baseline, Baseline):
        end = _midnight(baseline.frozen_on + timedelta(days=1), sample.zone)
        yield known.BASELINE_FROZEN, (), end
        split = variance_split(baseline.passes, baseline.trials)
        if split is not None:
            yield known.WITHIN, (), split.within_share


def _window(days: int, found: Mapping[str, Any]) -> Iterator[Shown]:
    window = f"{days}d"
    yield known.PASS, (window,), found["pass_rate"]
    for ci, pair in (("wilson", found["wilson"]), ("panel", found["panel_ci"])):
        yield known.PASS_LOWER, (window, ci), pair[0]
        yield known.PASS_UPPER, (window, ci), pair[1]
    yield known.EXPECTED, (window,), found["expected"]
    yield known.DELTA, (window,), found["delta"]
    yield known.DELTA_LOWER, (window,), found["delta_ci"][0]
    yield known.DELTA_UPPER, (window,), found["delta_ci"][1]
    yield from _known(known.ODDS, found["odds_ratio"], window)
    if found["odds_ratio_ci"] is not None:
        yield known.ODDS_LOWER, (window,), found["odds_ratio_ci"][0]
        yield known.ODDS_UPPER, (window,), found["odds_ratio_ci"][1]
    for method, key in (
        ("midp", "midp_less"),
        ("exact", "p_less"),
        ("holm", "holm"),
        ("fisher", "fisher_less"),
    ):
        yield known.WORSE, (window, method), found[key]
    for method, key in (("midp", "midp_greater"), ("exact", "p_greater"), ("holm", "holm_greater")):
        yield known.BETTER, (window, method), found[key]
    yield known.MDE, (window, POWER), found["mde"]
    yield known.COVERAGE, (window,), found["days_present"] / days


def _monitor(sample: ScheduleSample, found: Mapping[str, Any]) -> Iterator[Shown]:
    for state in STATES:
        yield known.STATE, (state,), float(state == found["state"])
    analysis = sample.evaluation.analysis
    report = analysis.monitor if analysis is not None else None
    if report is None or analysis is None:
        return
    yield known.ARL, (), sample.evaluation.settings.run_length_days * DAY_SECONDS
    yield known.OVERDISPERSION, (), report.dispersion
    statistics = report.final.monitor.statistics
    alarms = report.final.alarms
    paging = str(report.final.status) in PAGING
    for component in Component:
        yield known.STATISTIC, (str(component),), getattr(statistics, str(component))
        yield known.THRESHOLD, (str(component),), report.model.threshold
    for component in PAGERS:
        is_open = paging and alarms[-1].component is component
        yield known.ALARM, (str(component),), float(is_open)
    yield known.ACKNOWLEDGED, (), float(paging and sample.acknowledged)
    yield from _known(known.EVIDENCE, report.final.monitor.evidence.log10_mean)
    if report.final.change_day is not None:
        yield known.CHANGEPOINT, (), _midnight(report.final.change_day, sample.zone)
    confirmed = sum(a.outcome in {Outcome.CONFIRMED, Outcome.RESOLVED} for a in alarms)
    yield known.ALARMS, ("confirmed",), confirmed
    yield known.ALARMS, ("unconfirmed",), report.final.false_alarms
    if analysis.robust is not None:
        yield known.ROBUST, (), float(analysis.robust)


def _known(metric: Metric, value: float | None, *labels: str) -> Iterator[Shown]:
    if value is not None:
        yield metric, labels, value


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()
