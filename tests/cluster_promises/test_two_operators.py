"""Two operators never write at once: the lease lets one wait until the other is dead."""

import pytest
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    charges,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import await_true, suite_config_map, wait_for_end

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


def called(name: str) -> dict[str, dict[str, str]]:
    return {"environment": {names.ENV_POD_NAME: name}}


def holder(kubectl) -> str:
    leases = kubectl.get("leases")["items"]
    return leases[0]["spec"].get("holderIdentity", "") if leases else ""


def test_the_second_waits_for_the_lease_and_finishes_what_the_first_began(
    kubectl, images, tiny_image, tmp_path
):
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", "sleep 8\n" + SOLVE) for n in range(3))))
    with watched_operator(kubectl, images, tmp_path, name="first", **called("first")) as one:
        await_true(lambda: holder(kubectl) == "first", 30, "nobody holds the lease")
        with watched_operator(kubectl, images, tmp_path, name="second", **called("second")):
            kubectl.apply(scripted_run("shared", execution={"batchSize": 3}))
            wait_for(kubectl, "shared", lambda run: run.get("status", {}).get("progress") == "1/3")
            assert holder(kubectl) == "first"
            one.kill()
            run = wait_for_end(kubectl, "shared", 90)
            assert holder(kubectl) == "second"
            assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(3)})
            assert charges(kubectl, run) == []
        one.start()
