"""A scrape makes the samples of runs that changed, and only those."""

from dataclasses import replace

from tests.builders import NOW, UID, Bench, panel_of, raw_run

from benchwarden.controller.preparing import view_of
from benchwarden.controller.record import Record
from benchwarden.controller.samples import snapshot
from benchwarden.kube.session import ClientStats
from benchwarden.manifests.settings import RunIdentity
from benchwarden.results.row import KIND_VERDICT, Row
from benchwarden.telemetry.instruments import Instruments
from benchwarden.telemetry.snapshot import RunSample


def a_record() -> Record:
    raw = raw_run()
    record = Record(RunIdentity("daily", "bench", UID), raw, {})
    record.view, record.loaded = view_of(raw, {}), True
    record.plan = Bench(panel_of(2)).planned().plan
    return record


def verdict(instance: str) -> Row:
    return Row(instance, 0, 1, KIND_VERDICT, "resolved", "b", "2026-03-01T12:00:00Z")


def sample(record: Record) -> RunSample:
    (found,) = snapshot([record], Instruments(), ClientStats({}, 0, 0.0)).runs
    return found


def test_what_did_not_change_is_not_made_again():
    record = a_record()
    record.cycle.load([verdict("i0")], NOW)
    assert sample(record) is sample(record)


def test_a_verdict_shows_in_the_next_scrape():
    record = a_record()
    assert sample(record).groups["pass"] == 0
    record.cycle.tally.add(verdict("i0"))
    assert sample(record).groups["pass"] == 1


def test_a_new_status_and_a_changed_spec_show_in_the_next_scrape():
    record = a_record()
    assert sample(record).finished_at is None
    record.status = {"finishedAt": "2026-03-01T12:00:00Z"}
    assert sample(record).finished_at == NOW
    record.view = view_of(raw_run(suspend=True), {})
    assert sample(record).suspended


def test_a_second_verdict_of_a_trial_is_shown_as_a_conflict():
    record = a_record()
    record.cycle.load([verdict("i0")], NOW)
    record.cycle.tally.add(replace(verdict("i0"), launch=2))
    assert sample(record).conflicts == 1
