"""An API server that is overloaded, broken or half-dead for a while costs no verdict and no charge.

The operator works through a go-between that does what such servers do; the cluster itself stays well, so pods
go on meanwhile. Each test prints how long after the end of the trouble a run was written again.
"""

import asyncio
import itertools
import time

import pytest
from aiohttp import web
from tests.cluster_promises.go_between import a_go_between, drop, status, watches, well, writes
from tests.cluster_promises.kept_operator import kept_operator
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    charges,
    scripted,
    scripted_run,
    wait_for,
)
from tests.installed import suite_config_map, wait_for_end

from benchwarden import names
from benchwarden.settings import DEFAULT_LEASE_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(400)]

ALL = {f"i{n}": "resolved" for n in range(8)}
# As it ships: the short lease of other tests gives up a request before a slow server answers.
SHIPPED_LEASE = {names.ENV_LEASE_SECONDS: str(DEFAULT_LEASE_SECONDS)}


@pytest.fixture
def between(cluster, kubectl, images, tiny_image, tmp_path):
    if not cluster.own:
        pytest.skip("the go-between needs the administrator's certificate of the project's cluster")
    with (
        a_go_between(kubectl.kubeconfig, tmp_path) as (server, kubeconfig),
        kept_operator(kubectl, images, tmp_path, kubeconfig, **SHIPPED_LEASE) as kept,
    ):
        server.kept = kept
        yield server


def in_the_middle_of_a_run(kubectl) -> None:
    kubectl.apply(suite_config_map(*(scripted(each, "sleep 6\n" + SOLVE) for each in ALL)))
    kubectl.apply(scripted_run("troubled", execution={"batchSize": 2, "parallelism": 2}))
    wait_for(kubectl, "troubled", lambda run: run.get("status", {}).get("counts", {}).get("valid"))


def all_is_well_again(kubectl, between, lifted_at: float) -> None:
    after = between.recovered_after(lifted_at)
    run = wait_for_end(kubectl, "troubled", 240)
    print(f"\nrecovered after {after:.1f} s, {between.kept.restarts} restarts; {between.seen}")
    assert_true_end(kubectl, run, ALL)
    assert charges(kubectl, run) == []


def lift(between) -> float:
    between.mood, between.frozen = well, False
    return time.monotonic()


async def too_many_requests(_request: web.Request) -> web.Response:
    body = status(429, "TooManyRequests")
    return web.json_response(body, status=429, headers={"Retry-After": "5"})


async def internal_error(_request: web.Request) -> web.Response:
    return web.json_response(status(500, "InternalError"), status=500)


def test_a_minute_of_429_is_waited_out_and_asked_as_seldom_as_wished(kubectl, between):
    in_the_middle_of_a_run(kubectl)
    between.mood = too_many_requests
    before = between.seen.total()
    time.sleep(60)
    asked = between.seen.total() - before
    all_is_well_again(kubectl, between, lift(between))
    # Every 5 s at most: lists, watches and lease of our own, and kopf's two watches.
    assert asked < 150, asked


def test_half_a_minute_of_500_is_waited_out(kubectl, between):
    in_the_middle_of_a_run(kubectl)
    between.mood = internal_error
    time.sleep(30)
    all_is_well_again(kubectl, between, lift(between))


def test_watches_and_continued_lists_that_are_gone_are_begun_anew(kubectl, between):
    """410 as an HTTP status, which alone would end kopf: the operator comes back and knows everything."""

    async def gone(request: web.Request) -> web.Response | None:
        if watches(request) or request.query.get("continue"):
            return web.json_response(status(410, "Expired", "too old"), status=410)
        return None

    in_the_middle_of_a_run(kubectl)
    between.mood = gone
    between.cut()
    time.sleep(15)
    all_is_well_again(kubectl, between, lift(between))


def test_errors_inside_watches_lead_to_new_lists(kubectl, between):
    codes = itertools.cycle(((410, "Expired"), (500, "InternalError")))

    async def erring(request: web.Request) -> web.Response | None:
        if not watches(request):
            return None
        line = {"type": "ERROR", "object": status(*next(codes))}
        return web.json_response(line)

    in_the_middle_of_a_run(kubectl)
    between.mood = erring
    between.cut()
    time.sleep(15)
    all_is_well_again(kubectl, between, lift(between))


def test_watches_that_freeze_are_replaced(kubectl, between):
    """Nothing is ever lifted for the watches that were frozen: they must be given up."""
    in_the_middle_of_a_run(kubectl)
    between.frozen = True
    time.sleep(20)
    began, wait = time.monotonic(), 240
    while "Timeout on reading data" not in between.kept.log():
        assert time.monotonic() - began < wait, "frozen watches are waited for without end"
        time.sleep(1)
    print(f"\nthe first frozen watch was given up after {20 + time.monotonic() - began:.0f} s")
    all_is_well_again(kubectl, between, lift(between))


def test_answers_that_take_seconds_only_make_it_slower(kubectl, between):
    async def slow(_request: web.Request) -> None:
        await asyncio.sleep(3)

    in_the_middle_of_a_run(kubectl)
    between.mood = slow
    run = wait_for_end(kubectl, "troubled", 300)
    assert_true_end(kubectl, run, ALL)
    assert charges(kubectl, run) == []
    assert between.kept.restarts == 0


def test_connections_that_drop_and_answers_that_are_lost_double_nothing(kubectl, between):
    """Each third request is lost: reads before the server heard of them, writes after it did them."""
    count = itertools.count()

    async def lossy(request: web.Request) -> web.Response | None:
        if next(count) % 3:
            return None
        if writes(request):
            await between.carried_out(request)
        else:
            drop(request)
        return web.Response(status=500)

    in_the_middle_of_a_run(kubectl)
    between.mood = lossy
    run = wait_for_end(kubectl, "troubled", 300)
    between.mood = well
    assert_true_end(kubectl, run, ALL)
    assert charges(kubectl, run) == []
