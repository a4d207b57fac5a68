"""The promises, held against thousands of simulated runs with faults at every step."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import panel_of
from tests.simulation import Faults, Simulation

from benchwarden.results.row import KIND_VERDICT

seeds = st.integers(0, 2**32 - 1)
chances = st.sampled_from((0.0, 0.02, 0.1))


@settings(max_examples=150, deadline=None)
@given(
    seed=seeds,
    count=st.integers(1, 14),
    size=st.integers(1, 12),
    trials=st.integers(1, 3),
    crash=st.sampled_from((0.0, 0.1, 0.3)),
    pod_lost=chances,
    job_lost=chances,
    oom=chances,
    silent=chances,
    api=chances,
)
def test_every_trial_ends_with_one_verdict_or_as_missing_whatever_fails(
    seed, count, size, trials, **chance
):
    spec = {"execution": {"batchSize": size, "parallelism": 3, "trialsPerInstance": trials}}
    done = Simulation(panel_of(count), seed, Faults(**chance), **spec).run()
    verdicts = Counter(row.key for row in done.rows if row.kind == KIND_VERDICT)
    assert all(n == 1 for n in verdicts.values())
    counts = done.status["counts"]
    assert counts["planned"] == count * trials
    assert counts["valid"] + counts["missing"] == counts["planned"]
    assert counts["valid"] == len(verdicts)
    assert counts["resolved"] == sum(row.outcome == "resolved" for row in done.rows)
    assert len(done.launched) == len(set(done.launched)), "a launch was repeated"


@settings(max_examples=100, deadline=None)
@given(seed=seeds, position=st.integers(0, 11), crash=st.sampled_from((0.0, 0.2)))
def test_one_instance_that_always_runs_out_of_memory_costs_the_other_eleven_nothing(
    seed, position, crash
):
    panel = panel_of(12)
    victim = panel.instances[position].id
    faults = Faults(crash=crash, always_oom=frozenset({victim}))
    done = Simulation(panel, seed, faults, execution={"batchSize": 12}).run()
    by_instance = {row.instance: row for row in done.rows if row.kind == KIND_VERDICT}
    assert len(by_instance) == 12
    assert by_instance[victim].outcome == "agent_oom"
    charged = Counter(row.instance for row in done.rows if row.kind == "charge")
    assert set(charged) == {victim}


@settings(max_examples=60, deadline=None)
@given(seed=seeds, crash=st.sampled_from((0.0, 0.3)))
def test_a_run_without_faults_launches_every_trial_exactly_once(seed, crash):
    panel = panel_of(10)
    done = Simulation(panel, seed, Faults(crash=crash), execution={"batchSize": 4}).run()
    assert Counter(m.key for m in done.launched) == Counter(
        {key: 1 for group in done.plan.groups for key in group}
    )
