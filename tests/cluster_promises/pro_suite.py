"""SWE-bench Pro as it is published, small: an image that holds the later history too, its row, and run scripts."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.images import busybox_image
from tests.cluster.reach import Cluster
from tests.cluster.rootfs import base_image
from tests.installed import run_manifest
from tests.layered_image import layer_on
from tests.unit.suites.pro_rows import Demo, demo, write_scripts

from benchwarden.suites.swebench_pro import IMAGE_REPOSITORY, WORKDIR

MIRROR = "localhost/sweap-images"
ROWS, SCRIPTS = "pro.jsonl", "run_scripts"
HALF_OF_IT = {"exec": {"command": ["sed", "-i", "s/return a - b/return a + b/", "calc.py"]}}


@dataclass(frozen=True)
class ProSuite:
    """One instance: its repository, its row, and a folder with what the operator reads."""

    demo: Demo
    row: dict[str, Any]
    folder: Path

    def run(self, name: str, agent: dict[str, Any], folder: str = "") -> dict[str, Any]:
        """A run whose suite lies in `folder` (as the operator sees it), its image on the mirror."""
        place = folder or str(self.folder)
        suite = {
            "source": {"path": f"{place}/{ROWS}"},
            "runScripts": {"path": f"{place}/{SCRIPTS}"},
        }
        rewrites = [{"prefix": IMAGE_REPOSITORY, "replacement": MIRROR}]
        execution = {"imageRewrites": rewrites}
        return run_manifest(name, suite={"swebenchPro": suite}, agent=agent, execution=execution)


def load_suite(cluster: Cluster, folder: Path, tag: str) -> ProSuite:
    """Make the suite in a folder and load its instance's image under a tag of its own."""
    made = demo(folder / "layer" / WORKDIR.strip("/"))
    _load(cluster, base_image(), folder / "layer", f"{MIRROR}:{tag}")
    row = made.row(dockerhub_tag=tag)
    suite = folder / "suite"
    write_scripts(suite, row["instance_id"])
    (suite / ROWS).write_text(f"{json.dumps(row)}\n")
    return ProSuite(made, row, suite)


def image_of_suite(cluster: Cluster, suite: ProSuite, reference: str) -> None:
    """Load an image that holds the suite's files at /suites."""
    layer = suite.folder.parent / "suite-layer"
    shutil.copytree(suite.folder, layer / "suites")
    _load(cluster, busybox_image(), layer, reference)


def _load(cluster: Cluster, base: Path, layer: Path, reference: str) -> None:
    archive = layer_on(base, layer, reference)
    try:
        cluster.load(archive)
    finally:
        archive.unlink()  # commits have times, so that nobody asks for this one again
