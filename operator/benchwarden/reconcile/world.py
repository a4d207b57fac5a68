"""The world is all that a decision may depend on: the run, what it consists of, what is seen and known, and now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Plan
from benchwarden.reconcile.ending import Ending
from benchwarden.reconcile.observed import Observed, ObservedBatch
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden.suites.instance import Panel
from benchwarden_runner.specs import CliRelease


@dataclass(frozen=True, slots=True)
class RunView:
    """A BenchmarkRun as read: identity, parsed spec and the status written last."""

    name: str
    namespace: str
    uid: str
    generation: int
    created_at: datetime
    spec: BenchmarkRunSpec
    status: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run cannot be accepted; `retry` when trying again later may help."""

    reason: str
    message: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Unreleased:
    """Why the agent's CLI could not be pinned; `round` is the `spec.retry` that it was asked for in."""

    reason: str
    message: str
    round: int = 0


@dataclass(frozen=True, slots=True)
class BaseResults:
    """What `compareTo` names: passes and trials per instance, or why it cannot be had.

    Attributes:
        retry: asking again later may help.
    """

    cells: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    problem: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with what follows from it.

    Attributes:
        ending: how it ended, or None.
        spent: the fate of every member is recorded.
        over: nothing more can come from it: it ended, or its pod finished.
    """

    batch: ObservedBatch
    ending: Ending | None
    spent: bool
    over: bool


@dataclass(frozen=True, slots=True)
class World:
    """The whole truth of one pass.

    Attributes:
        panel: the instances, or why there are none, or None while they are being loaded.
        plan: the frozen plan once stored.
        tally: all rows, the captured but unstored ones included.
        unstored: rows that are not durable yet.
        last_stored_at: when rows were last made durable.
        inputs_ensured: Jobs whose input ConfigMaps this process has seen to.
        base: results to compare with, if the spec asks and the run is at its end.
        release: the agent's CLI where a registry gives it, or why it cannot be had, or None while it is
            not known; without a meaning where an image brings the CLI.
        durations_seconds: how long instances took in earlier runs, as far as that is known.
    """

    run: RunView
    panel: Panel | Refusal | None
    plan: Plan | None
    observed: Observed
    batches: tuple[BatchView, ...]
    tally: Tally
    unstored: tuple[Row, ...]
    last_stored_at: datetime | None
    inputs_ensured: frozenset[str]
    base: BaseResults | None
    now: datetime
    release: CliRelease | Unreleased | None = None
    durations_seconds: Mapping[str, float] = field(default_factory=dict)
