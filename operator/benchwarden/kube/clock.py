"""The cluster's time: what the API server's clock shows, learnt from the `Date` of its answers.

Objects carry times that the API server wrote. Compared with the clock of this machine, which may be hours
off, they would end pods that are well and start schedules at the wrong hour. So nothing here is decided by
this machine's wall clock; its monotonic clock only counts the time between two answers.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LOG = logging.getLogger(__name__)
_RESOLUTION_SECONDS = 1.0  # of a `Date`
_NOTABLE_SECONDS = 30.0


class ServerClock:
    """Shows the API server's time, to about a second and the duration of a request."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.monotonic = monotonic
        self._wall = wall
        # Until the server has said otherwise, this machine's clock is as good as any.
        self._base = wall() - monotonic()
        self._told = False

    def now(self) -> datetime:
        """The time at the API server."""
        return datetime.fromtimestamp(self._base + self.monotonic(), UTC)

    def heard(self, date: str | None, asked_at: float) -> None:
        """Learn from the `Date` of an answer.

        Args:
            date: the header; one that is missing or makes no sense is passed over.
            asked_at: when the request was sent, by `monotonic`: the server wrote the date after that.
        """
        moment = http_date(date)
        if moment is None:
            return
        lowest = moment.timestamp() - self.monotonic()
        highest = moment.timestamp() + _RESOLUTION_SECONDS - asked_at
        # Answers that agree with what is believed must not make time jump. What they refute gives way to the
        # earliest they allow: a clock that is behind makes things late, one that is ahead starts a slot early.
        if not lowest <= self._base <= highest:
            self._base = lowest
        self._tell()

    def skew_seconds(self) -> float:
        """How far this machine's clock is ahead of the API server's."""
        return self._wall() - self.monotonic() - self._base

    def _tell(self) -> None:
        skew = self.skew_seconds()
        notable = abs(skew) > _NOTABLE_SECONDS
        if notable and not self._told:
            side = "ahead of" if skew > 0 else "behind"
            text = "this machine's clock is %.0f s %s the API server's, which is followed instead"
            _LOG.warning(text, abs(skew), side)
        self._told = notable


def http_date(text: str | None) -> datetime | None:
    """Read an HTTP date as an aware time; None for anything else."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
