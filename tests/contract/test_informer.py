"""The informer against everything a watch can do, and then against all of it in any order."""

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.fake_api import FakeApi, Fault, serving, status_object
from tests.contract.informing import (
    PATH,
    agrees,
    informing,
    pod,
    truth,
    watching,
)
from tests.contract.waiting import until

from benchwarden.kube.informer import InformerSettings


async def test_it_lists_in_pages_and_then_watches_from_there(api: FakeApi) -> None:
    for number in range(10):
        pod(api, f"pod-{number}")
    api.put(PATH, "another", phase="Running", metadata={"labels": {}})
    async with informing(api) as (informer, heard):
        await informer.synced.wait()
        assert informer.cache == truth(api)
        await watching(api)
        pod(api, "pod-1", "Running")
        pod(api, "pod-new")
        api.remove(PATH, "pod-2")
        await agrees(api, informer)
        assert heard.known == informer.cache
    assert len(api.asked_of("GET")) == 4
    assert len(api.asked_of("GET", watch=True)) == 1


async def test_the_last_words_of_a_deleted_object_are_heard(api: FakeApi) -> None:
    pod(api, "pod", "Running")
    async with informing(api) as (_, heard):
        await watching(api)
        last = {**api.objects[PATH, "pod"], "phase": "Succeeded"}
        api.send_event("DELETED", last)
        await until(lambda: len(heard.changes) == 3)
    assert [(old, new) for _, old, new in heard.changes] == [
        (None, "Running"),
        ("Running", "Succeeded"),
        ("Succeeded", None),
    ]


async def test_an_object_made_anew_under_its_name_is_another_object(api: FakeApi) -> None:
    pod(api, "pod")
    async with informing(api) as (informer, heard):
        await watching(api)
        api.remove(PATH, "pod")
        pod(api, "pod")
        await until(lambda: len(heard.changes) == 3)
        await agrees(api, informer)
    assert [uid for uid, _, _ in heard.changes] == ["uid-1", "uid-1", "uid-2"]


@pytest.mark.parametrize("in_stream", [False, True])
async def test_what_was_missed_behind_a_410_shows_as_changes_and_deletes(
    api: FakeApi, in_stream: bool
) -> None:
    for number in range(6):
        pod(api, f"pod-{number}")
    api.gone_in_stream = in_stream
    async with informing(api) as (informer, heard):
        await watching(api)
        api.frozen = True
        api.remove(PATH, "pod-0")
        api.remove(PATH, "pod-1")
        pod(api, "pod-2", "Running")
        pod(api, "pod-9")
        api.compact()
        api.frozen = False
        api.drop_watches()
        await agrees(api, informer)
        assert informer.relists == 2
    assert len(heard.changes) == 6 + 4


async def test_a_410_on_a_continue_page_starts_the_list_anew(api: FakeApi) -> None:
    for number in range(8):
        pod(api, f"pod-{number}")

    def expires(asked: Any) -> bool:
        if "continue" not in asked.query:
            return False
        api.remove(PATH, "pod-0")
        api.compact()
        return True

    body = json.dumps(status_object(410, "Expired")).encode()
    api.faults.append(Fault(410, body=body, matches=expires))
    async with informing(api) as (informer, heard):
        await informer.synced.wait()
        assert informer.cache == truth(api)
        assert len(informer.cache) == 7
    assert heard.lists == 1


async def test_a_list_is_repeated_until_it_is_whole(api: FakeApi) -> None:
    pod(api, "pod")
    api.faults.extend([Fault(500), Fault(drop=True), Fault(403), Fault(404), Fault(200, body=b"[")])
    async with informing(api) as (informer, _):
        await informer.synced.wait()
        assert informer.cache == truth(api)


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"[]\n",
        b"null\n",
        b'{"type": "ADDED"}\n',
        b'{"type": "SURPRISE", "object": {}}\n',
        b"[" * 100_000 + b"\n",
        b'{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}\n',
        b'{"type": "ERROR", "object": {"code": 410}}\n',
        b'{"type": "ERROR", "object": {}}\n',
    ],
)
async def test_a_line_that_makes_no_sense_leads_to_a_new_list(api: FakeApi, line: bytes) -> None:
    pod(api, "pod")
    async with informing(api) as (informer, _):
        await watching(api)
        api.frozen = True
        pod(api, "pod", "Running")
        api.frozen = False
        api.send(line)
        await agrees(api, informer)
        await until(lambda: informer.relists >= 2)


async def test_a_cut_line_is_fetched_again(api: FakeApi) -> None:
    pod(api, "pod")
    async with informing(api) as (informer, _):
        await watching(api)
        api.frozen = True
        pod(api, "pod", "Running")
        api.frozen = False
        api.send(b'{"type": "MODIFIED", "obj')
        api.send(b"")
        for watch in api.watches:
            watch.lines.put_nowait(None)
        await agrees(api, informer)
        assert informer.relists == 1


async def test_a_dropped_watch_goes_on_where_it_stood(api: FakeApi) -> None:
    async with informing(api) as (informer, heard):
        for number in range(5):
            await watching(api)
            api.drop_watches()
            pod(api, f"pod-{number}")
            await agrees(api, informer)
        assert informer.relists == 1
    assert len(heard.changes) == 5


async def test_bookmarks_move_the_place_to_go_on_from(api: FakeApi) -> None:
    async with informing(api) as (informer, _):
        await watching(api)
        api.revision = 500
        api.send_event("BOOKMARK", {"metadata": {"resourceVersion": "500"}})
        api.compact()
        await until(lambda: informer._version == "500")
        api.drop_watches()
        await watching(api)
        assert informer.relists == 1
    assert api.asked_of("GET", watch=True)[-1].query["resourceVersion"] == "500"


