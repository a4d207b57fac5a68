"""What is left to do: which trials are done, missing, alive or ready, and in which batches they go next."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Batch, Member, Plan, TrialKey
from benchwarden.results.outcome import History
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally, TrialState
from benchwarden_runner import protocol

CORROBORATION_WINDOW = timedelta(minutes=10)
BRAKE_WINDOW = timedelta(minutes=5)
CORROBORATING_INSTANCES = 2
FIRST_DELAY_SECONDS = 5.0
FIRST_API_DELAY_SECONDS = 30.0
LONGEST_DELAY_SECONDS = 300.0
# Their patch is the suite's own or none, so that what keeps the grader from judging it is not the agent's.
REFERENCE_AGENTS = frozenset({protocol.AGENT_ORACLE, protocol.AGENT_NOP})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a trial may be charged before it counts as missing.

    Attributes:
        per_trial: infra retries after the first attempt.
        total: charges over the whole run, or None.
        rounds: `spec.retry`: each round grants the same allowance again.
        suites_own_patch: the patch is the reference solution or none at all, so that a grader that does not judge
            it says nothing about an agent and is retried like any other trouble.
    """

    per_trial: int
    total: int | None = None
    rounds: int = 0
    suites_own_patch: bool = False

    @classmethod
    def of(cls, spec: BenchmarkRunSpec) -> "RetryPolicy":
        """The policy that the spec asks for."""
        execution = spec.execution
        return cls(
            execution.infra_retries_per_trial,
            execution.infra_retries_total,
            spec.retry,
            spec.agent.kind in REFERENCE_AGENTS,
        )

    def exhausted(self, state: TrialState, charges_in_run: int) -> bool:
        """Whether the trial may not be launched again."""
        if self.total is not None and charges_in_run > self.total * (1 + self.rounds):
            return True
        allowed = (1 + self.per_trial) * (1 + self.rounds)
        history = state.history()
        if not self.suites_own_patch and history.ungraded_charges >= 2 * (1 + self.rounds):
            return True
        # What is held against a patch the second time always gets its one retry: it decides pass or fail.
        if history != History():
            allowed = max(allowed, 2)
        return len(state.charges) >= allowed

    def fatal(self, plan: Plan, tally: Tally) -> Row | None:
        """The charge that ends the run (bad key, unknown model, CLI too old), if there is one.

        It rests on an agent's word, so that one instance alone cannot end the run of all others: another one
        without a verdict must say so too. Only a run of one instance has no other to ask.
        """
        if not any(tally.charges[each] for each in protocol.FATAL_CLASSES):
            return None
        states = [(key, state) for key, state in tally.trials.items() if state.verdict is None]
        claims = [(key.instance, row) for key, state in states if (row := self._claim(state))]
        said_by = {instance for instance, _ in claims}
        if not claims:
            return None
        planned = {key.instance for group in plan.groups for key in group}
        return claims[0][1] if len(said_by) >= min(CORROBORATING_INSTANCES, len(planned)) else None

    def _claim(self, state: TrialState) -> Row | None:
        """The trial's newest fatal charge, unless every one of them was answered by a round of retries."""
        rows = [row for row in state.charges if row.outcome in protocol.FATAL_CLASSES]
        return rows[-1] if len(rows) > self.rounds else None


@dataclass(slots=True)
class Work:
    """The state of every planned trial, and the batches that could be launched now."""

    ready: list[Batch] = field(default_factory=list)
    missing: list[TrialKey] = field(default_factory=list)
    delayed_until: datetime | None = None
    fatal: Row | None = None
    alive: int = 0
    waiting: int = 0

    def delay(self, until: datetime) -> None:
        """Remember the earliest time at which something delayed becomes ready."""
        if self.delayed_until is None or until < self.delayed_until:
            self.delayed_until = until


