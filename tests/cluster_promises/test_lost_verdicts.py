"""A pod that went while nobody looked: its trials are run again, and that is counted."""

from __future__ import annotations

import urllib.request

import pytest
from tests.cluster_promises.scene import (
    assert_true_end,
    await_work,
    run_of,
    scripted,
    scripted_run,
    watched_operator,
)
from tests.installed import await_true, suite_config_map, wait_for_end

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.early, pytest.mark.timeout(900)]

# An operator that comes back gives its sight of pods three minutes before it believes a Job's word alone.
PATIENCE_SECONDS = 400


def lost(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return next(
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("benchwarden_lost_verdicts_total ")
    )


def test_a_pod_deleted_while_the_operator_was_away_is_counted_and_run_again(
    kubectl, images, tiny_image, tmp_path
):
    slow = "sleep 3\nsed -i 's/ - / + /' add.sh\n"
    kubectl.apply(suite_config_map(scripted("t0", slow)), scripted_run("seen-by-nobody"))
    with watched_operator(kubectl, images, tmp_path) as operator:
        await_true(lambda: run_of(kubectl, "seen-by-nobody").get("status"), 60, "the run is seen")
        run = run_of(kubectl, "seen-by-nobody")
        pod = await_work(kubectl, run, "t0", 90)
        assert lost(operator.port) == 0
        operator.kill()
        name = pod["metadata"]["name"]
        kubectl.run("delete", "pod", name, "--force", "--grace-period=0", "--wait=true")
        operator.start()
        run = wait_for_end(kubectl, "seen-by-nobody", PATIENCE_SECONDS)
        assert_true_end(kubectl, run, {"t0": "resolved"})
        assert lost(operator.port) == 1
