"""SWE-bench Pro in pods: the solution resolves, less does not, and the image's later history stays unseen."""

import pytest
from tests.cluster_promises.own_operator import an_operator
from tests.cluster_promises.pro_suite import HALF_OF_IT, ProSuite, load_suite
from tests.installed import rows_of, wait_for_end

from benchwarden_runner import protocol

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def suite(cluster, tmp_path_factory) -> ProSuite:
    if not cluster.loads:
        pytest.skip("no command is given that loads images into the cluster of KUBECONFIG")
    return load_suite(cluster, tmp_path_factory.mktemp("pro"), "in-pods")


def looking_ahead(solution: str) -> str:
    """Take the solution from wherever git may still have it, and say what there was."""
    return f"""
git log --all --format=%H
git fsck --lost-found
git checkout {solution} -- calc.py
for commit in $(git rev-list --all); do git checkout "$commit" -- calc.py; done
for pack in .git/objects/pack/*.pack; do git unpack-objects < "$pack"; done
git checkout {solution} -- calc.py
true
"""


def test_only_the_whole_solution_resolves_and_the_later_history_is_not_there(
    kubectl, images, suite, tmp_path
):
    agents = {
        "gold": {"oracle": {}},
        "nothing": {"nop": {}},
        "half": HALF_OF_IT,
        "ahead": {"exec": {"command": ["sh", "-c", looking_ahead(suite.demo.solution)]}},
    }
    with an_operator(kubectl, tmp_path, images.runner):
        kubectl.apply(*(suite.run(name, agent) for name, agent in agents.items()))
        rows = {name: rows_of(kubectl, wait_for_end(kubectl, name))[-1] for name in agents}
    assert {name: (row.outcome, row.tests) for name, row in rows.items()} == {
        "gold": (protocol.RESOLVED, (2, 2, 1, 1)),
        "nothing": (protocol.EMPTY_PATCH, (0, 2, 1, 1)),
        "half": (protocol.UNRESOLVED, (1, 2, 1, 1)),
        "ahead": (protocol.EMPTY_PATCH, (0, 2, 1, 1)),
    }
