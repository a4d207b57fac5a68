"""Builders that read as sentences; every test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchwarden import names
from benchwarden.api.parse import parse_run
from benchwarden.planning.plan import Member
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.cycle import Cycle
from benchwarden.reconcile.decision import Decision, LaunchBatch, StorePlan
from benchwarden.reconcile.observed import (
    Observed,
    ObservedBatch,
    ObservedContainer,
    ObservedPod,
)
from benchwarden.reconcile.world import RunView
from benchwarden.suites.instance import Instance, Panel, ResultParser
from benchwarden_runner import protocol

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
UID = "0b0c8f0e-0000-4000-8000-000000000001"

CLAUDE = {
    "claudeCode": {
        "version": "2.1.330",
        "model": "claude-sonnet-5-5",
        "credentials": {"apiKey": {"name": "anthropic", "key": "api-key"}},
    }
}


def instance(id: str, **changes: Any) -> Instance:
    fields: dict[str, Any] = {
        "image": "example.test/suite:1",
        "workdir": "/repo",
        "base_commit": "",
        "prompt": f"mend {id}",
        "test_command": "sh test.sh",
        "parser": ResultParser(protocol.PARSER_EXIT_CODE),
        "fail_to_pass": ("t",),
    }
    return Instance(id=id, **{**fields, **changes})


def panel_of(count: int, prefix: str = "i") -> Panel:
    width = len(str(count - 1))
    return Panel("tasks", tuple(instance(f"{prefix}{n:0{width}d}") for n in range(count)), "d" * 64)


def raw_run(agent: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {
            "name": "daily",
            "namespace": "bench",
            "uid": UID,
            "generation": 1,
            "creationTimestamp": "2026-03-01T11:59:00Z",
        },
        "spec": {
            "suite": {"tasks": {"source": {"configMap": {"name": "mini-suite"}}}},
            "agent": agent or {"oracle": {}},
            **spec,
        },
    }


def run_view(status: dict[str, Any] | None = None, generation: int = 1, **spec: Any) -> RunView:
    run = parse_run(raw_run(**spec))
    return RunView(
        "daily", "bench", UID, generation, NOW - timedelta(minutes=1), run.spec, status or {}
    )


def told(outcome: str, **fields: Any) -> str:
    """An agent's termination message."""
    return protocol.encode(protocol.Telemetry(outcome, **fields), 4096).decode()


def judged(outcome: str, **fields: Any) -> str:
    """A grader's termination message."""
    return protocol.encode(protocol.Verdict(outcome, **fields), 4096).decode()


def ended(name: str, message: str = "", **changes: Any) -> ObservedContainer:
    return replace(
        ObservedContainer(
            name,
            seen.TERMINATED,
            "Completed",
            message,
            started_at=NOW,
            finished_at=NOW,
            image_id="sha256:aa",
        ),
        **changes,
    )


def running(name: str) -> ObservedContainer:
    return ObservedContainer(name, seen.RUNNING, started_at=NOW, image_id="sha256:aa")


def waiting(name: str, reason: str = "PodInitializing") -> ObservedContainer:
    return ObservedContainer(name, seen.WAITING, reason)


def pod(*containers: ObservedContainer, **changes: Any) -> ObservedPod:
    fields: dict[str, Any] = {"phase": "Running", "created_at": NOW, "containers": containers}
    return ObservedPod(uid="pod-1", name="pod-1", **{**fields, **changes})


def batch_of(
    launch: LaunchBatch, its_pod: ObservedPod | None = None, **changes: Any
) -> ObservedBatch:
    return replace(
        ObservedBatch(
            launch.name,
            names.ROLE_BATCH,
            uid=f"uid-{launch.name}",
            members=launch.batch.members,
            created_at=NOW,
            started=its_pod is not None,
            pod=its_pod,
        ),
        **changes,
    )


def pair(position: int, agent: str, grade: str) -> tuple[ObservedContainer, ObservedContainer]:
    return (
        ended(f"{names.AGENT_PREFIX}{position}", agent),
        ended(f"{names.GRADE_PREFIX}{position}", grade),
    )


def finished_pod(members: tuple[Member, ...], outcome: str = protocol.RESOLVED) -> ObservedPod:
    """A pod in which every member came to `outcome` in the grader's word."""
    containers = [ended(names.CONTAINER_INJECT)]
    for position in range(len(members)):
        containers += pair(position, told(protocol.COMPLETED), judged(outcome))
    return pod(*containers, ended(names.CONTAINER_FINISH), phase="Succeeded")


def kinds(decision: Decision) -> list[type]:
    """What a decision does, in order."""
    return [type(action) for action in decision.actions]


class Bench:
    """A run, its cycle and a clock: `step` makes passes as the controller would."""

    def __init__(self, panel: Panel, **spec: Any) -> None:
        self.panel = panel
        self.spec = spec
        self.generation = 1
        self.cycle = Cycle()
        self.plan = None
        self.now = NOW
        self.status: dict[str, Any] = {}
        self.batches: dict[str, ObservedBatch] = {}

    def step(self, **spec: Any) -> Decision:
        if {**self.spec, **spec} != self.spec:
            self.spec |= spec
            self.generation += 1
        view = run_view(self.status, self.generation, **self.spec)
        observed = Observed(tuple(self.batches.values()))
        decision = self.cycle.step(view, self.panel, self.plan, observed, None, self.now)
        if decision.status is not None:
            self.status = decision.status
        return decision

    def planned(self) -> "Bench":
        for action in self.step().actions:
            if isinstance(action, StorePlan):
                self.plan = action.plan
        return self

    def launch(self, **spec: Any) -> list[LaunchBatch]:
        """Step, and let the launched batches appear without a pod."""
        launches = [a for a in self.step(**spec).actions if isinstance(a, LaunchBatch)]
        for each in launches:
            self.batches[each.name] = batch_of(each)
        return launches

    def show(self, launch: LaunchBatch, its_pod: ObservedPod | None, **changes: Any) -> None:
        self.batches[launch.name] = batch_of(launch, its_pod, **changes)

    def after(self, **delta: float) -> "Bench":
        self.now += timedelta(**delta)
        return self

    def condition(self, kind: str) -> dict[str, Any]:
        return next(each for each in self.status["conditions"] if each["type"] == kind)
