"""The store is compacted and the kinds are replaced in the middle of a run: it ends as if nothing had been."""

import asyncio
import http.client
import json
import socket
import time

import pytest
import yaml
from tests.cluster.components import etcd_socket
from tests.cluster.config import ClusterError, paths
from tests.cluster.lifecycle import start_component, stop_component
from tests.cluster_promises.go_between import a_go_between, drop, watches, well
from tests.cluster_promises.kept_operator import kept_operator
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    charges,
    run_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import await_true, ensure_crds, suite_config_map, wait_for_end

from benchwarden import names
from benchwarden.api.crd import render_all

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.long,
    pytest.mark.timeout(300),
]

SIX = {f"i{n}": "resolved" for n in range(6)}


@pytest.fixture(autouse=True)
def _our_cluster(cluster):
    if not cluster.own:
        pytest.skip("only the project's own store may be compacted, and its kinds replaced")


def in_the_middle_of_a_run(kubectl) -> None:
    kubectl.apply(suite_config_map(*(scripted(each, "sleep 5\n" + SOLVE) for each in SIX)))
    kubectl.apply(scripted_run("steady", execution={"batchSize": 3}))
    wait_for(kubectl, "steady", lambda run: run.get("status", {}).get("counts", {}).get("valid"))


class Etcd(http.client.HTTPConnection):
    """The store's own JSON door, on its socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(etcd_socket(paths())))

    def ask(self, what: str, **body) -> dict:
        self.request("POST", f"/v3/kv/{what}", json.dumps(body))
        answer = self.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return json.loads(said)


def compact_to_now() -> int:
    """Forget all history; the revision."""
    etcd = Etcd("localhost")
    try:
        revision = int(etcd.ask("range", key="AA==")["header"]["revision"])
        etcd.ask("compaction", revision=revision, physical=True)
    finally:
        etcd.close()
    return revision


def test_a_compacted_store_and_a_server_without_memory_lead_to_new_lists(
    kubectl, images, tiny_image, tmp_path
):
    """The operator is cut off; meanwhile pods end, history is compacted, and the server starts afresh."""

    async def nobody(request):
        # A new watch only waits: one that fails three times is given up for a list, and would try nothing.
        while watches(request) and between.mood is nobody:  # noqa: ASYNC110  # set by another thread
            await asyncio.sleep(0.1)
        if not watches(request):
            drop(request)
            raise ConnectionError

    with (
        a_go_between(kubectl.kubeconfig, tmp_path) as (between, kubeconfig),
        kept_operator(kubectl, images, tmp_path, kubeconfig) as kept,
    ):
        in_the_middle_of_a_run(kubectl)
        between.mood = nobody
        between.cut()
        time.sleep(8)  # of changes that nobody tells it
        stop_component("apiserver", kill=True)
        compact_to_now()
        start_component("apiserver")
        await_true(lambda: gives_watches(kubectl), 30, "the server gives watches again")
        lifted_at = time.monotonic()
        between.mood = well
        after = between.recovered_after(lifted_at)
        run = wait_for_end(kubectl, "steady", 150)
        print(f"\nrecovered after {after:.1f} s, {kept.restarts} restarts")
        assert between.gone, "no watch was too old: nothing was tried"
        assert_true_end(kubectl, run, SIX)
        assert charges(kubectl, run) == []


def gives_watches(kubectl) -> bool:
    """Whether the server has filled its memory; until then it asks watches to come later."""
    own = f"/apis/{names.GROUP}/{names.VERSION}"
    try:
        for each in ("/api/v1/pods", "/apis/batch/v1/jobs", f"{own}/{names.RUN_PLURAL}"):
            kubectl.run("get", "--raw", f"{each}?watch=1&timeoutSeconds=1&resourceVersion=0")
    except ClusterError:  # asked to come later
        return False
    return True


def definitions(change) -> str:
    documents = [yaml.safe_load(each) for each in render_all().values()]
    for each in documents:
        for version in each["spec"]["versions"]:
            change(version["schema"]["openAPIV3Schema"]["properties"])
    return yaml.safe_dump_all(documents)


def newer(properties) -> None:
    """As a later release may have it: more fields, defaults among them."""
    properties["spec"]["properties"]["later"] = {"type": "string", "default": "yes"}
    properties["status"]["properties"]["later"] = {"type": "integer"}


def replace_definitions(kubectl, text: str) -> None:
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)


def test_kinds_that_are_upgraded_and_rolled_back_in_the_middle_of_a_run_change_nothing_for_it(
    kubectl, images, tiny_image, tmp_path
):
    """An operator of this version reads objects of a later one too, as after its own rollback."""
    with watched_operator(kubectl, images, tmp_path) as operator:
        in_the_middle_of_a_run(kubectl)
        try:
            replace_definitions(kubectl, definitions(newer))
            wait_for(kubectl, "steady", lambda run: run["spec"].get("later") == "yes", 30)
            operator.kill()
            operator.start()
            wait_for(kubectl, "steady", lambda run: run["status"]["counts"]["valid"] >= 3, 60)
        finally:
            ensure_crds(kubectl)
        run = wait_for_end(kubectl, "steady", 120)
        assert_true_end(kubectl, run, SIX)
        assert charges(kubectl, run) == []
        assert "later" not in run_of(kubectl, "steady")["spec"]
        # What was written in between still validates: a change is taken.
        kubectl.run("annotate", names.RUN_PLURAL, "steady", "seen=yes")
