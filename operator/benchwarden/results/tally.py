"""A tally sums rows per trial, so that decisions and status read counts instead of scanning history."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from benchwarden.planning.plan import Member, TrialKey
from benchwarden.results import row as rows_of
from benchwarden.results.outcome import History, if_alone, is_uncaptured, is_ungraded
from benchwarden.results.row import Row
from benchwarden_runner import protocol


@dataclass(slots=True)
class TrialState:
    """All that is recorded of one trial."""

    verdict: Row | None = None
    charges: list[Row] = field(default_factory=list)
    last_release: Row | None = None
    launches: int = 0  # highest launch number recorded

    def history(self) -> History:
        """The charges that change how a further outcome is judged."""
        limit = sum(1 for row in self.charges if row.outcome in protocol.LIMIT_CLASSES)
        ungraded = sum(
            1 for row in self.charges if is_ungraded(row.outcome, row.reason, row.patch_bytes)
        )
        uncaptured = sum(1 for row in self.charges if is_uncaptured(row.outcome, row.reason))
        return History(limit, ungraded, uncaptured)


EMPTY_STATE = TrialState()


@dataclass(slots=True)
class Tokens:
    """Token counts over all launches, those of retried ones included: they were paid for."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def add(self, row: Row) -> None:
        """Count the tokens of one launch."""
        self.input += row.input_tokens
        self.output += row.output_tokens
        self.cache_read += row.cache_read_tokens
        self.cache_write += row.cache_write_tokens

    @property
    def total(self) -> int:
        """All tokens of all kinds."""
        return self.input + self.output + self.cache_read + self.cache_write


class Tally:
    """Rows of a run, by trial. The first verdict of a trial wins; a second is counted, never kept."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.trials: dict[TrialKey, TrialState] = {}
        self.outcomes: Counter[str] = Counter()  # of verdicts
        self.charges: Counter[str] = Counter()
        self.tokens = Tokens()
        self.cost_usd = Decimal(0)
        self.conflicts = 0
        self.recent_api: list[Row] = []  # API-class charges in the order recorded
        self.doubted: list[Row] = []  # charges that an agent can bring about, in the order recorded
        self._seen: set[tuple[Member, str]] = set()
        self.rows: list[Row] = []
        for row in rows:
            self.add(row)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def state(self, key: TrialKey) -> TrialState:
        """The trial's state; an empty one if nothing is recorded (do not change it)."""
        return self.trials.get(key, EMPTY_STATE)

    def knows(self, member: Member) -> bool:
        """Whether the fate of this launch is recorded."""
        return any(
            (member, kind) in self._seen
            for kind in (rows_of.KIND_VERDICT, rows_of.KIND_CHARGE, rows_of.KIND_RELEASE)
        )

    def add(self, row: Row) -> bool:
        """Record a row; False if it was a repetition or a conflicting second verdict."""
        mark = (row.member, row.kind)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        state = self.trials.setdefault(row.key, TrialState())
        state.launches = max(state.launches, row.launch)
        if row.kind == rows_of.KIND_VERDICT and state.verdict is not None:
            self.conflicts += 1
            return False
        self.rows.append(row)
        self._account(row)
        if row.kind == rows_of.KIND_VERDICT:
            state.verdict = row
            self.outcomes[row.outcome] += 1
        elif row.kind == rows_of.KIND_CHARGE:
            state.charges.append(row)
            self.charges[row.outcome] += 1
            if row.outcome in protocol.API_CLASSES:
                self.recent_api.append(row)
            if if_alone(row.outcome, row.reason, row.patch_bytes):
                self.doubted.append(row)
        else:
            state.last_release = row
        return True

    def _account(self, row: Row) -> None:
        self.tokens.add(row)
        if row.cost_usd != "0":
            self.cost_usd += Decimal(row.cost_usd)

    def cells(self) -> dict[str, tuple[int, int]]:
        """Passes and trials with a verdict, by instance."""
        found: dict[str, tuple[int, int]] = {}
        for key, state in self.trials.items():
            if state.verdict is not None:
                passes, trials = found.get(key.instance, (0, 0))
                passed = state.verdict.outcome in protocol.PASS_CLASSES
                found[key.instance] = (passes + passed, trials + 1)
        return found

    @property
    def passed(self) -> int:
        """Verdicts that count as pass."""
        return self.outcomes[protocol.RESOLVED]

    @property
    def verdicts(self) -> int:
        """Trials with a verdict: the valid ones."""
        return self.outcomes.total()
