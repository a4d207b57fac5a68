"""The mini suite on the cluster, by the examples as they stand: real fixes resolve, hard cases end in their classes."""

from pathlib import Path

import pytest
from tests.cluster_promises.mini_suite_images import HANGS, NEEDS_MEMORY, apply_tasks, load_images
from tests.cluster_promises.own_operator import an_operator
from tests.installed import condition, rows_of, wait_for_end
from tests.mini_suite import ensure_mini_suite

from benchwarden import names
from benchwarden.results import row as kinds
from benchwarden_runner import protocol

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def suite(cluster) -> Path:
    found = ensure_mini_suite()
    if cluster.loads:
        load_images(cluster, found)
    return found


@pytest.fixture
def operator(kubectl, images, tmp_path):
    with an_operator(kubectl, tmp_path, images.runner) as running:
        yield running


def apply_example(kubectl, name: str) -> None:
    kubectl.run("apply", "-f", str(EXAMPLES / f"{name}.yaml"))


def verdicts(rows):
    return {row.instance: row.outcome for row in rows if row.kind == kinds.KIND_VERDICT}


@pytest.mark.early
def test_the_reference_fixes_resolve_the_hard_cases_end_in_their_classes_and_doing_nothing_fails(
    kubectl, operator, suite
):
    apply_tasks(kubectl, suite)
    apply_example(kubectl, "run-oracle")
    apply_example(kubectl, "run-nop")
    nothing = wait_for_end(kubectl, "run-nop")
    assert nothing["status"]["outcomes"] == {protocol.EMPTY_PATCH: 4}
    assert nothing["status"]["resolvedOfTotal"] == "0/4"

    gold = wait_for_end(kubectl, "run-oracle", seconds=400)
    rows = rows_of(kubectl, gold)
    judged = verdicts(rows)
    assert judged.pop(NEEDS_MEMORY) == protocol.AGENT_OOM
    assert set(judged.values()) == {protocol.RESOLVED}
    assert len(judged) == 12
    hanging = [row for row in rows if row.instance == HANGS]
    assert {(row.kind, row.outcome, row.reason) for row in hanging} == {
        (kinds.KIND_CHARGE, protocol.GRADER_ERROR, protocol.REASON_GRADE_TIMEOUT)
    }
    assert len(hanging) == 3
    assert all(15 < row.grade_seconds < 40 for row in hanging)
    assert gold["status"]["resolvedOfTotal"] == "12/13"
    assert condition(gold, "Succeeded")["reason"] == names.REASON_COMPLETED_WITH_MISSING
    assert all(row.agent_image_id == row.grade_image_id != "" for row in rows)
