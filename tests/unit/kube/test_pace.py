import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.waiting import SteppedTime

from benchwarden.kube.pace import Backoff, TokenBucket, retry_after_seconds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def bucket(time: SteppedTime, per_second: float = 10, burst: int = 3) -> TokenBucket:
    return TokenBucket(per_second, burst, clock=time.clock, sleep=time.sleep)


async def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    time = SteppedTime()
    paced = bucket(time)
    for _ in range(3):
        await paced.take()
    assert time.now == 1000
    for _ in range(5):
        await paced.take()
    assert time.now == pytest.approx(1000.5)


async def test_rest_refills_no_more_than_the_burst() -> None:
    time = SteppedTime()
    paced = bucket(time)
    time.now += 3600
    for _ in range(4):
        await paced.take()
    assert time.slept == [pytest.approx(0.1)]


async def test_a_pause_holds_everybody_and_is_not_added_up() -> None:
    time = SteppedTime()
    paced = bucket(time)
    paced.pause(5)
    paced.pause(2)
    await paced.take()
    assert time.now == pytest.approx(1005)
    await paced.take()
    assert time.now == pytest.approx(1005.1)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_pass_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="token bucket"):
        TokenBucket(per_second, burst)


@given(seed=st.integers(), failures=st.integers(0, 100))
def test_backoff_grows_to_its_bound_and_never_to_nothing(seed: int, failures: int) -> None:
    backoff = Backoff(0.5, 30.0, random.Random(seed), failures)
    ceiling = min(30.0, 0.5 * 2 ** min(failures, 30))
    assert ceiling / 2 <= backoff.next() <= ceiling
    backoff.reset()
    assert backoff.next() <= 0.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 12 ", 12.0),
        ("100000", 300.0),
        ("Sun, 01 Mar 2026 12:00:09 GMT", 9.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:00:09 -0000", 9.0),
        ("soon", None),
        ("-3", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds
