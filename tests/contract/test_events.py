from datetime import UTC, datetime, timedelta

from tests.contract.fake_api import At, FakeApi, Fault

from benchwarden.kube.client import KubeClient
from benchwarden.kube.events import (
    EventRecorder,
    EventSettings,
    Subject,
    event_name,
    refusal_of,
)
from benchwarden.kube.resources import EVENTS

PATH = EVENTS.collection("bench")
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
RUN = Subject("benchwarden.dev/v1alpha1", "BenchmarkRun", "bench", "nightly", "uid-1")


def stored(api: FakeApi) -> list[dict[str, object]]:
    return list(api.state(PATH).values())


async def test_an_event_says_who_what_and_when(api: FakeApi) -> None:
    async with KubeClient(At(api.url)) as client:
        assert await EventRecorder(client, "pod-1").emit(RUN, "Running", "37 to go", NOON)
    (event,) = stored(api)
    assert event["involvedObject"] == {
        "apiVersion": "benchwarden.dev/v1alpha1",
        "kind": "BenchmarkRun",
        "namespace": "bench",
        "name": "nightly",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "Running", "37 to go")
    assert (event["count"], event["lastTimestamp"]) == (1, "2026-03-01T12:00:00Z")


async def test_a_repeat_within_the_window_is_counted_and_told_after_it(api: FakeApi) -> None:
    async with KubeClient(At(api.url)) as client:
        recorder = EventRecorder(client, "pod-1")
        for minute in (0, 1, 2, 11):
            now = NOON + timedelta(minutes=minute)
            await recorder.emit(RUN, "InstanceRetried", "a: evicted", now, warning=True)
        assert (recorder.sent, recorder.suppressed) == (2, 2)
    (event,) = stored(api)
    assert (event["count"], event["type"]) == (4, "Warning")
    assert event["firstTimestamp"] == "2026-03-01T12:00:00Z"
    assert event["lastTimestamp"] == "2026-03-01T12:11:00Z"


async def test_another_life_of_the_operator_goes_on_counting(api: FakeApi) -> None:
    async with KubeClient(At(api.url)) as client:
        for _ in range(3):
            await EventRecorder(client, "pod-1").emit(RUN, "Running", "go", NOON)
    (event,) = stored(api)
    assert event["count"] == 3


async def test_one_object_has_only_so_many_events(api: FakeApi) -> None:
    settings = EventSettings(burst=5, refill_seconds=60)
    async with KubeClient(At(api.url)) as client:
        recorder = EventRecorder(client, "pod-1", settings)
        for number in range(20):
            await recorder.emit(RUN, "InstanceRetried", f"instance {number}", NOON)
        assert (recorder.sent, recorder.suppressed) == (5, 15)
        other = Subject("v1", "X", "bench", "other", "uid-2")
        assert await recorder.emit(other, "Running", "go", NOON)
        later = NOON + timedelta(seconds=61)
        assert await recorder.emit(RUN, "InstanceRetried", "instance 99", later)


async def test_a_long_message_is_cut_where_the_server_would_refuse_it(api: FakeApi) -> None:
    long_name = Subject("v1", "X", "bench", "n" * 253, "uid-1")
    async with KubeClient(At(api.url)) as client:
        await EventRecorder(client, "pod-1").emit(long_name, "Running", "x" * 5000, NOON)
    (event,) = stored(api)
    assert len(str(event["message"])) == 1024
    assert str(event["message"]).endswith(" ...")
    assert len(event_name(long_name, "Running", "x")) <= 253


async def test_no_failure_of_an_event_is_ever_raised(api: FakeApi) -> None:
    api.faults.append(Fault(403))
    async with KubeClient(At(api.url)) as client:
        recorder = EventRecorder(client, "pod-1")
        assert await recorder.emit(RUN, "Running", "go", NOON) is False
        assert recorder.sent == 0


async def test_the_latest_refusal_of_a_job_is_found(api: FakeApi) -> None:
    def happened(name: str, uid: str, reason: str, when: str, message: str) -> None:
        api.put(
            PATH,
            name,
            involvedObject={"uid": uid},
            reason=reason,
            lastTimestamp=when,
            message=message,
        )

    happened("a", "job-1", "FailedCreate", "2026-03-01T12:00:09Z", "violates PodSecurity")
    happened("b", "job-1", "FailedCreate", "2026-03-01T12:00:03Z", "exceeded quota")
    happened("c", "job-1", "SuccessfulCreate", "2026-03-01T12:00:20Z", "created")
    happened("d", "job-2", "FailedCreate", "2026-03-01T12:00:30Z", "another job")
    async with KubeClient(At(api.url)) as client:
        assert await refusal_of(client, "bench", "job-1") == "violates PodSecurity"
        assert await refusal_of(client, "bench", "job-9") == ""
    assert len(api.asked) == 2
