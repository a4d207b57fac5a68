"""A registry that refuses or is away: the run waits and says why; what does not come back is missing, not failed."""

import tempfile
import uuid
from pathlib import Path

import pytest
from tests.cluster.image_registry import a_registry
from tests.cluster.rootfs import base_image
from tests.cluster_promises.scene import (
    assert_true_end,
    charges,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import condition, ended, suite_config_map, wait_for_end
from tests.layered_image import layer_on
from tests.tiny_suite import make_repository

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


@pytest.fixture
def registry(cluster):
    """A registry with an image that the node cannot have yet: its last layer is new each time."""
    if not cluster.own:
        pytest.skip("the registry must be on the node's own machine")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "layer"
        make_repository(folder / "repo")
        (folder / "unique").write_text(uuid.uuid4().hex)
        archive = layer_on(base_image(), folder, "localhost/benchwarden-pulled:1")
    try:
        with a_registry(archive) as serving:
            yield serving
    finally:
        archive.unlink()


def start(kubectl, registry, name: str, **execution) -> None:
    pulled = scripted("pulled", image=registry.image(name))
    kubectl.apply(suite_config_map(scripted("first"), pulled, scripted("third")))
    kubectl.apply(scripted_run(name, execution={"batchSize": 3, **execution}))


def waits_with_the_kubelets_words(kubectl, name: str) -> str:
    run = wait_for(
        kubectl,
        name,
        lambda run: "container" in str(condition(run, "Progressing").get("message")) or ended(run),
        90,
    )
    told = condition(run, "Progressing")
    assert (told["status"], told["reason"]) == ("True", names.REASON_WAITING_FOR_PODS)
    return str(told["message"])


def test_an_image_from_a_registry_is_pulled_and_the_run_goes_through(kubectl, operator, registry):
    start(kubectl, registry, "served")
    run = wait_for_end(kubectl, "served", 120)
    assert registry.asked["GET", 200] >= 2, registry.asked
    assert_true_end(kubectl, run, dict.fromkeys(("first", "pulled", "third"), "resolved"))
    assert charges(kubectl, run) == []


@pytest.mark.parametrize("fault", ["429", "500", "away"])
def test_a_registry_that_recovers_in_time_costs_only_time(kubectl, operator, registry, fault):
    trouble(registry, fault)
    start(kubectl, registry, f"late-{fault}", pendingTimeoutSeconds=150)
    message = waits_with_the_kubelets_words(kubectl, f"late-{fault}")
    assert registry.image(f"late-{fault}") in message
    assert {"429": "429", "500": "500", "away": "refused"}[fault] in message
    relief(registry, fault)
    run = wait_for_end(kubectl, f"late-{fault}", 150)
    assert_true_end(kubectl, run, dict.fromkeys(("first", "pulled", "third"), "resolved"))
    assert charges(kubectl, run) == []


def trouble(registry, fault: str) -> None:
    if fault == "away":
        registry.close()
    else:
        registry.refuse, registry.retry_after_seconds = int(fault), 5


def relief(registry, fault: str) -> None:
    registry.refuse = 0
    if fault == "away":
        registry.open()


def test_a_registry_that_keeps_refusing_makes_its_own_instance_missing(kubectl, operator, registry):
    trouble(registry, "429")
    execution = {"pendingTimeoutSeconds": 20, "infraRetriesPerTrial": 1}
    start(kubectl, registry, "refused", **execution)
    assert "429" in waits_with_the_kubelets_words(kubectl, "refused")
    run = wait_for_end(kubectl, "refused", 150)
    assert charges(kubectl, run) == [("pulled", "image_pull")] * 2
    assert_true_end(
        kubectl,
        run,
        {"first": "resolved", "third": "resolved"},
        names.REASON_COMPLETED_WITH_MISSING,
    )
    assert registry.asked["HEAD", 429] + registry.asked["GET", 429] >= 2
