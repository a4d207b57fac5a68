"""Nodes that are none: kwok ends pods on them with the messages that a real batch would leave.

Two kinds: on `fast` nodes every container of a pod ends well within a second, on `held` ones pods run for ever.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import build
from tests.cluster.kubectl import Kubectl

from benchwarden_runner import protocol

FAST, HELD = "fast", "held"
LABEL = "benchmark.benchwarden.dev/kind"
_FAKE = "kwok.x-k8s.io/node"
_TELEMETRY = protocol.Telemetry(
    protocol.COMPLETED,
    612.345,
    turns=31,
    input_tokens=123_456,
    output_tokens=23_456,
    cache_read_tokens=2_345_678,
    cache_write_tokens=234_567,
    cost_usd="0.8342",
    cli_version="2.1.330",
    tools={"Bash": 21, "Edit": 9, "Read": 30},
)
_VERDICT = protocol.Verdict(protocol.RESOLVED, (3, 3), (40, 40), 81.5, "ab" * 32, 2345, "cd" * 32)

_STATUS = """
{{ $now := Now }}
conditions:
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: PodScheduled}
- {lastTransitionTime: {{ $now | Quote }}, status: "True", type: Initialized}
initContainerStatuses:
{{ range .spec.initContainers }}
- image: {{ .image | Quote }}
  imageID: "benchmark@sha256:IMAGE"
  name: {{ .name | Quote }}
  ready: true
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
      {{ if contains "agent-" .name }}
      message: AGENT
      {{ end }}
      {{ if contains "grade-" .name }}
      message: GRADE
      {{ end }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
{{ end }}
startTime: {{ $now | Quote }}
phase: Succeeded
"""
_RUNNING = """
{{ $now := Now }}
initContainerStatuses:
{{ range .spec.initContainers }}
- image: {{ .image | Quote }}
  imageID: "benchmark@sha256:IMAGE"
  name: {{ .name | Quote }}
  ready: false
  restartCount: 0
  state:
    running: {startedAt: {{ $now | Quote }}}
{{ end }}
startTime: {{ $now | Quote }}
phase: Pending
"""


def _filled(template: str) -> str:
    limit = protocol.message_limit_bytes(12)
    texts = {
        "IMAGE": "ef" * 32,
        "AGENT": json.dumps(protocol.encode(_TELEMETRY, limit).decode()),
        "GRADE": json.dumps(protocol.encode(_VERDICT, limit).decode()),
    }
    for name, text in texts.items():
        template = template.replace(name, text)
    return template


def _stage(name: str, kind: str, expressions: list[dict[str, Any]], then: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": expressions},
            "next": then,
        },
    }


def _alive(kind: str) -> list[dict[str, Any]]:
    return [
        {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
        {"key": ".status.startTime", "operator": "DoesNotExist"},
        {"key": f'.spec.nodeSelector["{LABEL}"]', "operator": "In", "values": [kind]},
    ]


def stages() -> str:
    """What kwok does with our nodes and pods, as its configuration file."""
    modules = subprocess.check_output(["go", "env", "GOMODCACHE"], text=True).strip()
    node = Path(
        modules,
        f"sigs.k8s.io/kwok@{build.KWOK.version}/kustomize/stage/node/fast/node-initialize.yaml",
    )
    deleted = [{"key": ".metadata.deletionTimestamp", "operator": "Exists"}]
    own = [
        _stage("pod-ends", "Pod", _alive(FAST), {"statusTemplate": _filled(_STATUS)}),
        _stage("pod-runs", "Pod", _alive(HELD), {"statusTemplate": _filled(_RUNNING)}),
        _stage("pod-delete", "Pod", deleted, {"delete": True}),
    ]
    return "---\n".join([node.read_text(), *(yaml.safe_dump(each) for each in own)])


@contextlib.contextmanager
def fake_nodes(kubectl: Kubectl, count: int) -> Iterator[str]:
    """Nodes of both kinds, kept ready by kwok until the end; yields the value that makes them ours."""
    if not count:
        yield ""
        return
    ours = f"b{uuid.uuid4().hex[:6]}"
    program = build.ensure(build.KWOK) / "kwok"
    nodes = [_node(f"{ours}-{kind}-{n}", kind, ours) for kind in (FAST, HELD) for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "kwok.yaml")
        configuration.write_text(stages())
        command = [
            *(
                str(program),
                "--config",
                str(configuration),
                "--kubeconfig",
                str(kubectl.kubeconfig),
            ),
            *(f"--manage-nodes-with-annotation-selector={_FAKE}={ours}",),
            *("--node-lease-duration-seconds=40", "--v=WARN"),
        ]
        # Debian's etcd 3.4 cannot serve the streamed lists that kwok's client would ask for first.
        environment = {**os.environ, "KUBE_FEATURE_WatchListClient": "false"}
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=environment
            )
        try:
            kubectl.apply(*nodes)
            kubectl.run(
                "wait", "--for=condition=Ready", "node", "-l", f"owner={ours}", "--timeout=60s",
                seconds=70,
            )  # fmt: skip
            yield ours
        finally:
            kubectl.run("delete", "nodes", "-l", f"owner={ours}", "--wait=false", seconds=120)
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            print(Path(folder, "log").read_text()[-500:], flush=True)


def _node(name: str, kind: str, ours: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {_FAKE: ours},
            "labels": {LABEL: kind, "owner": ours, "kubernetes.io/arch": "amd64"},
        },
        "spec": {"taints": [{"key": _FAKE, "value": ours, "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": "1k", "memory": "4Ti", "pods": "20k"}},
    }


def placement(kind: str, ours: str) -> dict[str, Any]:
    """Fields of spec.execution that bring a run's pods onto these nodes and no others."""
    toleration = {"key": _FAKE, "value": ours, "effect": "NoSchedule"}
    return {"nodeSelector": {LABEL: kind, "owner": ours}, "tolerations": [toleration]}
