"""Agents that users bring, by their own command: secrets, usage, the network that they meet; and further examples."""

from pathlib import Path

import pytest
from tests.cluster_promises.own_operator import an_operator
from tests.installed import (
    condition,
    install_inside,
    rows_of,
    run_manifest,
    suite_config_map,
    wait_for_end,
)
from tests.tiny_suite import task

from benchwarden import names
from benchwarden_runner import protocol

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

EXAMPLES = Path(__file__).parents[2] / "examples"
TOKEN = "token-canary-51c07e2b9d"
FIX = r"""
set -eu
grep -q 'make it add' "$BENCHWARDEN_PROMPT_FILE"
test "$(cat)" = "$(cat "$BENCHWARDEN_PROMPT_FILE")"
test "$MY_TOKEN/$MY_MODE" = "token-canary-51c07e2b9d/careful"
echo "here is my token: $MY_TOKEN"
sed -i 's/1 - /1 + /' add.sh
echo '{"turns": 3, "inputTokens": 70, "outputTokens": 7, "costUsd": 0.25}' > "$BENCHWARDEN_USAGE_FILE"
"""


@pytest.fixture
def operator(kubectl, images, tmp_path):
    api_server = kubectl.get("services", "kubernetes", "--namespace=default")["spec"]
    address = f"{api_server['clusterIP']}:{api_server['ports'][0]['port']}"
    environment = {names.ENV_MUST_FAIL_ADDRESS: address}
    with an_operator(kubectl, tmp_path, images.runner, **environment) as running:
        yield running


def test_an_agent_of_ones_own_gets_prompt_and_secret_reports_usage_and_is_judged(
    kubectl, operator, tiny_image, cluster
):
    agent = {
        "exec": {
            "command": ["sh", "-c", FIX],
            "env": [
                {"name": "MY_TOKEN", "secretKeyRef": {"name": "mine", "key": "token"}},
                {"name": "MY_MODE", "value": "careful"},
            ],
        }
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mine"},
        "stringData": {"token": TOKEN},
    }
    tasks = [task("a"), task("no-secret", test_command='test -z "${MY_TOKEN-}" && sh add.sh 2 3')]
    kubectl.apply(secret, suite_config_map(*tasks), run_manifest("own", agent=agent))
    run = wait_for_end(kubectl, "own")
    rows = {row.instance: row for row in rows_of(kubectl, run)}
    assert {row.outcome for row in rows.values()} == {protocol.RESOLVED}
    assert (rows["a"].turns, rows["a"].input_tokens, rows["a"].output_tokens) == (3, 70, 7)
    assert rows["a"].cost_usd == "0.25"
    assert run["status"]["costUsd"] == "0.5000"
    assert networks(rows.values()) <= known_networks(cluster)


def networks(rows):
    return {row.network for row in rows}


def known_networks(cluster):
    """Nothing in our own cluster enforces policies; a foreign one may."""
    if cluster.own:
        return {protocol.NETWORK_OPEN}
    return {protocol.NETWORK_OPEN, protocol.NETWORK_ENFORCED}


@pytest.mark.long
def test_an_operator_in_a_pod_lets_agents_try_the_api_server(kubectl, images, tiny_image, cluster):
    install_inside(kubectl, images)
    kubectl.apply(suite_config_map(task("a")), run_manifest("inside"))
    rows = rows_of(kubectl, wait_for_end(kubectl, "inside"))
    assert networks(rows) <= known_networks(cluster)
    assert len(rows) == 1


@pytest.mark.long
def test_the_examples_of_an_own_agent_and_of_a_comparison_run_as_they_stand(
    kubectl, operator, tiny_image
):
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(10)), name="mini-suite"))
    for name in ("run-oracle", "compare", "run-exec"):
        kubectl.run("apply", "-f", str(EXAMPLES / f"{name}.yaml"))
    wait_for_end(kubectl, "compare")
    # It ends before its base may have; the comparison is made once both have.
    compared = kubectl.wait_until(
        [names.RUN_PLURAL, "compare"],
        lambda run: condition(run, "Regressed").get("status") in ("True", "False"),
        120,
    )
    own = wait_for_end(kubectl, "run-exec")
    assert condition(compared, "Regressed")["status"] == "True", compared["status"]
    assert condition(compared, "Regressed")["reason"] == names.REASON_WORSE
    assert compared["status"]["comparison"]["lost"] == 10
    assert own["status"]["outcomes"] == {protocol.UNRESOLVED: 20}
    assert condition(own, "Succeeded")["reason"] == names.REASON_COMPLETED
