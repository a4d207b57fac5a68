"""What a schedule does at its slots, with its history and at the turns of its monitor."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.scheduling.bench import START, ScheduleBench, schedule_view, steady

from benchwarden import names
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.scheduling.launching import run_manifest
from benchwarden.scheduling.starting import run_name

NO_RERUNS = {"detection": {"rerun": {"factor": 1}}}


def broken_from(day: str):
    """Half of the instances lose most of what they could from this day on, in every series."""

    def outcome(series: str, today: str, position: int) -> float:
        return steady(series, today, position) * (0.3 if today >= day else 1.0)

    return outcome


def test_a_slot_is_started_once_and_named_by_its_minute() -> None:
    bench = ScheduleBench().days(3)
    assert [slot.hour for _, slot, _ in bench.created] == [3, 3, 3]
    assert bench.created[0][0] == f"daily-{int(START.timestamp()) // 60 + 180}"
    assert bench.status["lastScheduleTime"] == "2026-03-03T03:00:00Z"
    assert bench.status["nextScheduleTime"] == "2026-03-04T03:00:00Z"


def test_three_days_away_cost_three_days_and_one_slot_is_made_up_for() -> None:
    bench = ScheduleBench().days(2)
    bench.away(days=3).settle()
    assert [slot.day for _, slot, _ in bench.created] == [1, 2, 5]


def test_a_slot_beyond_the_starting_deadline_is_skipped_and_said_once() -> None:
    bench = ScheduleBench(startingDeadlineSeconds=600).days(1)
    bench.away(hours=30).settle()
    bench.settle()
    assert [slot.day for _, slot, _ in bench.created] == [1]
    assert bench.reasons().count(names.EVENT_SLOT_MISSED) == 1
    assert bench.status["lastMissedTime"] == "2026-03-03T03:00:00Z"
    bench.days(1)
    assert [slot.day for _, slot, _ in bench.created] == [1, 4]


def test_a_suspended_schedule_starts_nothing() -> None:
    bench = ScheduleBench(suspend=True).days(3)
    assert bench.created == []
    assert bench.condition("Scheduling")["reason"] == names.REASON_SUSPENDED
    assert "nextScheduleTime" not in bench.status


def test_forbid_waits_for_the_run_before_and_then_starts_the_newest_slot() -> None:
    bench = ScheduleBench(hours=60).days(2.2)
    assert len(bench.created) == 1
    assert bench.condition("Scheduling")["reason"] == names.REASON_PREVIOUS_RUN_ACTIVE
    assert bench.reasons().count(names.REASON_PREVIOUS_RUN_ACTIVE) == 1
    bench.days(1)
    assert [slot.day for _, slot, _ in bench.created] == [1, 3]


def test_allow_runs_beside_and_replace_cancels() -> None:
    beside = ScheduleBench(hours=60, concurrencyPolicy="Allow").days(3)
    assert len(beside.created) == 3
    assert len(beside.world().active) == 2
    instead = ScheduleBench(hours=60, concurrencyPolicy="Replace").days(3)
    assert len(instead.created) == 3
    assert [run.cancelled for run in instead.world().active] == [False]
    assert sum(run.cancelled for run in (live.fact for live in instead.runs.values())) == 1


def test_half_past_one_that_comes_twice_is_two_runs_of_one_day() -> None:
    bench = ScheduleBench(
        schedule="30 1 * * *", timeZone="America/New_York", hours=0.5, **NO_RERUNS
    )
    bench.now = datetime(2026, 10, 31, 12, tzinfo=UTC)
    bench.status = {"lastScheduleTime": "2026-10-31T12:00:00Z"}
    bench.days(1)
    assert len(bench.created) == 2
    assert {run.day for run in bench.history.runs} == {"2026-11-01"}
    analysis = bench.evaluation().analysis
    assert analysis is not None
    assert analysis.baseline.trials == 40


def test_history_limits_keep_the_newest_runs_and_all_cells() -> None:
    bench = ScheduleBench()
    bench.failing = {"2026-03-02", "2026-03-04"}
    bench.days(9)
    left = [live.fact for live in bench.runs.values()]
    assert sorted(run.slot.day for run in left if run.succeeded) == [7, 8, 9]
    assert [run.slot.day for run in left if not run.succeeded] == [4]
    assert len(bench.history.runs) == 9


def test_a_run_deleted_by_hand_loses_nothing_that_was_rolled_up_and_is_not_started_again() -> None:
    bench = ScheduleBench().days(5)
    before = bench.evaluation().document
    bench.runs.clear()
    bench.settle()
    assert bench.evaluation().document == before
    assert len(bench.created) == 5


def test_the_baseline_grows_then_freezes_with_a_digest() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(9.5)
    assert bench.status["baseline"]["progress"] == "10/14"
    assert bench.condition("BaselineReady")["reason"] == names.REASON_COLLECTING
    assert bench.condition("Degraded")["status"] == "Unknown"
    bench.days(6)
    assert bench.status["baseline"]["progress"] == "14/14"
    assert bench.status["baseline"]["digest"].startswith("sha256:")
    assert bench.condition("BaselineReady")["reason"] == names.REASON_FROZEN
    assert bench.reasons().count(names.EVENT_BASELINE_FROZEN) == 1


def test_a_frozen_baseline_stands_whatever_is_voided_or_asked_for_later() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(16)
    digest = bench.status["baseline"]["digest"]
    void = {"day": "2026-03-05", "author": "ann", "reason": "network down"}
    bench.spec |= {"voidDays": [void], "baseline": {"days": 21}}
    bench.settle()
    assert bench.status["baseline"]["digest"] == digest
    assert bench.status["ignoredVoidDays"] == ["2026-03-05"]


def test_a_day_voided_in_time_is_not_in_the_baseline_and_stays_out_of_it() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(5)
    bench.spec["voidDays"] = [{"day": "2026-03-03", "author": "ann", "reason": "outage"}]
    bench.days(12)
    baseline = bench.evaluation().baseline
    assert baseline is not None
    assert "2026-03-03" not in [day.isoformat() for day in baseline.days]
    bench.spec["voidDays"] = []
    bench.settle()
    assert bench.evaluation().baseline.digest == baseline.digest
    assert not bench.evaluation().changed
    assert names.EVENT_DAY_VOIDED in bench.reasons()


def test_a_voided_day_after_the_baseline_is_as_if_it_had_not_been_run() -> None:
    bench = ScheduleBench(outcome=broken_from("2026-03-17"), **NO_RERUNS).days(17)
    assert bench.status["windows"][0]["daysPresent"] == 1
    bench.spec["voidDays"] = [{"day": "2026-03-17", "author": "ann", "reason": "bad image"}]
    bench.settle()
    assert [window["daysPresent"] for window in bench.status["windows"]] == [2, 2]


def test_a_new_text_in_rebaseline_starts_a_new_series_and_an_old_one_does_not() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(16)
    bench.spec["baseline"] = {"rebaseline": "new disks"}
    bench.days(3)
    assert bench.status["baseline"]["series"] == 2
    assert bench.status["baseline"]["progress"] == "3/14"
    assert bench.reasons().count(names.EVENT_NEW_SERIES) == 1
    bench.spec["baseline"] = {}
    bench.days(1)
    bench.spec["baseline"] = {"rebaseline": "new disks"}
    bench.days(1)
    assert bench.status["baseline"]["series"] == 2


def test_a_change_of_what_is_measured_starts_a_new_series_and_is_compared_once() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(16)
    bench.identity = "b" * 64
    bench.days(16)
    assert bench.status["baseline"]["series"] == 2
    assert bench.status["comparison"]["series"] == 2
    assert "points" in bench.status["comparison"]["summary"]
    assert bench.reasons().count(names.EVENT_SERIES_COMPARED) == 1
    assert names.REASON_HISTORY_CHANGED not in bench.reasons()


def test_a_new_cli_version_is_no_new_series_and_annotates_the_page() -> None:
    bench = ScheduleBench(instances=50, outcome=broken_from("2026-03-20"), **NO_RERUNS)
    bench.version = lambda day: "2.1.330" if day >= "2026-03-20" else "2.1.329"
    bench.days(24)
    monitor = bench.status["monitor"]
    assert bench.status["baseline"]["series"] == 1
    assert monitor["state"] in ("degraded", "confirmed")
    assert monitor["changepoint"] == "2026-03-20"
    assert monitor["cliChange"] == "2.1.329 -> 2.1.330 on the same day"
    assert bench.condition("Degraded")["status"] == "True"
    assert "CLI 2.1.329 -> 2.1.330" in bench.condition("Degraded")["message"]
    assert names.REASON_SUSPECTED in bench.reasons()


def test_a_watching_monitor_looks_closer_until_the_month_is_spent() -> None:
    def sagging(series: str, today: str, position: int) -> float:
        return steady(series, today, position) - (0.06 if today >= "2026-03-15" else 0.0)

    bench = ScheduleBench(
        seed=5, instances=40, outcome=sagging, detection={"rerun": {"maxPerMonth": 2}}
    ).days(60)
    closer = [slot for _, slot, factor in bench.created if factor == 3]
    assert closer, "the monitor never watched: choose another seed"
    by_month = [sum(slot.month == month for slot in closer) for month in (3, 4)]
    assert max(by_month) <= 2
    assert any(event.message.endswith("the panel 3 times") for event in bench.events)


def test_a_closer_look_multiplies_trials_and_budget() -> None:
    view = schedule_view()
    template = {
        "spec": {
            "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
            "agent": {"oracle": {}},
            "execution": {"trialsPerInstance": 2, "parallelism": 4},
            "budget": {"maxUsd": "12.5"},
        }
    }
    view = schedule_view(template=template)
    manifest = run_manifest(view, "daily-1", START, names.SERIES_LATEST, 3)
    assert manifest["spec"]["execution"] == {"trialsPerInstance": 6, "parallelism": 4}
    assert manifest["spec"]["budget"] == {"maxUsd": "37.5"}
    assert manifest["metadata"]["annotations"][names.ANNOTATION_TRIALS_FACTOR] == "3"
    assert manifest["metadata"]["ownerReferences"][0]["uid"] == view.uid


def test_the_pinned_series_runs_beside_with_its_own_cli() -> None:
    bench = ScheduleBench(pinned={"version": "2.1.300"}, **NO_RERUNS).days(2)
    assert sorted(name.rsplit("-", 1)[-1] == "pinned" for name, _, _ in bench.created) == [
        False,
        False,
        True,
        True,
    ]
    view = schedule_view(pinned={"version": "2.1.300"})
    pinned = run_manifest(view, "x", START, names.SERIES_PINNED)
    assert pinned["spec"]["agent"]["claudeCode"]["version"] == "2.1.300"
    assert pinned["spec"]["agent"]["claudeCode"]["delivery"] == "registry"  # as `latest` implies
    latest = run_manifest(view, "x", START, names.SERIES_LATEST)
    assert latest["spec"]["agent"]["claudeCode"]["version"] == "latest"


@pytest.mark.parametrize(("both", "says"), [(True, "ModelOrService"), (False, "Cli")])
def test_the_pinned_series_tells_whose_fault_a_drop_is(both: bool, says: str) -> None:
    def outcome(series: str, today: str, position: int) -> float:
        hit = today >= "2026-03-20" and (both or series == names.SERIES_LATEST)
        return (0.98, 0.02)[position % 2] * (0.4 if hit else 1.0)

    bench = ScheduleBench(
        instances=200,
        outcome=outcome,
        pinned={"version": "2.1.300"},
        detection={"rerun": {"factor": 1}, "minimumEffect": "0.05"},
    ).days(27)
    assert bench.status["monitor"]["attribution"] == says


def test_an_acknowledged_alarm_names_who_and_stays_in_the_history() -> None:
    bench = ScheduleBench(instances=50, outcome=broken_from("2026-03-20"), **NO_RERUNS).days(24)
    day = bench.status["monitor"]["alarmDay"]
    bench.spec["acknowledge"] = [{"day": day, "author": "ann", "reason": "reported upstream"}]
    bench.settle()
    assert bench.status["monitor"]["acknowledgedBy"] == "ann: reported upstream"
    bench.spec["acknowledge"] = []
    bench.settle()
    assert bench.status["monitor"]["acknowledgedBy"] == "ann: reported upstream"


def test_an_incomplete_day_is_held_and_said() -> None:
    bench = ScheduleBench(**NO_RERUNS)
    bench.missing = {"2026-03-17": 5, "2026-03-18": 3}
    bench.days(17)
    assert bench.condition("DataQuality")["reason"] == names.REASON_DAY_HELD
    bench.days(1)
    assert bench.condition("DataQuality")["reason"] == names.REASON_INCOMPLETE
    bench.days(1)
    assert bench.condition("DataQuality")["reason"] == names.REASON_COMPLETE


def test_lost_days_of_a_frozen_baseline_are_noticed() -> None:
    bench = ScheduleBench(**NO_RERUNS).days(16)
    bench.entries = [e for e in bench.entries if getattr(e, "day", "") != "2026-03-04"]
    bench.settle()
    assert bench.condition("DataQuality")["reason"] == names.REASON_HISTORY_CHANGED


def test_a_pass_that_changes_nothing_writes_the_same_status() -> None:
    bench = ScheduleBench().days(5)
    before = bench.status
    bench.settle()
    assert bench.status == before


def test_names_of_runs_of_one_minute_differ_by_series() -> None:
    slot = START + timedelta(hours=3)
    assert run_name("d", slot, names.SERIES_PINNED) == f"{run_name('d', slot, 'latest')}-pinned"


def test_events_are_said_once_per_turn() -> None:
    bench = ScheduleBench(instances=50, outcome=broken_from("2026-03-20"), **NO_RERUNS).days(30)
    turns = [e for e in bench.events if isinstance(e, EmitEvent) and e.reason.startswith("Degrad")]
    assert [e.reason for e in turns] == [names.REASON_SUSPECTED, names.REASON_CONFIRMED]
    assert all(event.warning for event in turns)
