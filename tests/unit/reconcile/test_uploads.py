"""What a run says of its artifacts, and that a sidecar's end is never its pod's."""

from dataclasses import replace

import pytest
from tests.builders import Bench, ended, finished_pod, panel_of, pod, running, waiting

from benchwarden import names
from benchwarden.artifacts.word import Word
from benchwarden.reconcile.conditions import find
from benchwarden.reconcile.decision import EmitEvent
from benchwarden_runner import protocol

KEPT = {"s3": {"url": "s3://bench", "credentials": {"name": "storage"}}}
FINE = ended("uploader", Word(kept=2).encode(4096).decode())
REFUSED = ended("uploader", Word(kept=1, failed=1, error="i0: AccessDenied").encode(4096).decode())


def bench_with(**spec):
    bench = Bench(panel_of(2), **spec).planned()
    (launch,) = bench.launch()
    return bench, launch


def with_uploader(launch, uploader, **changes):
    """The pod in which all members were resolved, with its sidecar."""
    found = finished_pod(launch.batch.members)
    inject, *rest = found.containers
    return replace(found, containers=(inject, uploader, *rest), **changes)


def events(decision):
    return [
        action.message
        for action in decision.actions
        if isinstance(action, EmitEvent) and action.reason == names.REASON_UPLOAD_FAILED
    ]


def kept(bench):
    told_ = bench.condition(names.CONDITION_ARTIFACTS_KEPT)
    return told_["status"], told_["reason"]


def test_without_artifacts_there_is_nothing_to_say():
    bench, launch = bench_with()
    bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    bench.step()
    assert find(bench.status["conditions"], names.CONDITION_ARTIFACTS_KEPT) == {}


def test_artifacts_are_kept_once_the_last_uploader_has_ended_well():
    bench, launch = bench_with(artifacts=KEPT)
    bench.step()
    assert kept(bench) == ("Unknown", names.REASON_IN_PROGRESS)
    bench.show(launch, with_uploader(launch, running("uploader"), phase="Running"))
    bench.step()
    assert bench.condition("Succeeded")["status"] == "True"
    assert kept(bench) == ("Unknown", names.REASON_IN_PROGRESS)
    bench.show(launch, with_uploader(launch, FINE), finished="Complete")
    assert events(bench.step()) == []
    assert kept(bench) == ("True", names.REASON_UPLOADED)


@pytest.mark.parametrize(
    ("uploader", "words"),
    [
        (REFUSED, "1 launches could not be uploaded; i0: AccessDenied"),
        (ended("uploader", exit_code=137, reason="OOMKilled"), "without a word (137 OOMKilled)"),
    ],
    ids=["refused", "killed"],
)
def test_a_failed_upload_costs_no_verdict_is_told_once_and_never_forgotten(uploader, words):
    bench, launch = bench_with(artifacts=KEPT)
    bench.show(launch, with_uploader(launch, uploader), finished="Complete")
    (message,) = events(bench.step())
    assert words in message
    assert launch.name in message
    assert bench.condition("Succeeded")["reason"] == names.REASON_COMPLETED
    assert bench.status["counts"]["resolved"] == 2
    bench.batches.clear()
    assert events(bench.step()) == []
    assert kept(bench) == ("False", names.REASON_UPLOAD_FAILED)


@pytest.mark.parametrize("reason", ["OOMKilled", "Error"])
def test_an_uploader_that_dies_is_no_end_of_the_batch(reason):
    bench, launch = bench_with(artifacts=KEPT)
    dead = ended("uploader", exit_code=137, reason=reason)
    bench.show(launch, pod(ended("inject"), dead, running("agent-0"), waiting("grade-0")))
    bench.step()
    assert bench.cycle.tally.rows == []


def test_a_failed_pod_is_explained_by_its_chain_not_by_its_sidecar():
    bench, launch = bench_with(artifacts=KEPT, execution={"infraRetriesPerTrial": 0})
    dead = ended("uploader", exit_code=137, reason="Error")
    broken = ended("agent-0", exit_code=protocol.EXIT_HARNESS, reason="Error")
    found = pod(ended("inject"), dead, broken, waiting("grade-0"), phase="Failed")
    bench.show(launch, found, finished="Failed")
    bench.step()
    assert "agent-0 exited 64" in bench.cycle.tally.rows[0].reason
