"""kubectl apply a run, read true results: the whole path on a real API server and kubelet."""

import pytest
from tests.installed import (
    condition,
    install_inside,
    operator_outside,
    rows_of,
    run_manifest,
    suite_config_map,
    wait_for_end,
)
from tests.tiny_suite import task

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]


@pytest.fixture
def operator(kubectl, images, tmp_path):
    with operator_outside(
        kubectl, tmp_path / "operator.log", runner_image=images.runner
    ) as running:
        yield running
        assert running.alive(), (tmp_path / "operator.log").read_text()[-4000:]


def test_the_gold_patch_resolves_and_no_change_does_not(kubectl, operator, tiny_image):
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(3))))
    kubectl.apply(run_manifest("gold"), run_manifest("nothing", agent={"nop": {}}))
    gold = wait_for_end(kubectl, "gold")
    nothing = wait_for_end(kubectl, "nothing")
    assert condition(gold, "Succeeded")["reason"] == names.REASON_COMPLETED
    assert gold["status"]["resolvedOfTotal"] == "3/3"
    assert gold["status"]["passRate"] == "1.0000"
    assert nothing["status"]["resolvedOfTotal"] == "0/3"
    assert nothing["status"]["outcomes"] == {"empty_patch": 3}
    rows = rows_of(kubectl, gold)
    assert sorted(row.instance for row in rows) == ["t0", "t1", "t2"]
    assert all(row.agent_image_id == row.grade_image_id != "" for row in rows)
    # Nothing of the spec is copied into annotations, which a long one would outgrow.
    kept = gold["metadata"].get("annotations", {})
    assert set(kept) <= {"kubectl.kubernetes.io/last-applied-configuration"}
    assert "finalizers" not in gold["metadata"]


def test_the_operator_in_a_pod_with_exactly_its_role_does_the_same(kubectl, images, tiny_image):
    install_inside(kubectl, images)
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(2))), run_manifest("inside"))
    run = wait_for_end(kubectl, "inside")
    assert run["status"]["resolvedOfTotal"] == "2/2"
    columns = kubectl.run("get", "bmr", "inside").splitlines()
    assert "2/2" in columns[1]
