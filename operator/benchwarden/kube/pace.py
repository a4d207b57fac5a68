"""How fast and how often to ask: a token bucket, jittered backoff and the server's own Retry-After."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from benchwarden.kube.clock import http_date

MAX_RETRY_AFTER_SECONDS = 300.0


class TokenBucket:
    """Lets `per_second` requests pass on average and `burst` at once; first come, first served.

    Waiting costs no lock: each caller takes its token at once, possibly from the future, and sleeps
    until that token is due.
    """

    def __init__(
        self,
        per_second: float,
        burst: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a token bucket needs a positive rate and a burst of at least 1")
        self._interval = 1.0 / per_second
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        # Virtual time at which the bucket would be full again; lags `now` by at most the burst.
        self._full_at = clock()
        self.waited_seconds = 0.0

    async def take(self) -> None:
        """Wait until one request may be sent."""
        now = self._clock()
        self._full_at = max(self._full_at, now) + self._interval
        wait = self._full_at - now - self._burst * self._interval
        if wait > 1e-6:  # less is only the noise of adding floats
            self.waited_seconds += wait
            await self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let nobody pass for `seconds`: the server asked for it."""
        self._full_at = max(
            self._full_at, self._clock() + seconds + (self._burst - 1) * self._interval
        )


@dataclass(slots=True)
class Backoff:
    """Exponential delays with full upper-half jitter, from `first_seconds` to `most_seconds`."""

    first_seconds: float = 0.25
    most_seconds: float = 8.0
    rng: random.Random | random.SystemRandom = random.SystemRandom()  # noqa: RUF009  # stateless
    failures: int = 0

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling: float = min(self.most_seconds, self.first_seconds * 2 ** min(self.failures, 30))
        self.failures += 1
        return ceiling * self.rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Forget the failures: something worked."""
        self.failures = 0


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds a `Retry-After` header asks for (a number or an HTTP date); None if there is none."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    moment = http_date(text)
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
