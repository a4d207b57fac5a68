"""A run's decisions against arbitrary orders of events, faults and deaths; each promise is seen to be able to fail."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.unit.model.machine import IN_TOKENS, RunMachine

from benchwarden.reconcile import cycle, decide, money, work
from benchwarden.results import tally

QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
SWEEP = settings(
    max_examples=120,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=QUIET,
)
# The same sequences each time: whether a planted bug is found must not depend on luck.
HUNT = settings(
    SWEEP,
    max_examples=400,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
)


def test_a_run_keeps_its_promises_whatever_happens_in_whatever_order():
    run_state_machine_as_test(RunMachine, settings=SWEEP)


def found(words: str, machine: type[RunMachine] = RunMachine) -> None:
    """The machine finds what was planted, and names the promise."""
    with pytest.raises(AssertionError) as raised:
        run_state_machine_as_test(machine, settings=HUNT)
    assert re.search(words, str(raised.value)), str(raised.value)


def test_a_second_verdict_would_be_found(monkeypatch):
    class Forgetful(tally.Tally):
        def knows(self, member):
            return False

        def add(self, row):
            self._seen.clear()
            if (state := self.trials.get(row.key)) is not None:
                state.verdict = None
            return super().add(row)

    monkeypatch.setattr(cycle, "Tally", Forgetful)
    found("a second verdict")


def test_counts_that_fall_would_be_found(monkeypatch):
    def forget(self, rows, now):
        kept = list(rows)
        self.tally = tally.Tally(kept[: len(kept) // 2])
        self.unstored = []
        self.last_stored_at = now

    monkeypatch.setattr(cycle.Cycle, "load", forget)
    found("verdicts were untold|launched twice|a second verdict|told is not what is stored")


def test_a_budget_that_forgets_what_runs_would_be_found(monkeypatch):
    admits = money.Purse.admits
    monkeypatch.setattr(money.Purse, "admits", lambda self, batch, running: admits(self, batch, 0))
    found("more is risked than there is")


class Counting(RunMachine):
    """Every run has a budget of tokens."""

    budgets = IN_TOKENS


def test_tokens_spent_beyond_the_budget_would_be_found(monkeypatch):
    admits = money.Purse.admits

    def careless(self, batch, running):
        return admits(replace(self, tokens_left=None), batch, running)

    monkeypatch.setattr(money.Purse, "admits", careless)
    found("nothing is left to spend", Counting)


def test_an_end_that_is_taken_back_would_be_found(monkeypatch):
    def open_again(world, work):
        ahead = decide_outlook(world, work)
        return replace(ahead, open=True) if ahead.ended else ahead

    decide_outlook = decide.outlook
    monkeypatch.setattr(decide, "outlook", open_again)
    found("the end changed|more is risked|nothing is left")


def test_an_end_that_is_told_otherwise_later_would_be_found(monkeypatch):
    build = decide.status_of.build

    def wavering(world, decided, progress):
        status = build(world, decided, progress)
        if world.run.status.get("finishedAt") and not world.batches:
            for each in status["conditions"]:
                each["reason"] = "Rethought"
        return status

    monkeypatch.setattr(decide.status_of, "build", wavering)
    found("the end changed")


def test_a_run_that_never_gives_up_would_be_found(monkeypatch):
    """A trial that is charged each time and is never counted as missing."""
    monkeypatch.setattr(
        work, "_not_before", lambda state: work.datetime.max.replace(tzinfo=work.UTC)
    )
    monkeypatch.setattr(work, "LONGEST_DELAY_SECONDS", 1e12)
    found("no end")


def test_a_run_that_nobody_looks_at_again_would_be_found(monkeypatch):
    monkeypatch.setattr(decide, "_requeue", lambda *_, **__: None)
    found("nobody will look at it again")


def test_a_hot_loop_would_be_found(monkeypatch):
    monkeypatch.setattr(decide, "_requeue", lambda *_, **__: 0.0)
    found("again and again and does nothing")


def test_a_pod_deleted_before_its_word_is_stored_would_be_found(monkeypatch):
    monkeypatch.setattr(decide, "_flush_due", lambda *_, **__: False)
    found("deleted before stored|no end|told is not what is stored")
