"""The API server's clock reaches decisions through its answers, streams and refusals included."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.contract.fake_api import FakeApi, Fault
from tests.contract.test_client import PATH, SteppedTime, client

from benchwarden.kube.errors import ApiError

OFF = timedelta(hours=3)


def dated(moment: datetime, **fault) -> Fault:
    date = format_datetime(moment, usegmt=True)
    return Fault(headers={"Date": date, **fault.pop("headers", {})}, **fault)


def off_by(found: datetime, wanted: datetime) -> float:
    return abs((found - wanted).total_seconds())


@pytest.mark.parametrize("off", [OFF, -OFF])
async def test_any_answer_tells_the_time_at_the_server(api: FakeApi, off):
    async with client(api) as door:
        there = datetime.now(UTC) + off
        api.faults.append(dated(there, status=200, body=b"{}"))
        await door.request("GET", f"{PATH}/any")
        assert off_by(door.server_clock.now(), there) < 5


async def test_a_refused_watch_tells_it_too(api: FakeApi):
    async with client(api) as door:
        there = datetime.now(UTC) + OFF
        api.faults.append(dated(there, status=403))
        with pytest.raises(ApiError):
            async for _ in door.lines(PATH, {"watch": "1"}, silence_seconds=5):
                pass
        assert off_by(door.server_clock.now(), there) < 5


@pytest.mark.parametrize("off", [OFF, -OFF])
async def test_a_moment_to_come_back_is_one_of_the_servers_clock(api: FakeApi, off):
    """With ours it would be hours away, or long over."""
    api.put(PATH, "there")
    there = datetime.now(UTC).replace(microsecond=0) + off
    later = {"Retry-After": format_datetime(there + timedelta(seconds=7), usegmt=True)}
    api.faults.append(dated(there, status=429, headers=later))
    time = SteppedTime()
    async with client(api, time) as door:
        began = time.clock()
        await door.request("GET", f"{PATH}/there")
        assert 7 <= time.clock() - began < 9
