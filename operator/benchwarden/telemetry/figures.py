"""The figures of one run, kept row by row: a scrape counts only what came since the one before.

They say what `report.summary` says of the same rows, which the tests hold against each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from threading import Lock

from benchwarden.planning.plan import TrialKey
from benchwarden.report.summary import FAIL, GROUPS, INFRA, MISSING, PASS, Heading, group_of
from benchwarden.results.row import KIND_RELEASE, Row
from benchwarden.results.tally import Tokens
from benchwarden.stats.proportion import wilson
from benchwarden.telemetry import catalogue
from benchwarden.telemetry.snapshot import Distribution, RunSample


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is said of one trial so far; equal ones are shared.

    Attributes:
        launches: numbers of those that were charged or judged.
    """

    group: str = MISSING
    outcome: str = ""
    launches: frozenset[int] = frozenset()

    @property
    def retries(self) -> int:
        return max(0, len(self.launches) - 1)


_UNKNOWN = _Trial()


class RunFigures:
    """Counts of a run's rows; any thread may ask.

    Args:
        planned: how many trials the run has. Rows of others must not be given.
    """

    def __init__(self, planned: int) -> None:
        self._planned = planned
        self._lock = Lock()
        self._taken = 0
        self._trials: dict[TrialKey, _Trial] = {}
        self._shared: dict[_Trial, _Trial] = {}
        self._groups: Counter[str] = Counter({MISSING: planned})
        self._outcomes: Counter[str] = Counter({"": planned})
        self._retries = 0
        self._cost_usd = Decimal(0)
        self._tokens = Tokens()
        self._agent_seconds = Distribution.of((), catalogue.RUN_AGENT_SECONDS.buckets)
        self._grade_seconds = Distribution.of((), catalogue.RUN_GRADE_SECONDS.buckets)
        self._last_finished_at = ""

    def sample(
        self,
        heading: Heading,
        rows: Sequence[Row],
        *,
        conflicts: int = 0,
        budget_usd: Decimal | None = None,
        suspended: bool = False,
    ) -> RunSample:
        """The run's numbers.

        Args:
            heading: what run it is.
            rows: all its rows in the order they were recorded; those of the call before and perhaps more.
            conflicts: verdicts that disagreed with an earlier one of their trial.
            budget_usd: most that it may cost, if there is a bound.
            suspended: whether it is held.
        """
        with self._lock:
            self._take(rows[self._taken :])
            passes, valid = self._groups[PASS], self._groups[PASS] + self._groups[FAIL]
            groups = {group: self._groups[group] for group in GROUPS}
            frequent = sorted(self._outcomes.items(), key=lambda item: (-item[1], item[0]))
            last = self._last_finished_at
            return RunSample(
                namespace=heading.namespace,
                run=heading.run,
                suite=heading.suite,
                model=heading.model,
                agent=heading.agent,
                cli_version=heading.cli_version,
                panel=heading.panel_digest[:12],
                groups=groups,
                outcomes={outcome: count for outcome, count in frequent if outcome and count},
                pass_ratio=passes / valid if valid else None,
                interval=wilson(passes, valid),
                coverage_ratio=valid / self._planned if self._planned else 0.0,
                cost_usd=self._cost_usd,
                budget_usd=budget_usd,
                tokens={
                    "input": self._tokens.input,
                    "output": self._tokens.output,
                    "cache_read": self._tokens.cache_read,
                    "cache_write": self._tokens.cache_write,
                },
                agent_seconds=self._agent_seconds,
                grade_seconds=self._grade_seconds,
                retries=self._retries,
                conflicts=conflicts,
                started_at=heading.started_at,
                finished_at=heading.finished_at,
                last_result_at=datetime.fromisoformat(last) if last else None,
                suspended=suspended,
            )

    def _take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._judge(row)
            self._tokens.add(row)
            self._cost_usd += Decimal(row.cost_usd)
            self._last_finished_at = max(self._last_finished_at, row.finished_at)
        self._agent_seconds = self._agent_seconds.more(
            row.agent_seconds for row in rows if row.agent_seconds > 0
        )
        self._grade_seconds = self._grade_seconds.more(
            row.grade_seconds for row in rows if row.grade_seconds > 0
        )
        self._taken += len(rows)

    def _judge(self, row: Row) -> None:
        """The first verdict of a trial counts, before there is one the last charge."""
        if row.kind == KIND_RELEASE:
            return
        before = self._trials.get(row.key, _UNKNOWN)
        group, outcome = before.group, before.outcome
        if group in (MISSING, INFRA):
            group, outcome = group_of(row), row.outcome
        after = _Trial(group, outcome, before.launches | {row.launch})
        self._trials[row.key] = self._shared.setdefault(after, after)
        self._retries += after.retries - before.retries
        for count, old, new in (
            (self._groups, before.group, after.group),
            (self._outcomes, before.outcome, after.outcome),
        ):
            count[old] -= 1
            count[new] += 1
