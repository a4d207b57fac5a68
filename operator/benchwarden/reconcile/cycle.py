"""A cycle joins observation and knowledge into the world of one pass; cluster and local executor both use it.

It holds what one process knows of one run between passes: rows (stored and not yet stored). All of it can be
lost at any moment: stored rows are read again, captured ones are captured again. `lost` counts launches whose
pod was gone before anybody had read it; a Job that vanished with its pod leaves no trace to count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Plan
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.capture import STOPPED_REASONS, capture
from benchwarden.reconcile.decide import decide
from benchwarden.reconcile.decision import Decision
from benchwarden.reconcile.ending import Ending, of_batch
from benchwarden.reconcile.judging import judge
from benchwarden.reconcile.observed import Observed, ObservedBatch
from benchwarden.reconcile.work import RetryPolicy
from benchwarden.reconcile.world import (
    BaseResults,
    BatchView,
    Refusal,
    RunView,
    Unreleased,
    World,
)
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden.suites.instance import Panel
from benchwarden_runner import protocol
from benchwarden_runner.specs import CliRelease


@dataclass(slots=True)
class Cycle:
    """What one process knows of one run; `durations` are seconds by instance, as known when it is planned."""

    tally: Tally = field(default_factory=Tally)
    unstored: list[Row] = field(default_factory=list)
    last_stored_at: datetime | None = None
    inputs_ensured: set[str] = field(default_factory=set)
    lost: int = 0
    release: CliRelease | Unreleased | None = None
    durations: Mapping[str, float] = field(default_factory=dict)

    def load(self, rows: Iterable[Row], now: datetime) -> None:
        """Start from the durable rows, as after a restart."""
        self.tally = Tally(rows)
        self.unstored = []
        self.last_stored_at = now

    def stored(self, rows: Iterable[Row], now: datetime) -> None:
        """Note that these rows are durable now."""
        done = {(row.member, row.kind) for row in rows}
        self.unstored = [row for row in self.unstored if (row.member, row.kind) not in done]
        self.last_stored_at = now

    def step(
        self,
        run: RunView,
        panel: Panel | Refusal | None,
        plan: Plan | None,
        observed: Observed,
        base: BaseResults | None,
        now: datetime,
    ) -> Decision:
        """Capture what can be said now, then decide."""
        stopped = self._is_cut_short(run.spec, plan)
        views = tuple(self._view(batch, run.spec, stopped, now) for batch in observed.batches)
        if plan is not None:
            self._record(judge(plan, self.tally, views, run.spec, now))
        world = World(
            run=run,
            panel=panel,
            plan=plan,
            observed=observed,
            batches=views,
            tally=self.tally,
            unstored=tuple(self.unstored),
            last_stored_at=self.last_stored_at,
            inputs_ensured=frozenset(self.inputs_ensured),
            base=base,
            now=now,
            release=self.release,
            durations_seconds=self.durations,
        )
        return decide(world)

    def _record(self, rows: Iterable[Row]) -> None:
        self.unstored += [row for row in rows if self.tally.add(row)]

    def _is_cut_short(self, spec: BenchmarkRunSpec, plan: Plan | None) -> bool:
        """Whether what is alive is being deleted: the run was cancelled, or the agent can never work."""
        if spec.cancel:
            return True
        return plan is not None and RetryPolicy.of(spec).fatal(plan, self.tally) is not None

    def _view(
        self,
        batch: ObservedBatch,
        spec: BenchmarkRunSpec,
        stopped: bool,  # noqa: FBT001  # private, and read beside its name
        now: datetime,
    ) -> BatchView:
        ending = of_batch(batch, spec.execution.pending_timeout_seconds, now)
        if stopped and ending is not None and ending.outcome == protocol.DRAINED:
            ending = replace(ending, reason=names.REASON_CANCELLED)  # by ourselves
        if batch.role != names.ROLE_BATCH:
            return BatchView(
                batch, ending, spent=False, over=_finished(batch) or ending is not None
            )
        captured = capture(batch, ending, self.tally, now)
        self._record(captured)
        if _vanished(batch, ending):
            self.lost += len(captured)
        spent = all(self.tally.knows(member) for member in batch.members)
        over = batch.gone or ending is not None or (spent and _finished(batch))
        return BatchView(batch, ending, spent=spent, over=over)


def _vanished(batch: ObservedBatch, ending: Ending | None) -> bool:
    """Whether the batch had a pod that is gone and was never read; not if we stopped it ourselves."""
    if ending is None or ending.reason in STOPPED_REASONS:
        return False
    return batch.started and batch.pod is None


def _finished(batch: ObservedBatch) -> bool:
    """Whether nothing runs any more: the pod is at its end, or the Job says it finished."""
    pod = batch.pod
    if pod is None:
        return bool(batch.finished)
    if pod.phase in ("Succeeded", "Failed"):
        return True
    return bool(pod.containers) and all(each.state == seen.TERMINATED for each in pod.containers)
