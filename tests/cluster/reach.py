"""Decides which cluster the tests use: the one of KUBECONFIG when it answers, else our own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster import config, images, lifecycle
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl, kubectl_program

SKIP_VARIABLE = "BENCHWARDEN_SKIP_CLUSTER"
BUSYBOX_VARIABLE = "BENCHWARDEN_BUSYBOX_IMAGE"
# A command that puts an image archive into every node of the cluster of KUBECONFIG; the path is appended.
LOAD_VARIABLE = "BENCHWARDEN_LOAD_IMAGE"
_FOREIGN_BUSYBOX = "busybox:1"
_KIND_CONTEXT = "kind-"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answers.

    Attributes:
        kubeconfig: Its kubeconfig.
        own: Whether it is the one this package brings up (images can be loaded, parts stopped).
        busybox: Reference of an image with a shell and no Python.
        loader: Command that loads an image archive into a cluster that is not ours; empty when there is none.
    """

    kubeconfig: Path
    own: bool
    busybox: str
    loader: tuple[str, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether images made here can be put into this cluster."""
        return self.own or bool(self.loader)

    def kubectl(self, namespace: str = "default") -> Kubectl:
        """Return kubectl for a namespace of this cluster."""
        return Kubectl(self.kubeconfig, namespace)

    def load(self, archive: Path) -> list[str]:
        """Load an image archive and return the references in it.

        Raises:
            ClusterError: There is no way to load, or it failed; the message says what to set.
        """
        if self.own:
            return images.import_image(config.paths(), archive)
        if not self.loader:
            raise ClusterError(
                f"no image can be loaded into the cluster of KUBECONFIG: set {LOAD_VARIABLE} to a command"
                " that takes an archive's path, such as 'kind load image-archive'"
            )
        done = subprocess.run(
            [*self.loader, str(archive)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ClusterError(f"{shlex.join(self.loader)} {archive}: {done.stderr.strip()[-500:]}")
        return names_in(archive)


def names_in(archive: Path) -> list[str]:
    """Return the references that an image archive (docker layout) gives its images."""
    with tarfile.open(archive) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        return [name for image in json.load(manifest) for name in image.get("RepoTags") or ()]


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
        return _foreign(Path(given))
    lifecycle.up()
    return Cluster(own, own=True, busybox=config.BUSYBOX_IMAGE)


def _foreign(kubeconfig: Path) -> Cluster:
    loader = tuple(shlex.split(os.environ.get(LOAD_VARIABLE, ""))) or _kind_loader(kubeconfig)
    named = os.environ.get(BUSYBOX_VARIABLE)
    cluster = Cluster(kubeconfig, own=False, busybox=named or _FOREIGN_BUSYBOX, loader=loader)
    if named or not loader:
        return cluster
    cluster.load(images.busybox_image())
    return replace(cluster, busybox=config.BUSYBOX_IMAGE)


def _kind_loader(kubeconfig: Path) -> tuple[str, ...]:
    """How kind loads, if the context is one that kind names and kind is installed."""
    command = [kubectl_program() or "kubectl", f"--kubeconfig={kubeconfig}"]
    command += ["config", "current-context"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    context = done.stdout.strip()
    if not context.startswith(_KIND_CONTEXT) or shutil.which("kind") is None:
        return ()
    return ("kind", "load", "image-archive", "--name", context.removeprefix(_KIND_CONTEXT))


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
