"""The rules by which a run's world may go on, in any order, and what must be true after each of them."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.unit.model.cluster import COST_USD, DISRUPTIONS, Cluster

from benchwarden import names
from benchwarden.reconcile.world import Refusal
from benchwarden.suites.instance import Panel
from benchwarden_runner import protocol

AGENT = st.sampled_from(("completed", "completed", "dear", "oom", *sorted(protocol.API_CLASSES)))
GRADE = st.sampled_from(("resolved", "unresolved", "silent"))
MOST_PASSES = 600
UNREADABLE = Refusal(names.REASON_SUITE_UNAVAILABLE, "the ConfigMap is gone", retry=True)
CHANGED = Panel("tasks", (), "e" * 64)
IN_USD = st.integers(1, 12).map(lambda n: {"maxUsd": str(COST_USD * n)})
IN_TOKENS = st.integers(1, 12).map(lambda n: {"maxTokens": 700 * n})


class RunMachine(RuleBasedStateMachine):
    """One run, from its plan to its end and beyond."""

    cluster: Cluster
    budgets = st.one_of(st.none(), IN_USD, IN_TOKENS)

    def __init__(self) -> None:
        super().__init__()
        self.checked = 0
        self.kept_rows = 0
        self.allowed = 0
        self.end: tuple[Any, ...] | None = None

    @initialize(
        instances=st.integers(1, 6),
        size=st.integers(1, 4),
        parallelism=st.integers(1, 3),
        trials=st.integers(1, 2),
        retries=st.integers(0, 2),
        budget=st.runner().flatmap(lambda machine: machine.budgets),
    )
    def begin(self, instances, size, parallelism, trials, retries, budget) -> None:
        execution = {
            "batchSize": size,
            "parallelism": parallelism,
            "trialsPerInstance": trials,
            "infraRetriesPerTrial": retries,
        }
        spec = {"execution": execution} | ({"budget": budget} if budget else {})
        self.cluster = Cluster(instances, **spec)
        self.cluster.reconcile()

    # The operator.

    @rule()
    def looks_once(self) -> None:
        self.cluster.reconcile()

    @rule(writes=st.integers(0, 6))
    def dies_after_some_writes(self, writes) -> None:
        self.cluster.reconcile(writes)

    @rule()
    def dies_while_idle(self) -> None:
        self.cluster.die()

    @rule(found=st.sampled_from((UNREADABLE, UNREADABLE, CHANGED, None, None, None)))
    def starts_anew_and_reads_the_suite(self, found) -> None:
        if self.cluster.ended() or found is not CHANGED:  # else it ends there: see below
            self.cluster.live_with(found)

    @precondition(lambda self: self.checked > 3)
    @rule(really=st.integers(0, 7))
    def the_suite_changes_for_good(self, really) -> None:
        if not really:
            self.cluster.suite = CHANGED
            self.cluster.live_with(CHANGED)

    # What it sees of the cluster, and when.

    @rule(data=st.data())
    def sees_one_job(self, data) -> None:
        if self.cluster.jobs:
            self.cluster.look(data.draw(st.sampled_from(sorted(self.cluster.jobs))))

    @rule()
    def sees_everything(self) -> None:
        for name in list(self.cluster.jobs):
            self.cluster.look(name)

    @rule(seconds=st.sampled_from((0.2, 3.0, 31.0, 400.0, 4000.0)))
    def time_passes(self, seconds) -> None:
        self.cluster.pass_time(seconds)

    @rule(seconds=st.sampled_from((-3600.0, -40.0, 3600.0)))
    def the_clock_is_set(self, seconds) -> None:
        self.cluster.pass_time(seconds)

    # The cluster.

    @rule(data=st.data(), agent=AGENT, grade=GRADE)
    def a_pod_goes_on(self, data, agent, grade) -> None:
        if names := self.cluster.at_work():
            self.cluster.step_pod(data.draw(st.sampled_from(names)), agent, grade)

    @rule()
    def every_pod_goes_on_well(self) -> None:
        for name in self.cluster.at_work():
            self.cluster.step_pod(name, "completed", "resolved")

    @rule(data=st.data(), disruption=st.sampled_from(DISRUPTIONS))
    def a_pod_is_lost(self, data, disruption) -> None:
        if names := self.cluster.at_work():
            self.cluster.lose_pod(data.draw(st.sampled_from(names)), disruption)

    @rule(data=st.data())
    def a_job_is_deleted(self, data) -> None:
        if names := self.cluster.at_work():
            self.cluster.lose_job(data.draw(st.sampled_from(names)))

    # The user.

    @rule(suspend=st.booleans())
    def the_user_suspends_or_resumes(self, suspend) -> None:
        self.cluster.spec["suspend"] = suspend

    @precondition(lambda self: not self.cluster.spec.get("cancel") and self.checked > 3)
    @rule(really=st.integers(0, 7))
    def the_user_cancels(self, really) -> None:
        if not really:
            self.cluster.spec["cancel"] = True

    @precondition(lambda self: self.cluster.spec.get("retry", 0) < 2)
    @rule(really=st.integers(0, 3))
    def the_user_asks_for_a_retry(self, really) -> None:
        if not really and self.cluster.ended():
            self.cluster.spec["retry"] = self.cluster.spec.get("retry", 0) + 1

    # What must be true.

    @invariant()
    def every_trial_has_at_most_one_verdict(self) -> None:
        counted = self.cluster.stored_verdicts()
        assert all(count == 1 for count in counted.values()), "a second verdict"

    @invariant()
    def nothing_that_was_stored_is_lost(self) -> None:
        assert len(self.cluster.rows) >= self.kept_rows
        self.kept_rows = len(self.cluster.rows)

    @invariant()
    def no_launch_is_repeated(self) -> None:
        counted = Counter(self.cluster.launched) - self.cluster.untraced
        assert all(count == 1 for count in counted.values()), "launched twice"

    @invariant()
    def counts_never_fall(self) -> None:
        """But for verdicts that vanished, unstored, with the operator and their pods at one time."""
        told = self.cluster.told
        for before, after in zip(told[self.checked :], told[self.checked + 1 :], strict=False):
            fell = before["counts"]["valid"] - after["counts"]["valid"]
            assert fell <= self.cluster.forgotten - self.allowed, "verdicts were untold"
            self.allowed += max(fell, 0)
            assert after["counts"]["planned"] == before["counts"]["planned"]
            self.checked += 1

    @invariant()
    def the_budget_is_kept(self) -> None:
        budget = self.cluster.spec.get("budget") or {}
        told = self.cluster.told_cost()
        assert "maxUsd" not in budget or told <= COST_USD.__class__(budget["maxUsd"]), "overspent"

    @invariant()
    def the_end_stays_the_end(self) -> None:
        """Until the user asks for more."""
        if not self.cluster.ended():
            assert self.end is None or self.end[0] != self._round(), "the end was taken back"
            return
        found = (self._round(), *_outcome(self.cluster.status), len(self.cluster.launched))
        if self.end is not None and self.end[0] == found[0] and self._told_round() == found[0]:
            assert self.end == found, "the end changed"
        if self._told_round() == found[0]:
            self.end = found

    def _round(self) -> int:
        return self.cluster.spec.get("retry", 0)

    def _told_round(self) -> int:
        return self.cluster.status.get("retriesHandled", 0)

    def teardown(self) -> None:
        """Left in peace, every run comes to its end, in bounded time, and leaves nothing behind."""
        if not hasattr(self, "cluster"):
            return
        cluster = self.cluster
        cluster.spec["suspend"] = False
        if not isinstance(cluster.panel, Panel):
            cluster.live_with(None)
        for _ in range(MOST_PASSES):
            decision = cluster.reconcile()
            assert decision is not None
            if cluster.ended() and not cluster.jobs and self._told_round() == self._round():
                break
            self.every_trial_has_at_most_one_verdict()
            self.counts_never_fall()
            self.the_budget_is_kept()
            self.the_end_stays_the_end()
            self.every_pod_goes_on_well()
            self.sees_everything()
            cluster.pass_time(max(1.0, decision.requeue_after_seconds or 1.0))
        else:
            raise AssertionError(f"no end: {cluster.status.get('conditions')}")
        counts = cluster.status["counts"]
        assert counts["valid"] == len(cluster.stored_verdicts()), "told is not what is stored"
        if _outcome(cluster.status)[1] == "Completed":
            assert counts["valid"] + counts["missing"] == counts["planned"]


def _outcome(status: dict[str, Any]) -> tuple[str, str, str]:
    found = next(each for each in status["conditions"] if each["type"] == "Succeeded")
    return found["status"], found["reason"], found["lastTransitionTime"]
