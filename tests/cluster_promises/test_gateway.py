"""Credentials by gateway: the real CLI works through the chart's HAProxy, and no pod of the run has the key."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.claude_image import ensure_claude_image
from tests.cluster_promises.claude_runs import (
    KEY,
    SECRET,
    Witness,
    claude_run,
    messages_api,
    secret,
)
from tests.cluster_promises.gateway import NAME, a_gateway, address, told_of
from tests.cluster_promises.own_operator import an_operator
from tests.installed import condition, ensure_crds, rows_of, suite_config_map
from tests.scripted_api.script import bash
from tests.tiny_suite import task

from benchwarden import names
from benchwarden_runner import protocol

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.claude, pytest.mark.timeout(400)]

# The key in two halves, and never an argument: the words of the search must not be what it finds.
SEARCH = f"""a={KEY[:20]}; b={KEY[20:]}; k=$a$b
found=nowhere
case "$(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n')" in
  *$k*) found=processes ;;
esac
case "$(env)" in *$k*) found=environment ;; esac
printf %s "$k" > /dev/shm/wanted
find / \\( -path /proc -o -path /sys -o -path /dev/shm/wanted \\) -prune -o -type f -size -20M -print0 2>/dev/null |
  xargs -0 grep -lsF -f /dev/shm/wanted > /dev/shm/files
if [ -s /dev/shm/files ]; then found=files; fi
rm /dev/shm/wanted
echo "# key: $found" >> add.sh
sed -i 's/1 - /1 + /' add.sh
"""
ASK_FOR_MORE = """python3 - <<'EOF' >> add.sh
import os, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["ANTHROPIC_BASE_URL"] + "/v1/files", timeout=10)
    print("# files: open")
except urllib.error.HTTPError as error:
    print(f"# files: {error.code}")
EOF
"""
TALKS = [
    {"match": "<seeks>", "turns": [bash(SEARCH)]},
    {"match": "<asks>", "turns": [bash(ASK_FOR_MORE)]},
]
NO_FILES = "grep -qx '# files: 404' add.sh"
PASSES = 'test "$(sh add.sh 2 3)" = 5'


@pytest.fixture(scope="module")
def runner(cluster) -> str:
    """The runner image with Claude Code."""
    if not cluster.own:
        pytest.skip(
            "the scripted API listens where only pods of the project's own cluster reach it"
        )
    ensure_crds(cluster.kubectl())
    return ensure_claude_image(cluster)


def through(home, api, run, **more):
    """A run whose requests go through the gateway."""
    manifest = claude_run(run, api, **more)
    agent = manifest["spec"]["agent"]["claudeCode"]
    agent |= {"baseUrl": address(home, run), "credentials": {"mode": "gateway"}}
    return manifest


def secrets_in(thing) -> list[str]:
    """Every way in which a pod can be given a Secret, wherever in the object it stands."""
    if isinstance(thing, list):
        return [found for each in thing for found in secrets_in(each)]
    if not isinstance(thing, dict):
        return []
    own = [key for key in thing if key in {"secretKeyRef", "secretRef", "secretName", "secret"}]
    return own + [found for each in thing.values() for found in secrets_in(each)]


@dataclass
class PodWitness(Witness):
    """Keeps the specification of every pod it saw, too."""

    specs: dict[str, Any] = field(default_factory=dict)

    def look(self) -> None:
        super().look()
        for pod in self.kubectl.get("pods,jobs")["items"]:
            spec = pod["spec"] if pod["kind"] == "Pod" else pod["spec"]["template"]["spec"]
            self.specs[f"{pod['kind']}/{pod['metadata']['name']}"] = spec


@pytest.mark.early
def test_the_cli_works_through_the_gateway_and_no_pod_of_the_run_has_the_key(
    cluster, kubectl, runner, tiny_image, tmp_path
):
    slow_down = {"kind": "status", "status": 429, "type": "rate_limit_error", "match": "<asks>"}
    faults = [{**slow_down, "headers": {"retry-after": "1"}}]
    told = {"seeks": f"{PASSES} && grep -qx '# key: nowhere' add.sh", "asks": NO_FILES}
    tasks = [
        task(name, prompt=f"add, <{name}>", test_command=f"cat add.sh; {test}")
        for name, test in told.items()
    ]
    with (
        messages_api(conversations=TALKS, faults=faults) as api,
        a_gateway(cluster, kubectl, api.base_url, tmp_path) as home,
        an_operator(kubectl, tmp_path, runner, **told_of(home)) as operator,
    ):
        witness = PodWitness(kubectl, operator)
        kubectl.apply(suite_config_map(*tasks), through(home, api, "guarded"))
        run = witness.watch("guarded")
        log = home.run("logs", f"deployment/{NAME}")
        gateway = home.get("pods")["items"]

    rows = {row.instance: row for row in rows_of(kubectl, run)}
    assert {name: row.outcome for name, row in rows.items()} == dict.fromkeys(
        ("seeks", "asks"), protocol.RESOLVED
    )
    assert rows["asks"].throttle_seconds > 0  # a refusal and its Retry-After come through
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED

    # Neither in what the pods were given, nor in anything that they wrote.
    assert kubectl.get("secrets")["items"] == []
    assert len(witness.specs) >= 3  # the probe and both batches
    for spec in witness.specs.values():
        assert secrets_in(spec) == []
        assert spec["automountServiceAccountToken"] is False
    assert [where for where, text in witness.words.items() if KEY in text] == []

    assert "app.kubernetes.io/component: gateway" in witness.words["networkpolicies"]

    # The scripted API takes the key only: the gateway added it, and took the run's name away.
    assert {request["path"] for request in api.requests} == {"/v1/messages"}
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {line["run"] for line in lines} == {"guarded"}
    assert {line["status"] for line in lines} == {200, 404, 429}
    assert KEY not in log
    assert [each["spec"]["automountServiceAccountToken"] for each in gateway] == [False]
    assert secrets_in([each["spec"] for each in gateway]) == ["secretKeyRef"]


@pytest.mark.early
def test_the_same_search_finds_a_key_that_is_there(kubectl, runner, tiny_image, tmp_path):
    found = "cat add.sh; grep -Eqx '# key: (environment|processes|files)' add.sh"
    with (
        messages_api(conversations=TALKS) as api,
        an_operator(kubectl, tmp_path, runner) as operator,
    ):
        witness = Witness(kubectl, operator)
        kubectl.apply(
            secret(), suite_config_map(task("seeks", prompt="<seeks>", test_command=found))
        )
        kubectl.apply(claude_run("open", api))
        run = witness.watch("open")
    assert [row.outcome for row in rows_of(kubectl, run)] == [protocol.RESOLVED]
    assert f"name: {SECRET}" in witness.words["jobs"]


@pytest.mark.early
def test_without_its_key_the_gateway_is_no_way_in(cluster, kubectl, runner, tiny_image, tmp_path):
    with (
        messages_api(keys=["another"]) as api,
        a_gateway(cluster, kubectl, api.base_url, tmp_path) as home,
        an_operator(kubectl, tmp_path, runner) as operator,
    ):
        kubectl.apply(suite_config_map(task("a")), through(home, api, "refused"))
        run = Witness(kubectl, operator).watch("refused")
    assert condition(run, "Succeeded")["reason"] == names.REASON_AUTHENTICATION_FAILED
    assert rows_of(kubectl, run) == []
