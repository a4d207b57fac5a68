"""A simulated cluster: Jobs whose pods go on by small steps, with every fault the real one knows.

It holds the decisions against the promises, thousands of runs a minute: the operator may be killed between
any two actions, pods vanish, containers are killed, messages are lost.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from benchwarden import names
from benchwarden.planning.plan import Member, Plan
from benchwarden.reconcile.cycle import Cycle
from benchwarden.reconcile.decision import (
    Action,
    Decision,
    DeleteBatch,
    EnsureInputs,
    LaunchBatch,
    StorePlan,
    StoreRows,
)
from benchwarden.reconcile.observed import Observed, ObservedBatch, ObservedPod
from benchwarden.results.row import Row
from benchwarden.suites.instance import Panel
from benchwarden_runner import protocol
from tests.builders import NOW, ended, judged, run_view, running, told, waiting


@dataclass
class Faults:
    """Chances of each fault at each step."""

    crash: float = 0.0
    pod_lost: float = 0.0
    job_lost: float = 0.0
    oom: float = 0.0
    silent: float = 0.0
    api: float = 0.0
    always_oom: frozenset[str] = frozenset()


@dataclass
class Job:
    """One Job with its pod: `at` counts the containers that have ended, inject included."""

    name: str
    members: tuple[Member, ...]
    at: int = 0
    containers: list = field(default_factory=list)
    phase: str = "Pending"
    disruption: str = ""
    gone: bool = False

    @property
    def uid(self) -> str:
        return f"uid-{self.name}"

    def observed(self) -> ObservedBatch:
        left = []
        slots = [f"{k}-{n}" for n in range(len(self.members)) for k in ("agent", "grade")]
        for position, name in enumerate(slots):
            if position >= len(self.containers):
                busy = position == len(self.containers) and self.phase == "Running"
                left.append(running(name) if busy else waiting(name))
        pod = ObservedPod(
            f"pod-{self.name}",
            self.name,
            phase=self.phase,
            disruption=self.disruption,
            created_at=NOW,
            containers=(ended("inject"), *self.containers, *left),
        )
        finished = {"Succeeded": "Complete", "Failed": "Failed"}.get(self.phase, "")
        return ObservedBatch(
            self.name,
            names.ROLE_BATCH,
            self.uid,
            self.members,
            created_at=NOW,
            started=True,
            finished=finished,
            gone=self.gone,
            pod=pod,
        )


class Crash(Exception):
    """The operator was killed between two writes."""


class Simulation:
    """A cluster, its durable objects, and an operator that may die at any moment."""

    def __init__(self, panel: Panel, seed: int, faults: Faults, **spec) -> None:
        self.panel = panel
        self.rng = Random(seed)
        self.faults = faults
        self.spec = spec
        self.now = NOW
        self.jobs: dict[str, Job] = {}
        self.plan: Plan | None = None
        self.rows: list[Row] = []
        self.status: dict = {}
        self.cycle = Cycle()
        self.crashes = 0
        self.launched: list[Member] = []

    def run(self, most_passes: int = 3000) -> "Simulation":
        for _ in range(most_passes):
            try:
                decision = self._pass()
            except Crash:
                self.crashes += 1
                self.cycle = Cycle()
                self.cycle.load(self.rows, self.now)
                continue
            if self._ended() and not self.jobs:
                return self
            self._move()
            wait = decision.requeue_after_seconds or 1.0
            self.now += timedelta(seconds=max(1.0, wait))
        raise AssertionError(f"no end after {most_passes} passes: {self.status}")

    def _pass(self) -> Decision:
        view = run_view(self.status, **self.spec)
        observed = Observed(tuple(job.observed() for job in self.jobs.values()))
        decision = self.cycle.step(view, self.panel, self.plan, observed, None, self.now)
        for action in decision.actions:
            self._act(action)
            if self.rng.random() < self.faults.crash:
                raise Crash
        if not self.cycle.unstored:
            self.jobs = {name: job for name, job in self.jobs.items() if not job.gone}
        if decision.status is not None:
            self.status = decision.status
        return decision

    def _act(self, action: Action) -> None:
        match action:
            case StorePlan(plan):
                self.plan = self.plan or plan
            case LaunchBatch(name, batch):
                self._launch(name, batch.members)
            case StoreRows(rows):
                self.rows += rows
                self.cycle.stored(rows, self.now)
            case DeleteBatch(name, uid):
                assert self.jobs[name].uid == uid
                self._check_stored(self.jobs[name])
                del self.jobs[name]
            case EnsureInputs(name):
                self.cycle.inputs_ensured.add(name)

    def _launch(self, name: str, members: tuple[Member, ...]) -> None:
        if name in self.jobs:
            return  # 409: ours, adopted
        at_work = {
            m.key
            for job in self.jobs.values()
            if not job.gone and job.phase == "Running"
            for m in job.members[len(job.containers) // 2 :]
        }
        assert not at_work & {m.key for m in members}, "a trial is worked on in two pods"
        self.jobs[name] = Job(name, members)
        self.launched += members

    def _check_stored(self, job: Job) -> None:
        """Nothing a pod said may be deleted before it is stored."""
        changed = self.plan is not None and self.plan.panel_digest != self.panel.digest
        if self.spec.get("cancel") or changed:
            return  # what is at work is stopped
        stored = {row.member for row in self.rows}
        assert all(member in stored for member in job.members), "deleted before stored"

    def _move(self) -> None:
        for job in self.jobs.values():
            if job.phase in ("Succeeded", "Failed") or job.gone:
                continue
            draw = self.rng.random
            if draw() < self.faults.job_lost:
                job.gone = True
            elif draw() < self.faults.pod_lost:
                job.phase, job.disruption = "Failed", "EvictionByEvictionAPI"
            elif job.phase == "Pending" and not job.containers:
                job.phase = "Running"
            elif job.phase == "Running":
                self._step(job)

    def _step(self, job: Job) -> None:
        position = len(job.containers)
        member = job.members[position // 2]
        agent = position % 2 == 0
        name = f"{'agent' if agent else 'grade'}-{position // 2}"
        doomed = member.instance in self.faults.always_oom
        if agent and (doomed or self.rng.random() < self.faults.oom):
            code = self.rng.choice((0, 137))
            job.containers.append(ended(name, "", reason="OOMKilled", exit_code=code))
            job.phase = "Failed" if code else "Pending"  # cgroup v1: stuck for ever
        elif agent:
            api = self.rng.random() < self.faults.api
            said = told(self.rng.choice(sorted(protocol.API_CLASSES)) if api else "completed")
            job.containers.append(ended(name, said))
        else:
            silent = self.rng.random() < self.faults.silent
            word = "" if silent else judged(self.rng.choice(("resolved", "unresolved")))
            job.containers.append(ended(name, word))
        if len(job.containers) == 2 * len(job.members) and job.phase == "Running":
            job.phase = "Succeeded"

    def _ended(self) -> bool:
        conditions = {each["type"]: each for each in self.status.get("conditions", [])}
        return conditions.get("Succeeded", {}).get("status", "Unknown") != "Unknown"
