"""SIGKILL between any two API writes loses nothing and duplicates nothing: tried at every write there is."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    charges,
    free_port,
    scripted,
    scripted_run,
)
from tests.installed import suite_config_map, wait_for_end

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(280)]

RESOLVED = {"i0": "resolved", "i1": "resolved"}
STRIDE = int(os.environ.get("BENCHWARDEN_DEATH_STRIDE", "4"))
LATER = [
    pytest.param(first, marks=pytest.mark.long)
    for first in range(1, STRIDE + 1, max(1, STRIDE - 1))
    if first > 1
]
BATCHES_OF_ONE = {"batchSize": 1, "parallelism": 2}


class Mortal:
    """The operator of `mortal_operator`, told when to die."""

    def __init__(self, process, log) -> None:
        self._process = process
        self._log = log

    def live(self, *writes: int) -> None:
        self._process.stdin.write(" ".join(map(str, writes)) + "\n")
        self._process.stdin.flush()

    def deaths(self) -> int:
        return self._log.read_text().count("died 9\n")

    def said(self) -> str:
        return self._log.read_text()


@contextmanager
def mortal(kubectl, images, folder):
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubectl.kubeconfig),
        names.ENV_RUNNER_IMAGE: images.runner,
        names.ENV_NAMESPACES: kubectl.namespace,
        names.ENV_POD_NAMESPACE: kubectl.namespace,
        names.ENV_POD_NAME: "mortal",
        names.ENV_METRICS_PORT: str(free_port()),
        names.ENV_LEASE_SECONDS: "15",
    }
    log = folder / "mortal.log"
    with log.open("wb") as out, (folder / "operator.log").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster_promises.mortal_operator"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            yield Mortal(process, log)
        finally:
            os.killpg(process.pid, 9)
            process.wait()
            process.stdin.close()
    said = (folder / "operator.log").read_text()
    assert "Traceback" not in said, said[-4000:]


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with mortal(kubectl, images, tmp_path) as running:
        kubectl.apply(suite_config_map(*(scripted(each) for each in RESOLVED)))
        yield running


@pytest.mark.early
@pytest.mark.long
def test_a_run_whose_operator_dies_after_each_single_write_ends_true(kubectl, operator):
    """One instance takes so long that its verdict has a shard of its own: shards are merged as well."""
    slow = scripted("i1", "sleep 36\n" + SOLVE)
    kubectl.apply(suite_config_map(scripted("i0"), slow, name="slow"))
    operator.live(*([1] * 60))
    kubectl.apply(scripted_run("single", "slow", execution=BATCHES_OF_ONE))
    run = wait_for_end(kubectl, "single", 200)
    assert_true_end(kubectl, run, RESOLVED)
    assert charges(kubectl, run) == []
    assert [each["rows"] for each in run["status"]["results"]] == [2]
    assert "DELETE /api/v1" in operator.said(), "no shards were merged"
    assert operator.deaths() >= 15, operator.said()


@pytest.mark.early
@pytest.mark.parametrize("first", [1, *LATER])
def test_an_operator_that_dies_after_its_kth_write_ends_every_run_alike(kubectl, operator, first):
    for writes in range(first, 60, STRIDE):
        died = operator.deaths()
        operator.live(writes)
        kubectl.apply(scripted_run(f"run-{writes}", execution=BATCHES_OF_ONE))
        run = wait_for_end(kubectl, f"run-{writes}", 60)
        assert_true_end(kubectl, run, RESOLVED)
        assert charges(kubectl, run) == []
        kubectl.run("delete", names.RUN_PLURAL, f"run-{writes}")
        if operator.deaths() == died:
            break  # it lived longer than the run: every write was tried
    else:
        pytest.fail("a run needed more writes than can be")
