"""What kubectl and Prometheus show of runs: filled columns, telling events, valid metrics."""

import re
import shutil
import subprocess
import urllib.request

import pytest
from tests.cluster_promises.scene import (
    SOLVE,
    await_work,
    events_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.installed import suite_config_map, wait_for_end

from benchwarden import names

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path):
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def columns(kubectl, name: str) -> dict[str, str]:
    head, line = (
        re.split(r" {2,}", each.strip()) for each in kubectl.run("get", "bmr", name).splitlines()
    )
    return dict(zip(head, line, strict=True))


def test_get_describe_and_metrics_tell_how_a_run_goes(kubectl, operator):
    kubectl.apply(
        suite_config_map(
            scripted("good"), scripted("bad", "true"), scripted("slow", "sleep 8\n" + SOLVE)
        )
    )
    kubectl.apply(scripted_run("shown", execution={"batchSize": 3}))
    run = wait_for(kubectl, "shown", lambda run: run.get("status", {}).get("progress") == "2/3")
    await_work(kubectl, run, "slow")
    kubectl.run(
        "delete", "pods", "-l", f"{names.LABEL_RUN_UID}={run['metadata']['uid']}", "--wait=false"
    )
    seen = columns(kubectl, "shown")
    assert seen["PROGRESS"] == "2/3"
    run = wait_for_end(kubectl, "shown", 90)
    seen = columns(kubectl, "shown")
    assert seen.pop("AGE")
    assert seen == {
        "NAME": "shown",
        "SUITE": "suite",
        "AGENT": "exec",
        "PROGRESS": "3/3",
        "RESOLVED": "2/3",
        "PASS RATE": "0.6667",
        "STATUS": "Completed",
    }
    told = events_of(kubectl, run)
    assert {"Planned", "InfrastructureFailure", "Completed"} <= set(told)
    assert "slow (PodDeleted)" in told["InfrastructureFailure"]
    described = kubectl.run("describe", "bmr", "shown")
    for word in ("Accepted", "Planned", "Progressing", "Succeeded", "Pass Rate", "Events:"):
        assert word in described
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    checked = subprocess.run(
        [shutil.which("promtool") or "promtool", "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert not checked.stdout + checked.stderr
    lines = [line for line in page.splitlines() if 'run="shown"' in line]
    assert any("pass_ratio" in line and line.endswith(" 0.6666666666666666") for line in lines), (
        lines
    )