def survey(
    plan: Plan, tally: Tally, alive: frozenset[TrialKey], policy: RetryPolicy, now: datetime
) -> Work:
    """Sort every planned trial into done, missing, alive, delayed or ready.

    Ready batches come in launch order: first launches in plan order, then trials put back (together as they
    were), then charged trials, each alone. One pass over the plan: O(trials).
    """
    sorting = _Sorting(Work(), policy, tally.charges.total(), alive, now)
    work = sorting.work
    work.fatal = policy.fatal(plan, tally)
    for group in plan.groups:
        fresh: list[Member] = []
        for key in group:
            state = tally.trials.get(key)
            if state is not None:
                if state.verdict is None:
                    sorting.place(key, state)
            elif key in alive:
                work.alive += 1
            else:
                fresh.append(Member(key.instance, key.trial, 1))
        if fresh:
            work.ready.append(Batch(tuple(fresh)))
    work.ready += [Batch(tuple(members)) for members in sorting.back.values()]
    work.ready += sorting.solo
    return work


@dataclass(slots=True)
class _Sorting:
    """Places trials that were launched before and have no verdict."""

    work: Work
    policy: RetryPolicy
    charges_in_run: int
    alive: frozenset[TrialKey]
    now: datetime
    back: dict[str, list[Member]] = field(default_factory=dict)
    solo: list[Batch] = field(default_factory=list)

    def place(self, key: TrialKey, state: TrialState) -> None:
        """Decide where a trial with history and without verdict stands."""
        if key in self.alive:
            self.work.alive += 1
            return
        release = state.last_release
        put_back = release is not None and release.launch == state.launches
        if not put_back and self.policy.exhausted(state, self.charges_in_run):
            self.work.missing.append(key)
            return
        until = _not_before(state)
        member = Member(key.instance, key.trial, state.launches + 1)
        # A longer wait is not ours: the clock was put back since.
        if timedelta() < until - self.now <= timedelta(seconds=LONGEST_DELAY_SECONDS):
            self.work.delay(until)
            self.work.waiting += 1
        elif put_back and release is not None and not state.charges:
            self.back.setdefault(release.batch, []).append(member)
        else:
            self.solo.append(Batch((member,)))


def _not_before(state: TrialState) -> datetime:
    """When the trial may be launched again: later after each launch, and later still after API trouble."""
    last = state.last_release
    if state.charges and (last is None or state.charges[-1].launch > last.launch):
        last = state.charges[-1]
    if last is None:
        return datetime.min.replace(tzinfo=UTC)
    first = FIRST_API_DELAY_SECONDS if last.outcome in protocol.API_CLASSES else FIRST_DELAY_SECONDS
    if not last.outcome and state.launches == 1:
        first = 0.0  # put back once: nobody's fault, go on at once
    delay = min(first * 2 ** min(state.launches - 1, 10), LONGEST_DELAY_SECONDS)
    return moment(last.finished_at) + timedelta(seconds=delay)


def moment(stamp: str) -> datetime:
    """A row's time as an aware datetime."""
    return datetime.fromisoformat(stamp)


def corroborated(row: Row, charges: Iterable[Row]) -> bool:
    """Whether two other instances were charged with the same class within ten minutes of `row`."""
    at = moment(row.finished_at)
    others = {
        each.instance
        for each in charges
        if each.outcome == row.outcome
        and each.instance != row.instance
        and abs(moment(each.finished_at) - at) <= CORROBORATION_WINDOW
    }
    return len(others) >= CORROBORATING_INSTANCES


def braked_parallelism(parallelism: int, api_charges: Iterable[Row], now: datetime) -> int:
    """Pods in flight allowed now: each API refusal halves them, down to one; each quiet window doubles them.

    The growth is gradual: all pods at once would only be refused again, and lose their trials' retries.
    """
    brake = 0.0  # how often the parallelism is halved
    hardest = math.log2(parallelism)
    last: datetime | None = None
    for at in sorted(moment(row.finished_at) for row in api_charges):
        eased = 0.0 if last is None else (at - last) / BRAKE_WINDOW
        brake = min(max(brake - eased, 0.0) + 1.0, hardest)
        last = at
    if last is not None:
        brake = max(brake - max(now - last, timedelta()) / BRAKE_WINDOW, 0.0)
    return max(1, int(parallelism / 2**brake))
