"""Slots: the moments a cron expression names in a time zone, with the rules of a Kubernetes CronJob.

A wall-clock time that a change of clocks skips (02:30 in spring) is no slot that day; one that comes twice
(01:30 in autumn) is two slots. Both belong to the date that the wall shows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from benchwarden import names
from benchwarden.errors import InvalidInputError

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: Final = 5
_CHANGE: Final = timedelta(hours=25)  # no clock was ever changed by more
_FIRST_SPAN: Final = timedelta(days=1)
_LONGEST_SPAN: Final = timedelta(days=366 * 50)


@dataclass(frozen=True, slots=True)
class Timetable:
    """A checked cron expression in a time zone."""

    expression: str
    zone: ZoneInfo

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """The slots later than `after` and not later than `until`, ascending, in UTC."""
        found: set[datetime] = set()
        latest = _wall(until, self.zone) + _slack(until, self.zone)
        for wall in _walls(self.expression, _wall(after, self.zone) - _slack(after, self.zone)):
            if wall > latest:
                break
            found.update(each for each in _instants(wall, self.zone) if after < each <= until)
        return sorted(found)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`, or None if there never is one."""
        span = _FIRST_SPAN
        while span <= _LONGEST_SPAN:
            found = self.between(moment, moment + span)
            if found:
                return found[0]
            span *= 8
        return None

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last slot later than `after` and not later than `until`, or None."""
        span = _FIRST_SPAN
        while True:
            start = max(after, until - span)
            found = self.between(start, until) if start < until else []
            if found:
                return found[-1]
            if start <= after:
                return None
            span *= 8

    def day_of(self, slot: datetime) -> date:
        """The date that the wall shows at a slot."""
        return slot.astimezone(self.zone).date()


def timetable(schedule: str, time_zone: str) -> Timetable:
    """Check a cron expression and a time zone.

    Raises:
        InvalidInputError: reason `InvalidSpec`; names the field.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _invalid(f"there is no time zone {time_zone!r}", "spec.timeZone") from None
    expression = MACROS.get(schedule, schedule.replace("?", "*"))
    if len(expression.split()) != _FIELDS:
        raise _invalid(f"{schedule!r} must have five fields", "spec.schedule")
    try:
        found = Timetable(_plain(expression), zone)
        some = found.next_after(datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise _invalid(f"{schedule!r}: {error}", "spec.schedule") from None
    if some is None:
        raise _invalid(f"{schedule!r} names a moment that never comes", "spec.schedule")
    return found


def _plain(expression: str) -> str:
    """The expression with one space between fields."""
    return re.sub(r"\s+", " ", expression.strip())


def _walls(expression: str, start: datetime) -> Iterator[datetime]:
    # Without a zone the expression is only about what a clock on the wall shows; the rest is up to us.
    yield from CronSim(expression, start)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _slack(moment: datetime, zone: ZoneInfo) -> timedelta:
    """How far walls and moments may be out of step around a moment: not at all if no clock changes."""
    before, after = (moment - _CHANGE).astimezone(zone), (moment + _CHANGE).astimezone(zone)
    # The iteration starts after its start, so one minute keeps a wall time equal to it.
    return timedelta(minutes=1) if before.utcoffset() == after.utcoffset() else _CHANGE


def _instants(wall: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments at which the wall shows this time: none, one or two."""
    for fold in (0, 1):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            yield instant


def _invalid(message: str, field: str) -> InvalidInputError:
    return InvalidInputError(message, reason=names.REASON_INVALID_SPEC, field=field)
