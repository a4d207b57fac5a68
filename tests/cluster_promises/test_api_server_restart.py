"""The API server goes away in the middle of a run and comes back: the run ends as if nothing had been."""

import time

import pytest
from tests.cluster.lifecycle import start_component, stop_component
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    charges,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import suite_config_map, wait_for_end

pytestmark = [pytest.mark.cluster, pytest.mark.disruptive, pytest.mark.timeout(250)]


@pytest.mark.long
def test_a_run_survives_a_restart_of_the_api_server(cluster, kubectl, images, tiny_image, tmp_path):
    if not cluster.own:
        pytest.skip("only the project's own cluster may lose its API server")
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", "sleep 4\n" + SOLVE) for n in range(6))))
    with watched_operator(kubectl, images, tmp_path):
        kubectl.apply(scripted_run("survivor", execution={"batchSize": 3}))
        wait_for(
            kubectl, "survivor", lambda run: run.get("status", {}).get("counts", {}).get("valid")
        )
        stop_component("apiserver", kill=True)
        time.sleep(20)  # longer than the lease of 15 s: the fence must close and open again
        start_component("apiserver")
        run = wait_for_end(kubectl, "survivor", 150)
        assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(6)})
        assert charges(kubectl, run) == []
