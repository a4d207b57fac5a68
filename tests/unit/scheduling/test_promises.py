"""The promises of a schedule, held against simulated months with crashes, absences and overlapping runs."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scheduling.bench import ScheduleBench, raw_schedule

from benchwarden import names
from benchwarden.api.parse import parse_schedule
from benchwarden.results.cells import history_lines, merged_cells, pack_cells, unpack_cells
from benchwarden.scheduling.evaluate import evaluate, policy_of
from benchwarden.scheduling.history import history_of
from benchwarden.stats.analysis import analyze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.history_file import parse_history

seeds = st.integers(0, 2**32 - 1)


def stored(bench: ScheduleBench) -> list:
    return list(bench.history.runs)


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds,
    crash=st.sampled_from((0.05, 0.3)),
    days=st.integers(8, 24),
    policy=st.sampled_from(("Allow", "Forbid", "Replace")),
)
def test_crashes_change_no_number(seed, crash, days, policy):
    spec = {"concurrencyPolicy": policy, "baseline": {"days": 7}}
    calm = ScheduleBench(seed, instances=8, hours=20, **spec).days(days)
    rough = ScheduleBench(seed, instances=8, hours=20, crash=crash, **spec).days(days)
    assert stored(rough) == stored(calm)
    assert rough.evaluation().document == calm.evaluation().document
    assert len(rough.created) == len({slot for _, slot, _ in rough.created})


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds,
    hours=st.floats(0.5, 60),
    crash=st.sampled_from((0.0, 0.2)),
    absences=st.lists(st.tuples(st.floats(0.1, 4), st.floats(0.2, 3)), max_size=3),
    keep=st.tuples(st.integers(0, 4), st.integers(0, 2)),
)
def test_a_slot_runs_once_runs_never_overlap_and_no_run_goes_before_its_cells_are_stored(
    seed, hours, crash, absences, keep
):
    bench = ScheduleBench(
        seed,
        instances=3,
        hours=hours,
        crash=crash,
        successfulRunsHistoryLimit=keep[0],
        failedRunsHistoryLimit=keep[1],
    )
    bench.failing = {"2026-03-02", "2026-03-05"}
    for present, gone in absences:
        bench.days(present)
        bench.away(days=gone)
    bench.days(2)
    slots = [slot for _, slot, _ in bench.created]
    assert slots == sorted(set(slots))
    for before, after in zip(bench.created, bench.created[1:], strict=False):
        # The bench itself asserts that what is deleted was stored; here: Forbid kept them apart.
        assert after[1] - before[1] >= timedelta(days=1)
    ended = {live.fact.uid for live in bench.runs.values() if live.fact.ended}
    assert ended <= {run.run_uid for run in bench.history.runs}
    left = [live.fact for live in bench.runs.values() if live.fact.ended]
    assert sum(run.succeeded for run in left) <= keep[0]
    assert sum(not run.succeeded for run in left) <= keep[1]


@settings(max_examples=15, deadline=None)
@given(seed=seeds, days=st.integers(1, 40), missing=st.integers(0, 3), void=st.booleans())
def test_the_numbers_are_those_of_analyze_over_the_exported_cells(seed, days, missing, void):
    spec = {"detection": {"meanDaysBetweenFalsePages": 180, "rerun": {"maxPerMonth": 3}}}
    bench = ScheduleBench(seed, instances=12, **spec)
    bench.missing = {f"2026-03-{day:02d}": missing for day in range(1, 32, 3)}
    if void:
        bench.spec["voidDays"] = [{"day": "2026-03-04", "author": "a", "reason": "r"}]
    bench.days(days)
    evaluation = bench.evaluation()
    assert evaluation.epoch is not None
    exported = parse_history(history_lines(merged_cells(evaluation.epoch.runs)))
    document = analysis_document(analyze(exported, evaluation.settings))
    document["monitor"]["days"] = document["monitor"]["days"][-1:]
    assert document == evaluation.document


@settings(max_examples=20, deadline=None)
@given(seed=seeds, data=st.data())
def test_the_order_in_which_entries_were_stored_changes_no_number(seed, data):
    bench = ScheduleBench(seed, instances=6, baseline={"days": 7}).days(12)
    shuffled = data.draw(st.permutations(bench.entries))
    policy = policy_of(parse_schedule(raw_schedule(**bench.spec)).spec)
    one, other = (
        evaluate(history_of(unpack_cells(pack_cells(entries))), policy, names.SERIES_LATEST)
        for entries in (bench.entries, shuffled)
    )
    assert one.document == other.document
    assert one.changed is other.changed is False


@settings(max_examples=10, deadline=None)
@given(seed=seeds, days=st.integers(0, 30))
def test_a_status_fits_the_schema_and_is_small(seed, days):
    import json

    bench = ScheduleBench(seed, instances=30, pinned={"version": "2.1.300"}).days(days + 0.5)
    raw = {**raw_schedule(**bench.spec), "status": bench.status}
    parse_schedule({**raw})
    from benchwarden.api.schedule_status import BenchmarkScheduleStatus

    BenchmarkScheduleStatus.model_validate(bench.status, extra="forbid")
    assert len(json.dumps(bench.status)) < names.STATUS_BYTES / 4
