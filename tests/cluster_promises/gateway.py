"""The chart's gateway in a namespace of its own, with HAProxy as Debian packages it, before the scripted API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.chart.generated import CHART
from tests.cluster import build, rootfs
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster
from tests.cluster_promises.claude_runs import SECRET, secret

from benchwarden import names

IMAGE = "localhost/benchwarden-haproxy:bookworm"
PACKAGES = ("ca-certificates", "haproxy")
NAME = "benchwarden-gateway"


@contextmanager
def a_gateway(
    cluster: Cluster, kubectl: Kubectl, upstream: str, folder: Path, **values: Any
) -> Iterator[Kubectl]:
    """A gateway for runs in the namespace of `kubectl`; yields the kubectl of the gateway's own namespace.

    Its namespace is at restricted Pod Security, and the only one with the key.
    """
    cluster.load(rootfs.base_image(PACKAGES, IMAGE))
    home = cluster.kubectl(f"{kubectl.namespace}-gw")
    run = cluster.kubectl().run
    run("create", "namespace", home.namespace)
    try:
        level = "pod-security.kubernetes.io/enforce=restricted"
        run("label", "namespace", home.namespace, level)
        home.apply(secret(), *rendered(home.namespace, kubectl.namespace, upstream, folder, values))
        home.run("rollout", "status", f"deployment/{NAME}", "--timeout=60s", seconds=70)
        yield home
    finally:
        run("delete", "namespace", home.namespace, "--wait=false")


def address(home: Kubectl, run: str) -> str:
    """Base URL of the gateway for a run."""
    return f"http://{NAME}.{home.namespace}.svc:8080/runs/{run}"


def told_of(home: Kubectl) -> dict[str, str]:
    """What the chart tells the operator of its gateway."""
    labels = home.get("deployment", NAME)["spec"]["selector"]["matchLabels"]
    return {
        names.ENV_GATEWAY_SERVICE: f"{NAME}.{home.namespace}",
        names.ENV_GATEWAY_LABELS: ",".join(f"{key}={value}" for key, value in labels.items()),
    }


def rendered(
    namespace: str, runs: str, upstream: str, folder: Path, values: dict[str, Any]
) -> list[dict[str, Any]]:
    """What the chart makes for the gateway, and nothing of the operator."""
    repository, _, tag = IMAGE.rpartition(":")
    given = {
        "watchNamespaces": [runs],
        "gateway": {
            "enabled": True,
            "image": {"repository": repository, "tag": tag},
            "upstream": upstream,
            "secret": {"name": SECRET},
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
            **values,
        },
    }
    path = folder / "gateway-values.json"
    path.write_text(json.dumps(given))
    command = [str(build.ensure(build.HELM) / "helm"), "template", "benchwarden", str(CHART)]
    command += ["-n", namespace, "-f", str(path), "-s", "templates/gateway.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]
