"""Decides which cluster the tests use: the one of KUBECONFIG when it answers, else our own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import config, images, lifecycle
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl, kubectl_program

SKIP_VARIABLE = "BENCHWARDEN_SKIP_CLUSTER"
BUSYBOX_VARIABLE = "BENCHWARDEN_BUSYBOX_IMAGE"
_FOREIGN_BUSYBOX = "busybox:1"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answers.

    Attributes:
        kubeconfig: Its kubeconfig.
        own: Whether it is the one this package brings up (images can be loaded, parts stopped).
        busybox: Reference of an image with a shell and no Python.
    """

    kubeconfig: Path
    own: bool
    busybox: str

    def kubectl(self, namespace: str = "default") -> Kubectl:
        """Return kubectl for a namespace of this cluster."""
        return Kubectl(self.kubeconfig, namespace)

    def load(self, archive: Path) -> list[str]:
        """Load an image archive and return the references in it.

        Raises:
            ClusterError: The cluster is not ours: its images come from its own registry.
        """
        if not self.own:
            raise ClusterError("images can only be loaded into the project's own test cluster")
        return images.import_image(config.paths(), archive)


def skipped() -> bool:
    """Return whether the user said that the cluster tests shall be skipped."""
    return os.environ.get(SKIP_VARIABLE, "") not in {"", "0"}


def find_or_start() -> Cluster:
    """Return the cluster of KUBECONFIG if it answers, else our own, brought up if need be.

    Raises:
        ClusterError: Neither is to be had; the message says why.
    """
    own = config.paths().kubeconfig
    given = os.environ.get("KUBECONFIG")
    if given and Path(given) != own and _answers(Path(given)):
        busybox = os.environ.get(BUSYBOX_VARIABLE, _FOREIGN_BUSYBOX)
        return Cluster(Path(given), own=False, busybox=busybox)
    lifecycle.up()
    return Cluster(own, own=True, busybox=config.BUSYBOX_IMAGE)


def _answers(kubeconfig: Path) -> bool:
    program = kubectl_program()
    if program is None or not kubeconfig.is_file():
        return False
    command = [program, f"--kubeconfig={kubeconfig}", "--request-timeout=5s"]
    command += ["get", "--raw", "/readyz"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=15, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