async def test_a_silent_watch_is_replaced(api: FakeApi) -> None:
    options = InformerSettings(silence_seconds=0.2, first_backoff_seconds=0.005)
    async with informing(api, options) as (informer, _):
        await watching(api)
        api.frozen = True
        pod(api, "pod")
        await agrees(api, informer)
        assert informer.relists == 1


async def test_a_watch_that_is_refused_again_and_again_makes_the_version_doubtful(
    api: FakeApi,
) -> None:
    pod(api, "pod")
    api.faults.extend(Fault(504, matches=lambda asked: asked.is_watch) for _ in range(40))
    async with informing(api) as (informer, _):
        await until(lambda: informer.relists >= 2)


async def test_everything_is_listed_anew_from_time_to_time(api: FakeApi) -> None:
    options = InformerSettings(relist_seconds=0.5)
    pod(api, "pod")
    async with informing(api, options) as (informer, _):
        await watching(api)
        api.frozen = True
        api.history.clear()
        api.remove(PATH, "pod")
        await agrees(api, informer)
        assert informer.relists >= 2


async def test_a_list_that_broke_off_is_followed_by_a_whole_one_before_any_watch(
    api: FakeApi,
) -> None:
    for number in range(8):
        pod(api, f"pod-{number}")
    options = InformerSettings(relist_seconds=0.3, page_size=3, first_backoff_seconds=0.005)
    async with informing(api, options) as (informer, _):
        await watching(api)
        forbidden = json.dumps(status_object(403, "Forbidden")).encode()
        api.faults.append(
            Fault(403, body=forbidden, matches=lambda asked: "continue" in asked.query)
        )
        await until(lambda: not api.faults and informer.relists >= 2)
    following = api.asked[
        next(n for n, each in enumerate(api.asked) if n > 4 and "continue" in each.query) + 1
    ]
    assert not following.is_watch


async def test_a_listener_that_fails_stops_nothing(api: FakeApi) -> None:
    async with informing(api) as (informer, heard):
        await watching(api)
        heard.fails = True
        pod(api, "pod-1")
        pod(api, "pod-2")
        await agrees(api, informer)
        assert informer.relists == 1


async def test_what_a_projection_leaves_out_is_not_kept(api: FakeApi) -> None:
    pod(api, "pod", "Running")
    async with informing(api) as (informer, heard):
        await watching(api)
        pod(api, "pod", "")
        await until(lambda: informer.cache == {})
    assert heard.changes[-1] == ("uid-1", "Running", None)


async def test_a_change_that_changes_nothing_seen_is_not_reported(api: FakeApi) -> None:
    async with informing(api) as (informer, heard):
        await watching(api)
        pod(api, "pod")
        pod(api, "pod")
        pod(api, "pod", "Running")
        await agrees(api, informer)
    assert len(heard.changes) == 2


async def test_its_age_is_the_time_since_the_server_was_last_heard(api: FakeApi) -> None:
    began = time.monotonic()
    async with informing(api) as (informer, _):
        await watching(api)
        assert informer.age_seconds() < time.monotonic() - began
        api.faults.extend(Fault(500) for _ in range(10_000))
        api.drop_watches()
        await until(lambda: informer.age_seconds() > 0.3)
        again = time.monotonic()
        api.faults.clear()
        await until(lambda: informer.age_seconds() < time.monotonic() - again)


NAMES = st.sampled_from([f"pod-{number}" for number in range(6)])
PHASES = st.sampled_from(["Pending", "Running", "Succeeded", ""])
STEPS = st.one_of(
    st.tuples(st.just("put"), NAMES, PHASES),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("drop")),
    st.tuples(st.just("compact")),
    st.tuples(st.just("freeze")),
    st.tuples(st.just("garbage")),
    st.tuples(st.just("fault"), st.sampled_from([403, 410, 429, 500, 0])),
    st.tuples(st.just("in_stream")),
    st.tuples(st.just("pause")),
)


def disturb(api: FakeApi, step: tuple[Any, ...]) -> None:
    match step:
        case ("put", str(name), str(found)):
            pod(api, name, found)
        case ("remove", str(name)):
            if (PATH, name) in api.objects:
                api.remove(PATH, name)
        case ("drop",):
            api.drop_watches()
        case ("compact",):
            api.compact()
        case ("freeze",):
            # What a frozen server did not send is found only because the connection breaks.
            api.frozen = not api.frozen
            if not api.frozen:
                api.drop_watches()
        case ("garbage",):
            api.send(b'{"type": 1}\n')
        case ("fault", 0):
            api.faults.append(Fault(drop=True))
        case ("fault", int(code)):
            body = json.dumps(status_object(code, "Fault")).encode()
            api.faults.append(Fault(code, body=body))
        case ("in_stream",):
            api.gone_in_stream = not api.gone_in_stream


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_happens_the_cache_ends_as_the_servers_state(steps: list[tuple[Any, ...]]) -> None:
    async def play() -> None:
        async with serving() as api, informing(api) as (informer, heard):
            for step in steps:
                disturb(api, step)
                if step == ("pause",):
                    await asyncio.sleep(0.01)
            api.faults.clear()
            api.frozen = False
            api.drop_watches()
            await agrees(api, informer)
            assert heard.known == informer.cache

    asyncio.run(play())
