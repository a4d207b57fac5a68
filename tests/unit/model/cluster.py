"""A simulated API server of which the operator sees one object at a time, late, and between two deaths."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from tests.builders import CLAUDE, ended, judged, panel_of, run_view, told
from tests.simulation import Faults, Job, Simulation

from benchwarden.controller.record import Record
from benchwarden.manifests.settings import RunIdentity
from benchwarden.reconcile.cycle import Cycle
from benchwarden.reconcile.decide import make_plan
from benchwarden.reconcile.decision import Action, Decision, DeleteBatch, LaunchBatch
from benchwarden.reconcile.observed import Observed, ObservedBatch
from benchwarden.reconcile.world import Refusal
from benchwarden.results.row import KIND_VERDICT
from benchwarden.suites.instance import Panel

COST_USD = Decimal("0.5")  # of one agent at most
TOKENS = 1000  # of each agent
IMMEDIATE_PASSES = 8  # without a write: more in a row get nowhere
DISRUPTIONS = ("EvictionByEvictionAPI", "PreemptionByScheduler", "DeletionByTaintManager")
Json = dict[str, Any]


class Dead(Exception):
    """The operator died at this write."""


class Cluster(Simulation):
    """What exists, what the operator has seen of it, and what it remembers.

    Attributes:
        seen: each Job as the watch showed it last.
        told: statuses in the order they were written.
        forgotten: what graders of vanished Jobs said that was not stored when the operator died.
        untraced: launches whose Job vanished while nobody looked: they are done again under the same name.
        spent: what agents said they cost and somebody could read.
    """

    def __init__(self, instances: int, **spec: Any) -> None:
        spec.setdefault("execution", {})
        agent = {"claudeCode": {**CLAUDE["claudeCode"], "maxBudgetUsd": str(COST_USD)}}
        super().__init__(panel_of(instances), 1, Faults(), **{"agent": agent, **spec})
        self.draws = Random(0)
        self.seen: dict[str, ObservedBatch] = {}
        self.told: list[Json] = []
        self.forgotten = 0
        self.untraced: Counter[Any] = Counter()
        self.spent = Decimal(0)
        self.tokens = 0
        self.silence = 0
        self.writes_left: int | None = None
        self.generation, self.written = 0, ""
        self.suite = self.panel
        self.live()
        world = _Planning(self)
        self.plan = make_plan(world, self.panel, (("cliVersion", "2.1.330"),))

    # The operator.

    def live(self) -> None:
        """A new life: only what is stored is known, and everything that exists is listed."""
        self.cycle = Cycle()
        self.cycle.load(self.rows, self.now)
        self.record = Record(RunIdentity("daily", "bench", "uid"), {}, {}, self.cycle)
        self.jobs = {name: job for name, job in self.jobs.items() if not job.gone}
        self.seen = {name: job.observed() for name, job in self.jobs.items()}

    def die(self) -> None:
        """All that was not stored is gone from memory, and so is all that vanished meanwhile."""
        vanished = [name for name, job in self.jobs.items() if job.gone]
        stored = {row.member for row in self.rows}
        for name in vanished:
            job = self.jobs[name]
            graded = job.members[: len(job.containers) // 2]
            self.forgotten += sum(member not in stored for member in graded)
        self.untraced.update(m for name in vanished for m in self.jobs[name].members)
        self.live()

    def live_with(self, suite: Panel | Refusal | None) -> None:
        """The operator starts anew, and this is what it reads in place of the suite; None = the suite."""
        self.die()
        self.panel = suite or self.suite

    def look(self, name: str) -> None:
        """The watch tells of one Job with its pod."""
        if name in self.jobs:
            self.seen[name] = self.jobs[name].observed()

    def reconcile(self, writes: int | None = None) -> Decision | None:
        """One pass, or as much of it as so many writes are; None if the operator died."""
        self.writes_left = writes
        try:
            decision = self._pass()
        except Dead:
            self.die()
            return None
        quiet = decision.requeue_after_seconds == 0.0 and not decision.actions
        self.silence = self.silence + 1 if quiet else 0
        assert self.silence < IMMEDIATE_PASSES, "it looks again and again and does nothing"
        if decision.requeue_after_seconds is None and not self.ended():
            assert self.spec.get("suspend"), "nobody will look at it again"
        return decision

    def ended(self) -> bool:
        return self._ended()

    def _pass(self) -> Decision:
        if self.written != (key := _key(self.spec)):
            self.written, self.generation = key, self.generation + 1
        view = replace(_view(key), status=self.status, generation=self.generation)
        observed = Observed(tuple(sorted(self.seen.values(), key=lambda batch: batch.name)))
        shown = self.record.overlay(observed, self.now)
        decision = self.cycle.step(view, self.panel, self.plan, shown, None, self.now)
        for action in decision.actions:
            self._write()
            self._act(action)
        if not self.cycle.unstored:
            for name in [name for name, batch in self.seen.items() if batch.gone]:
                del self.seen[name]
                self.jobs.pop(name, None)
        if decision.status is not None and decision.status != self.status:
            self._write()
            self.status = decision.status
            self.told.append(decision.status)
        return decision

    def _write(self) -> None:
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                raise Dead

    def _act(self, action: Action) -> None:
        match action:
            case LaunchBatch(name, batch):
                self._check_budget(len(batch.members))
                self._launch(name, batch.members)
                uid = self.jobs[name].uid
                made = ObservedBatch(name, "batch", uid, batch.members, created_at=self.now)
                self.record.expected[name] = made
            case DeleteBatch(name, uid):
                job = self.jobs.get(name)
                if job is not None and not job.gone:
                    self._check_stored(job)
                    job.gone = True
                self.record.deleted.add(uid)
            case _:
                super()._act(action)

    def _check_budget(self, members: int) -> None:
        """What is known to be spent, and the worst that may still come, fits the budget."""
        budget = self.spec.get("budget") or {}
        tally = self.cycle.tally
        running = sum(
            not tally.knows(member)
            for batch in [*self.seen.values(), *self.record.expected.values()]
            if not batch.gone
            for member in batch.members
        )
        if "maxUsd" in budget:
            worst = tally.cost_usd + COST_USD * (running + members)
            assert worst <= Decimal(budget["maxUsd"]), "more is risked than there is"
        if "maxTokens" in budget:
            assert tally.tokens.total < budget["maxTokens"], "nothing is left to spend"

    # The cluster.

    def at_work(self) -> list[str]:
        return sorted(
            name
            for name, job in self.jobs.items()
            if not job.gone and job.phase not in ("Succeeded", "Failed") and not job.disruption
        )

    def step_pod(self, name: str, agent: str, grade: str) -> None:
        """The pod's next container ends, with these words."""
        job = self.jobs[name]
        if job.phase == "Pending":
            if not job.containers:
                job.phase = "Running"
            return
        position = len(job.containers)
        of = position // 2
        if position % 2 == 0:
            self._agent_ends(job, of, agent)
        else:
            word = "" if grade == "silent" else judged(grade)
            job.containers.append(ended(f"grade-{of}", word, finished_at=self.now))
        if len(job.containers) == 2 * len(job.members) and job.phase == "Running":
            job.phase = "Succeeded"

    def _agent_ends(self, job: Job, of: int, word: str) -> None:
        name = f"agent-{of}"
        if word == "oom":
            job.containers.append(
                ended(name, "", reason="OOMKilled", exit_code=137, finished_at=self.now)
            )
            job.phase = "Failed"
            return
        cost = COST_USD if word == "dear" else COST_USD / 4
        outcome = "completed" if word == "dear" else word
        said = told(outcome, cost_usd=str(cost), output_tokens=TOKENS)
        job.containers.append(ended(name, said, finished_at=self.now))

    def lose_pod(self, name: str, disruption: str) -> None:
        self.jobs[name].phase, self.jobs[name].disruption = "Failed", disruption

    def lose_job(self, name: str) -> None:
        self.jobs[name].gone = True

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # What is true at any moment.

    def stored_verdicts(self) -> Counter[Any]:
        return Counter(row.key for row in self.rows if row.kind == KIND_VERDICT)

    def told_cost(self) -> Decimal:
        return Decimal(self.status.get("costUsd", "0"))


class _Planning:
    """As much of a world as a plan is made from."""

    def __init__(self, cluster: Cluster) -> None:
        self.run = _view(_key(cluster.spec))
        self.durations_seconds: dict[str, float] = {}


def _key(spec: Json) -> str:
    return repr(spec)


@cache
def _view(key: str) -> Any:
    return run_view(**eval(key))  # our own words, a key because dictionaries are none
