"""A summary is a pure function of planned trials and result rows; every printer shows the same one.

The first verdict of a trial counts. A trial with charges but no verdict is `infra`, one with neither is
`missing`: both lower the coverage and neither touches the pass rate. Money and tokens count every launch,
for a retried launch was paid for too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from benchwarden.planning.plan import TrialKey
from benchwarden.results.row import KIND_CHARGE, KIND_RELEASE, Row
from benchwarden.results.tally import Tally, Tokens, TrialState
from benchwarden.stats.proportion import Interval, wilson
from benchwarden_runner.protocol import PASS_CLASSES

PASS: Final = "pass"  # noqa: S105  # of an exam, not a password
FAIL: Final = "fail"
INFRA: Final = "infra"
MISSING: Final = "missing"
GROUPS: Final = (PASS, FAIL, INFRA, MISSING)


@dataclass(frozen=True, slots=True)
class Heading:
    """What the summary is of; empty text and None mean "not known".

    Attributes:
        reason: the run's end as a condition reason, such as `Completed` or `Cancelled`.
        message: one sentence on that end.
    """

    run: str
    namespace: str = ""
    suite: str = ""
    panel_digest: str = ""
    agent: str = ""
    model: str = ""
    cli_version: str = ""
    executor: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reason: str = ""
    message: str = ""
    quarantined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What one trial came to.

    Attributes:
        group: `pass`, `fail`, `infra` or `missing`.
        outcome: outcome class; empty when missing.
        row: the row that decided: the first verdict, else the last charge, else None.
        launches: all its rows, in the order they were recorded.
    """

    key: TrialKey
    group: str
    outcome: str = ""
    row: Row | None = None
    launches: tuple[Row, ...] = ()

    @property
    def cost_usd(self) -> Decimal:
        """What all launches cost."""
        return Tally(self.launches).cost_usd

    @property
    def tokens(self) -> Tokens:
        """Tokens of all launches."""
        return Tally(self.launches).tokens

    @property
    def retries(self) -> int:
        """Launches beyond the first that were charged or judged."""
        if len(self.launches) < 2:
            return 0
        counted = {row.launch for row in self.launches if row.kind != KIND_RELEASE}
        return max(0, len(counted) - 1)

    @property
    def seconds(self) -> float:
        """Wall time of agent and grader of the launch that decided."""
        return self.row.agent_seconds + self.row.grade_seconds if self.row else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals of a run.

    Attributes:
        results: one per planned trial, in the order given.
        groups: how many trials are in each group, all four always present.
        outcomes: verdict and infra classes with their counts, most frequent first.
        pass_ratio: passes / (passes + fails); None while there is no verdict.
        interval: Wilson 95 % interval of the pass ratio; trials are taken as independent.
        coverage_ratio: trials with a verdict / planned trials.
        conflicts: verdict rows that came after another verdict of the same trial and disagreed.
    """

    heading: Heading
    results: tuple[TrialResult, ...]
    groups: Mapping[str, int]
    outcomes: tuple[tuple[str, int], ...]
    pass_ratio: float | None
    interval: Interval
    coverage_ratio: float
    cost_usd: Decimal
    tokens: Tokens
    agent_seconds: float
    grade_seconds: float
    retries: int
    conflicts: int

    @property
    def valid(self) -> int:
        """Trials with a verdict."""
        return self.groups[PASS] + self.groups[FAIL]

    @property
    def planned(self) -> int:
        """Planned trials."""
        return len(self.results)


def summarise(heading: Heading, planned: Iterable[TrialKey], rows: Iterable[Row]) -> Summary:
    """Return the summary of `rows`, in the order they were recorded, over the planned trials.

    Rows of trials that are not planned are left out; repetitions count once.
    """
    keys = dict.fromkeys(planned)
    return summary_of(heading, keys, Tally(row for row in rows if row.key in keys))


def summary_of(heading: Heading, keys: Iterable[TrialKey], tally: Tally) -> Summary:
    """Return the summary of a tally whose rows are all of the planned trials; it may grow meanwhile."""
    rows = tuple(tally.rows)
    by_key: dict[TrialKey, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    results = tuple(_result(key, tally.state(key), by_key.get(key, [])) for key in keys)
    groups = Counter(result.group for result in results)
    passes, valid = groups[PASS], groups[PASS] + groups[FAIL]
    outcomes = Counter(result.outcome for result in results if result.outcome)
    return Summary(
        heading=heading,
        results=results,
        groups={group: groups[group] for group in GROUPS},
        outcomes=tuple(sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))),
        pass_ratio=passes / valid if valid else None,
        interval=wilson(passes, valid),
        coverage_ratio=valid / len(results) if results else 0.0,
        cost_usd=tally.cost_usd,
        tokens=tally.tokens,
        agent_seconds=sum(row.agent_seconds for row in rows),
        grade_seconds=sum(row.grade_seconds for row in rows),
        retries=sum(result.retries for result in results),
        conflicts=tally.conflicts,
    )


def _result(key: TrialKey, state: TrialState, rows: Sequence[Row]) -> TrialResult:
    decisive = state.verdict or (state.charges[-1] if state.charges else None)
    outcome = decisive.outcome if decisive else ""
    return TrialResult(key, group_of(decisive), outcome, decisive, tuple(rows))


def group_of(row: Row | None) -> str:
    """The group of a trial by the row that decided it, if there is one."""
    if row is None:
        return MISSING
    if row.kind == KIND_CHARGE:
        return INFRA
    return PASS if row.outcome in PASS_CLASSES else FAIL
