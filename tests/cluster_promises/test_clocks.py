"""An operator whose clock is hours off: runs wait, retry and end, and schedules start, as on a right clock."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cluster import packages
from tests.cluster_promises.go_between import a_go_between
from tests.cluster_promises.kept_operator import kept_operator
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    await_work,
    charges,
    reason,
    run_of,
    scripted,
    scripted_run,
    wait_for,
)
from tests.installed import await_true, run_manifest, suite_config_map, wait_for_end

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(400)]

LIBRARY = "libfaketime.so.1"


def clock_library() -> Path:
    """The library by which a process sees another time."""
    if packages.program("faketime") is None:
        packages.install(["faketime"])
    return next(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"))


@pytest.fixture(params=["+3h", "-3h", "+7m"])
def operator(request, cluster, kubectl, images, tiny_image, tmp_path):
    """An operator whose wall clock is off by so much; the cluster's is right.

    It goes through plain HTTP: a clock before the certificates' first day would end at TLS already.
    """
    if not cluster.own or os.geteuid() != 0:
        pytest.skip("needs root, for the package `faketime`, and the project's own cluster")
    off = {
        "LD_PRELOAD": str(clock_library()),
        "FAKETIME": request.param,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
    with (
        a_go_between(kubectl.kubeconfig, tmp_path) as (_, kubeconfig),
        kept_operator(kubectl, images, tmp_path, kubeconfig, **off) as kept,
    ):
        yield kept


def seconds_from_now(stamp: str) -> float:
    return (datetime.fromisoformat(stamp) - datetime.now(UTC)).total_seconds()


def test_waits_retries_and_times_are_those_of_a_right_clock(kubectl, operator):
    """A lost pod, a missing image with its patience, a retry with its delay, a time to live."""
    absent = scripted("absent", image="localhost/benchwarden-not-there:1")
    slow = "sleep 12\n" + SOLVE
    kubectl.apply(suite_config_map(scripted("first", slow), absent, scripted("third")))
    execution = {"batchSize": 3, "pendingTimeoutSeconds": 25, "infraRetriesPerTrial": 1}
    kubectl.apply(scripted_run("off", execution=execution, ttlSecondsAfterFinished=20))
    wait_for(kubectl, "off", lambda run: run.get("status"))
    victim = await_work(kubectl, run_of(kubectl, "off"), "first")
    kubectl.run("delete", "pod", victim["metadata"]["name"], "--wait=false")
    wait_for(kubectl, "off", lambda run: reason(run) == names.REASON_WAITING_FOR_PODS, 120)
    run = wait_for_end(kubectl, "off", 200)
    assert sorted(charges(kubectl, run)) == [
        ("absent", "image_pull"),
        ("absent", "image_pull"),
        ("first", "drained"),
    ]
    assert_true_end(
        kubectl,
        run,
        {"first": "resolved", "third": "resolved"},
        names.REASON_COMPLETED_WITH_MISSING,
    )
    assert abs(seconds_from_now(run["status"]["finishedAt"])) < 15
    patience = 2 * 25  # the image was waited for twice
    assert -200 < seconds_from_now(run["status"]["startedAt"]) < -patience
    assert "which is followed instead" in operator.log()
    await_true(lambda: not kubectl.get(names.RUN_PLURAL)["items"], 60, "its time to live is over")


def test_a_schedule_starts_at_the_clusters_minute(kubectl, operator):
    kubectl.apply(suite_config_map(scripted("i0")))
    spec = {"schedule": "* * * * *", "template": {"spec": scripted_run("x")["spec"]}}
    kubectl.apply(
        {
            **run_manifest("each-minute"),
            "kind": names.SCHEDULE_KIND,
            "spec": {**spec, "startingDeadlineSeconds": 30},
        }
    )
    made_at = datetime.now(UTC)
    await_true(lambda: kubectl.get(names.RUN_PLURAL)["items"], 90, "no slot is started")
    (run,) = kubectl.get(names.RUN_PLURAL)["items"]
    first_slot = made_at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    started = datetime.fromisoformat(run["metadata"]["creationTimestamp"])
    assert timedelta() <= started - first_slot < timedelta(seconds=20)
    minutes = int(run["metadata"]["name"].rpartition("-")[2])
    assert minutes == int(first_slot.timestamp()) // 60
