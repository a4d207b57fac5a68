"""What the promises' tests have in common: tasks whose prompt is the agent's script, and how to read a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl
from tests.installed import (
    Images,
    Outside,
    await_true,
    condition,
    free_port,
    operator_outside,
    rows_of,
    run_manifest,
)
from tests.tiny_suite import task

from benchwarden import names
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT

SOLVE = "sed -i 's/ - / + /' add.sh\n"
# The prompt is the script: each instance has an agent of its own, whatever the batch.
SCRIPTED = {"exec": {"command": ["sh", "-c", 'exec sh "$BENCHWARDEN_PROMPT_FILE"']}}
SMALL = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
EAT_MEMORY = "python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'"

NOWHERE = {"workdir": "/nowhere"}  # no work tree: the harness, thus missing
BURST = "python3 -c 'x = b\"x\" * (1 << 30)'"  # faster than any supervisor looks


def scripted(id: str, script: str = SOLVE, **changes: Any) -> dict[str, Any]:
    """A task whose agent does what `script` says."""
    return task(id, prompt=script, **changes)


def scripted_run(name: str, suite: str = "suite", **spec: Any) -> dict[str, Any]:
    """A run whose agents do what their prompts say, in small pods."""
    execution = {"resources": SMALL, **spec.pop("execution", {})}
    source = {"tasks": {"source": {"configMap": {"name": suite}}}}
    return run_manifest(
        name, **{"suite": source, "agent": SCRIPTED, **spec, "execution": execution}
    )


def run_of(kubectl: Kubectl, name: str) -> Any:
    return kubectl.get(names.RUN_PLURAL, name)


def wait_for(kubectl: Kubectl, name: str, holds: Callable[[Any], bool], seconds: float = 60) -> Any:
    return kubectl.wait_until([names.RUN_PLURAL, name], holds, seconds)


def selector(run: Any, role: str = "") -> str:
    chosen = f"{names.LABEL_RUN_UID}={run['metadata']['uid']}"
    return f"{chosen},{names.LABEL_ROLE}={role}" if role else chosen


def jobs_of(kubectl: Kubectl, run: Any) -> list[Any]:
    return list(kubectl.get("jobs", "-l", selector(run, names.ROLE_BATCH))["items"])


def pods_of(kubectl: Kubectl, run: Any) -> list[Any]:
    return list(kubectl.get("pods", "-l", selector(run, names.ROLE_BATCH))["items"])


def instances_in(thing: Any) -> list[str]:
    """Instances that a Job or pod holds."""
    return [
        each[0] for each in json.loads(thing["metadata"]["annotations"][names.ANNOTATION_MEMBERS])
    ]


def working_on(kubectl: Kubectl, run: Any, instance: str) -> Any:
    """The pod whose agent works on `instance` now, or None."""
    for pod in pods_of(kubectl, run):
        if instance not in instances_in(pod) or pod["metadata"].get("deletionTimestamp"):
            continue
        wanted = f"{names.AGENT_PREFIX}{instances_in(pod).index(instance)}"
        for status in pod.get("status", {}).get("initContainerStatuses", ()):
            if status["name"] == wanted and "running" in status["state"]:
                return pod
    return None


def await_work(kubectl: Kubectl, run: Any, instance: str, seconds: float = 60) -> Any:
    found: list[Any] = []

    def works() -> bool:
        pod = working_on(kubectl, run, instance)
        if pod is not None:
            found.append(pod)
        return pod is not None

    await_true(works, seconds, f"no agent works on {instance}")
    return found[0]


def verdicts(kubectl: Kubectl, run: Any) -> dict[tuple[str, int], str]:
    """Outcome by (instance, trial), after seeing that there is exactly one each."""
    rows = [row for row in rows_of(kubectl, run) if row.kind == KIND_VERDICT]
    counted = Counter(row.key for row in rows)
    assert set(counted.values()) <= {1}, counted
    return {tuple(row.key): row.outcome for row in rows}


def charges(kubectl: Kubectl, run: Any) -> list[tuple[str, str]]:
    """(instance, class) of what was charged, in order."""
    found = [row for row in rows_of(kubectl, run) if row.kind == KIND_CHARGE]
    print(*((row.instance, row.launch, row.outcome, row.reason) for row in found), sep="\n")
    return [(row.instance, row.outcome) for row in found]


def assert_true_end(
    kubectl: Kubectl, run: Any, outcomes: dict[str, str], reason: str = names.REASON_COMPLETED
) -> None:
    """The run ended with exactly these verdicts, its status says the same, and nothing is left over."""
    assert condition(run, "Succeeded")["reason"] == reason, run["status"]
    found = verdicts(kubectl, run)
    assert {instance: outcome for (instance, _), outcome in found.items()} == outcomes
    counts = run["status"]["counts"]
    assert counts["valid"] == len(found)
    assert counts["resolved"] == sum(each == "resolved" for each in found.values())
    assert counts["planned"] == counts["valid"] + counts["missing"]
    assert_nothing_left(kubectl, run)


def assert_nothing_left(kubectl: Kubectl, run: Any, seconds: float = 120) -> None:
    """Only the plan, the results and the network policy of an ended run remain.

    The cluster's own garbage collector waits up to a minute after its API server was away.
    """

    def clean() -> bool:
        left = kubectl.get("jobs,pods,configmaps", "-l", selector(run))["items"]
        roles = [each["metadata"]["labels"][names.LABEL_ROLE] for each in left]
        return sorted(set(roles)) == [names.ROLE_PLAN, names.ROLE_RESULTS] and roles.count(
            names.ROLE_RESULTS
        ) == len(run["status"]["results"])

    await_true(clean, seconds, "something of the run is left over")


def events_of(kubectl: Kubectl, run: Any) -> dict[str, str]:
    """Messages of the run's events by reason, joined by line feeds."""
    chosen = f"involvedObject.uid={run['metadata']['uid']}"
    found = kubectl.get("events", f"--field-selector={chosen}")["items"]
    told: dict[str, str] = {}
    for each in found:
        told[each["reason"]] = f"{told.get(each['reason'], '')}{each['message']}\n"
    return told


@contextmanager
def watched_operator(
    kubectl: Kubectl, images: Images, folder: Path, **options: Any
) -> Iterator[Outside]:
    """An operator beside the cluster that must still live at the end and must have said nothing bad."""
    log = folder / f"{options.get('name', 'operator')}.log"
    options.pop("name", None)
    options = {"runner_image": images.runner, "port": free_port(), **options}
    with operator_outside(kubectl, log, **options) as running:
        yield running
        assert running.alive(), log.read_text()[-4000:]
        assert "Traceback" not in log.read_text(), log.read_text()[-4000:]


def change(kubectl: Kubectl, name: str, **spec: Any) -> None:
    """Merge `spec` into that of a run."""
    kubectl.run("patch", names.RUN_PLURAL, name, "--type=merge", "-p", json.dumps({"spec": spec}))


def reason(run: Any, kind: str = "Progressing") -> str:
    return str(condition(run, kind).get("reason"))
