"""The client against a server that is busy, broken, restarting or right."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.contract.door import NAMESPACE, PATH, client, config_map
from tests.contract.fake_api import At, FakeApi, Fault, status_object
from tests.contract.waiting import SteppedTime

from benchwarden import __version__, names
from benchwarden.errors import ConflictError, FencedError, UnavailableError
from benchwarden.kube.access import Access
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import (
    AlreadyExistsError,
    ApiConflictError,
    ApiUnavailableError,
    ForbiddenError,
    GoneError,
    InvalidObjectError,
    NotFoundError,
    UnauthorizedError,
)
from benchwarden.kube.resources import CONFIG_MAPS, JOBS


async def say(door: KubeClient, verb: str, api: FakeApi) -> dict[str, Any]:
    """One good request of each verb."""
    if verb == "POST":
        return await door.create(config_map("new"))
    stored = api.put(PATH, "there", **config_map("there"))
    body = {"PUT": stored, "PATCH": {"data": {"key": "other"}}}.get(verb)
    return await door.request(verb, f"{PATH}/there", body=body)


VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("code", [429, 503])
async def test_every_verb_waits_as_long_as_the_server_asks(
    api: FakeApi, verb: str, code: int
) -> None:
    api.faults.extend(Fault(code, {"Retry-After": "7"}) for _ in range(2))
    time = SteppedTime()
    async with client(api, time) as door:
        await say(door, verb, api)
        assert door.stats().retries == 2
        assert door.stats().requests[str(code), verb] == 2
    assert time.now >= 1014.0
    assert len(api.asked_of(verb)) == 3


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_survives_server_errors_and_lost_connections(
    api: FakeApi, verb: str
) -> None:
    api.faults.extend([Fault(500), Fault(drop=True), Fault(502), Fault(200, body=b'{"cut": ')])
    async with client(api) as door:
        await say(door, verb, api)
        # A dropped connection that was used before may be replaced below us.
        assert door.stats().retries in {3, 4}
    assert len(api.asked_of(verb)) == 5


async def test_a_server_that_stays_away_is_unavailable_by_the_deadline(api: FakeApi) -> None:
    api.faults.extend(Fault(500, body=b"upstream broke") for _ in range(100))
    time = SteppedTime()
    async with client(api, time) as door:
        with pytest.raises(ApiUnavailableError, match="upstream broke") as caught:
            await door.request("GET", PATH, deadline_seconds=20)
    assert isinstance(caught.value, UnavailableError)
    assert 1010 < time.now <= 1020


async def test_nobody_waits_for_longer_than_the_deadline(api: FakeApi) -> None:
    api.faults.append(Fault(429, {"Retry-After": "3600"}))
    time = SteppedTime()
    async with client(api, time) as door:
        with pytest.raises(ApiUnavailableError) as caught:
            await door.request("GET", PATH)
    assert caught.value.retry_after_seconds == 300
    assert time.now == 1000


async def test_no_server_at_all_is_unavailable() -> None:
    time = SteppedTime()
    async with KubeClient(At("http://127.0.0.1:1"), clock=time.clock, sleep=time.sleep) as door:
        with pytest.raises(UnavailableError):
            await door.request("GET", "/version", deadline_seconds=3)
        assert door.stats().requests["error", "GET"] >= 2


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (400, "BadRequest", InvalidObjectError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "Conflict", ApiConflictError),
        (409, "AlreadyExists", AlreadyExistsError),
        (410, "Expired", GoneError),
        (413, "RequestEntityTooLarge", InvalidObjectError),
        (422, "Invalid", InvalidObjectError),
    ],
)
async def test_a_refusal_is_typed_and_asked_once(
    api: FakeApi, code: int, reason: str, error: type[Exception]
) -> None:
    body = json.dumps(status_object(code, reason, "because")).encode()
    api.faults.append(Fault(code, body=body))
    async with client(api) as door:
        with pytest.raises(error, match="because"):
            await door.request("PUT", f"{PATH}/x", body={})
    assert len(api.asked) == 1


async def test_a_terminating_namespace_is_told_from_a_quota(api: FakeApi) -> None:
    ending = status_object(403, "Forbidden", "no", causes=("NamespaceTerminating",))
    full = status_object(403, "Forbidden", "exceeded quota: small, requested: pods=1")
    api.faults.extend(Fault(403, body=json.dumps(each).encode()) for each in (ending, full))
    async with client(api) as door:
        with pytest.raises(ForbiddenError) as first:
            await door.create(config_map("a"))
        with pytest.raises(ForbiddenError) as second:
            await door.create(config_map("a"))
    assert (first.value.namespace_terminating, first.value.quota) == (True, False)
    assert (second.value.namespace_terminating, second.value.quota) == (False, True)


async def test_a_create_that_lost_the_race_for_a_quota_is_repeated(api: FakeApi) -> None:
    lost = status_object(409, "Conflict", "resourcequotas: the object has been modified")
    api.faults.append(Fault(409, body=json.dumps(lost).encode()))
    async with client(api) as door:
        created = await door.create(config_map("a"))
    assert created["metadata"]["name"] == "a"


async def test_a_create_is_done_once_and_adopted_after(api: FakeApi) -> None:
    async with client(api) as door:
        first = await door.create_or_adopt(config_map("a"))
        second = await door.create_or_adopt(config_map("a"))
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    assert len(api.state(PATH)) == 1


async def test_a_create_whose_answer_was_lost_is_adopted(api: FakeApi) -> None:
    api.faults.append(Fault(drop=True, late=True))
    async with client(api) as door:
        found = await door.create_or_adopt(config_map("a"))
    assert list(api.state(PATH)) == [found["metadata"]["uid"]]


@pytest.mark.parametrize(
    "stranger",
    [
        {"labels": {}},
        {"labels": {names.LABEL_RUN_UID: "run-2"}},
    ],
)
async def test_an_object_of_another_run_is_never_adopted(
    api: FakeApi, stranger: dict[str, Any]
) -> None:
    api.put(PATH, "a", **{**config_map("a"), "metadata": {"namespace": NAMESPACE, **stranger}})
    async with client(api) as door:
        with pytest.raises(ConflictError, match="ConfigMap bench/a exists and is not ours"):
            await door.create_or_adopt(config_map("a"))


async def test_the_owner_decides_whose_an_object_is(api: FakeApi) -> None:
    api.put(PATH, "a", **config_map("a", ownerReferences=[{"uid": "job-old"}]))
    async with client(api) as door:
        with pytest.raises(ConflictError):
            await door.create_or_adopt(config_map("a", ownerReferences=[{"uid": "job-new"}]))
        found = await door.create_or_adopt(config_map("a", ownerReferences=[{"uid": "job-old"}]))
    assert found["data"] == {"key": "value"}


async def test_a_name_that_becomes_free_between_create_and_read_is_taken(api: FakeApi) -> None:
    api.put(PATH, "a", **config_map("a"))

    def vanishes(asked: Any) -> bool:
        if asked.method == "GET":
            api.remove(PATH, "a")
            return True
        return False

    gone = json.dumps(status_object(404, "NotFound")).encode()
    api.faults.append(Fault(404, body=gone, matches=vanishes))
    async with client(api) as door:
        created = await door.create_or_adopt(config_map("a"))
    assert created["metadata"]["uid"] == "uid-2"


async def test_deleting_names_the_uid_and_forgives_what_is_gone(api: FakeApi) -> None:
    path = JOBS.collection(NAMESPACE)
    stored = api.put(path, "a")
    async with client(api) as door:
        assert await door.delete(JOBS, NAMESPACE, "a", uid="another") is False
        assert await door.delete(JOBS, NAMESPACE, "a", uid=stored["metadata"]["uid"]) is True
        assert await door.delete(JOBS, NAMESPACE, "a") is False
    assert api.asked[0].body["propagationPolicy"] == "Background"
    assert api.state(path) == {}


async def test_a_list_is_read_page_by_page(api: FakeApi) -> None:
    for number in range(1203):
        api.put(PATH, f"cm-{number}", metadata={"labels": {"mine": "yes" if number % 2 else "no"}})
    async with client(api) as door:
        found = await door.list_all(CONFIG_MAPS, NAMESPACE)
        mine = await door.list_all(CONFIG_MAPS, NAMESPACE, labels="mine=yes")
    assert len(found) == 1203
    assert len(mine) == 601
    assert [asked.query["limit"] for asked in api.asked] == ["500"] * 5


async def test_a_list_whose_token_expired_begins_anew(api: FakeApi) -> None:
    for number in range(1203):
        api.put(PATH, f"cm-{number}")

    def expires(asked: Any) -> bool:
        if "continue" in asked.query:
            api.compact()
            return True
        return False

    body = json.dumps(status_object(410, "Expired")).encode()
    api.faults.append(Fault(410, body=body, matches=expires))
    async with client(api) as door:
        found = await door.list_all(CONFIG_MAPS, NAMESPACE)
    assert len({each["metadata"]["name"] for each in found}) == len(found) == 1203


async def test_rotated_credentials_are_read_once_for_all_who_need_them(api: FakeApi) -> None:
    api.tokens = {"old"}
    credentials = At(api.url, "old")
    time = SteppedTime()
    async with KubeClient(credentials, clock=time.clock, sleep=time.sleep) as door:
        await door.request("GET", PATH)
        api.tokens, credentials.token = {"new"}, "new"
        await door.request("GET", PATH)
        await door.request("GET", PATH)
    assert credentials.loads == 2


async def test_credentials_that_stay_wrong_are_an_error(api: FakeApi) -> None:
    api.tokens = {"other"}
    async with client(api) as door:
        with pytest.raises(UnauthorizedError):
            await door.request("GET", PATH)
    assert len(api.asked) == 2


async def test_a_lost_fence_stops_a_write_between_its_repeats(api: FakeApi) -> None:
    api.faults.extend(Fault(500) for _ in range(3))
    allowed = iter([True, True, False])

    def fence() -> None:
        if not next(allowed):
            raise FencedError("not held")

    async with client(api) as door:
        door.fence = fence
        with pytest.raises(FencedError):
            await door.create(config_map("a"))
        await door.request("GET", PATH)
        await door.request("POST", PATH, body=config_map("b"), urgent=True)
    assert len(api.asked_of("POST")) == 3


async def test_requests_are_paced(api: FakeApi) -> None:
    time = SteppedTime()
    async with client(api, time, per_second=10, burst=5) as door:
        for _ in range(25):
            await door.request("GET", PATH)
        assert time.now == pytest.approx(1002.0)
        assert door.stats().paced_seconds == pytest.approx(2.0)
        assert door.stats().requests["200", "GET"] == 25


async def test_patches_say_what_they_are_and_who_wrote_them(api: FakeApi) -> None:
    api.put(PATH, "a", **config_map("a"))
    async with client(api) as door:
        changed = await door.patch(CONFIG_MAPS, NAMESPACE, "a", {"data": {"key": None, "new": "1"}})
        await door.apply(config_map("a"))
    assert changed["data"] == {"new": "1"}
    merge, apply = api.asked_of("PATCH")
    assert merge.headers["content-type"] == "application/merge-patch+json"
    assert apply.headers["content-type"] == "application/apply-patch+yaml"
    assert apply.query == {"fieldManager": "benchwarden", "force": "true"}
    assert apply.headers["user-agent"] == f"benchwarden/{__version__}"


async def test_neither_bodies_nor_headers_are_ever_logged(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.tokens = {"s3cret-token"}
    api.faults.extend([Fault(500), Fault(drop=True)])
    with caplog.at_level(logging.DEBUG):
        credentials = At(api.url, "s3cret-token")
        time = SteppedTime()
        async with KubeClient(credentials, clock=time.clock, sleep=time.sleep) as door:
            await door.create({**config_map("a"), "data": {"password": "hunter2"}})
    assert "POST" in caplog.text
    assert "hunter2" not in caplog.text
    assert "s3cret-token" not in caplog.text


async def test_a_closed_client_stays_closed(api: FakeApi) -> None:
    async with client(api) as door:
        await door.request("GET", PATH)
    with pytest.raises(UnavailableError, match="closed"):
        await door.request("GET", PATH)


async def test_a_kubeconfig_is_all_it_takes(api: FakeApi, tmp_path: Path) -> None:
    api.tokens = {"abc"}
    path = tmp_path / "config"
    path.write_text(
        json.dumps(
            {
                "current-context": "here",
                "clusters": [{"name": "c", "cluster": {"server": api.url}}],
                "users": [{"name": "u", "user": {"token": "abc"}}],
                "contexts": [
                    {
                        "name": "here",
                        "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE},
                    }
                ],
            }
        )
    )
    access = Access(environment={"KUBECONFIG": str(path), "KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert access.namespace() == NAMESPACE
    async with KubeClient(access) as door:
        assert (await door.request("GET", PATH))["items"] == []


@pytest.mark.parametrize("content", [None, "", "[]", "clusters: 3", "current-context: none"])
async def test_an_unusable_kubeconfig_is_unavailable_and_not_a_crash(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnavailableError, match="no usable Kubernetes credentials"):
        await Access(kubeconfig=str(path), environment={}).load()
