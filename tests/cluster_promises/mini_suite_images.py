"""The mini suite in the test cluster: images made of our own base, tasks in the ConfigMap that the examples name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster
from tests.cluster.rootfs import base_image
from tests.layered_image import layer_on

from benchwarden.minisuite.image import image_layers

CONFIG_MAP = "mini-suite"
# The two that are hard for the infrastructure.
HANGS, NEEDS_MEMORY = "parse-1.20.2-hangs", "parse-1.20.2-needs-memory"


def load_images(cluster: Cluster, suite: Path) -> list[str]:
    """Put every image of the suite into the cluster under the name that its tasks give; the names."""
    layers = image_layers(suite)
    for reference, rootfs in layers.items():
        cluster.load(layer_on(base_image(), rootfs, reference))
    return list(layers)


def apply_tasks(kubectl: Kubectl, suite: Path) -> None:
    """Server-side: three quarters of a megabyte do not fit into client-side apply's annotation."""
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP},
        "data": {"tasks.jsonl": (suite / "tasks.jsonl").read_text()},
    }
    kubectl.run("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))
