"""Slots follow the wall clock as a Kubernetes CronJob does, whatever the clocks are changed by."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchwarden.errors import InvalidInputError
from benchwarden.scheduling.slots import timetable


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_half_past_one_comes_twice_in_autumn_and_both_are_slots_of_that_date() -> None:
    table = timetable("30 1 * * *", "America/New_York")
    found = table.between(utc(2026, 10, 31, 12), utc(2026, 11, 2, 12))
    assert found == [utc(2026, 11, 1, 5, 30), utc(2026, 11, 1, 6, 30), utc(2026, 11, 2, 6, 30)]
    assert [table.day_of(slot).day for slot in found] == [1, 1, 2]


def test_half_past_two_never_comes_in_spring_and_is_no_slot_that_day() -> None:
    table = timetable("30 2 * * *", "America/New_York")
    found = table.between(utc(2026, 3, 7), utc(2026, 3, 10))
    assert found == [utc(2026, 3, 7, 7, 30), utc(2026, 3, 9, 6, 30)]


def test_the_hours_of_a_change_come_in_the_order_of_time() -> None:
    table = timetable("*/30 1,2 * * *", "America/New_York")
    found = table.between(utc(2026, 11, 1), utc(2026, 11, 2))
    minutes = [int((slot - utc(2026, 11, 1, 5)).total_seconds() // 60) for slot in found]
    assert minutes == [0, 30, 60, 90, 120, 150]


def test_a_zone_that_lost_a_whole_day_has_no_slot_on_it() -> None:
    table = timetable("0 12 * * *", "Pacific/Apia")
    days = [table.day_of(slot) for slot in table.between(utc(2011, 12, 28), utc(2012, 1, 2))]
    assert date(2011, 12, 30) not in days
    assert {date(2011, 12, 29), date(2011, 12, 31)} <= set(days)


def test_a_leap_day_comes_every_four_years() -> None:
    table = timetable("0 0 29 2 *", "Etc/UTC")
    assert table.next_after(utc(2026, 1, 1)) == utc(2028, 2, 29)
    assert table.latest(utc(2020, 1, 1), utc(2026, 1, 1)) == utc(2024, 2, 29)


def test_the_newest_slot_after_three_days_away_is_the_last_one_only() -> None:
    table = timetable("0 3 * * *", "Europe/Berlin")
    assert table.latest(utc(2026, 3, 1, 3), utc(2026, 3, 4, 12)) == utc(2026, 3, 4, 2)


def test_a_slot_is_later_than_after_and_may_be_until() -> None:
    table = timetable("@daily", "Etc/UTC")
    assert table.between(utc(2026, 3, 1), utc(2026, 3, 2)) == [utc(2026, 3, 2)]
    assert table.latest(utc(2026, 3, 1), utc(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "field"),
    [
        ("61 * * * *", "Etc/UTC", "spec.schedule"),
        ("0 0 30 2 *", "Etc/UTC", "spec.schedule"),
        ("* * * * * *", "Etc/UTC", "spec.schedule"),
        ("0 3 * *", "Etc/UTC", "spec.schedule"),
        ("@reboot", "Etc/UTC", "spec.schedule"),
        ("@daily", "Mars/Base", "spec.timeZone"),
        ("@daily", "../etc/passwd", "spec.timeZone"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_field(
    schedule: str, zone: str, field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        timetable(schedule, zone)
    assert refused.value.field == field


zones = st.sampled_from(
    ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Etc/UTC")
)


@settings(max_examples=60, deadline=None)
@given(
    zone=zones,
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    minutes=st.integers(0, 4 * 365 * 24 * 60),
    days=st.integers(1, 40),
)
def test_a_daily_slot_comes_once_a_day_but_on_the_days_of_a_change(
    zone: str, minute: int, hour: int, minutes: int, days: int
) -> None:
    table = timetable(f"{minute} {hour} * * *", zone)
    first = utc(2024, 1, 1) + timedelta(minutes=minutes)
    slots = table.between(first, first + timedelta(days=days))
    for slot in slots:
        wall = slot.astimezone(ZoneInfo(zone))
        assert (wall.hour, wall.minute) == (hour, minute)
    counted = [table.day_of(slot) for slot in slots]
    assert all(counted.count(day) <= 2 for day in counted)
    assert days - 1 <= len(slots) <= days + 2
    walked, moment = [], first
    while (after := table.next_after(moment)) is not None and after <= first + timedelta(days=days):
        walked.append(after)
        moment = after
    assert walked == slots, "stepping gives the same slots as listing"
