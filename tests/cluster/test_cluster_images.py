"""A Dockerfile is built on the base image, and the machine's settings stay out of the result."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.cluster import dockerfile, reach
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS first
RUN test -s /etc/pip.conf && test -s /root/.npmrc && git --version && python3 --version
COPY greeting.txt /greeting.txt
FROM first AS second
ARG WORD
RUN echo "$WORD" >> /greeting.txt
CMD ["cp", "/greeting.txt", "/dev/termination-log"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    if reach.skipped():
        pytest.skip(f"{reach.SKIP_VARIABLE} is set")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "greeting.txt").write_text("hello\n")
    return tmp_path


def non_empty_files(archive: Path) -> set[str]:
    found = set()
    with tarfile.open(archive) as outer:
        manifest = outer.extractfile("manifest.json")
        assert manifest is not None
        for name in json.load(manifest)[0]["Layers"][1:]:
            with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                found |= {m.name for m in layer if m.isfile() and m.size}
    return found


def test_a_built_image_runs_and_holds_no_settings_of_the_machine(
    cluster: Cluster, kubectl: Kubectl, context: Path
) -> None:
    if not cluster.loads:
        pytest.skip("no command is given that loads images into the cluster of KUBECONFIG")
    tag = "localhost/benchwarden-dockerfile-test:1"
    archive = dockerfile.build_dockerfile("second", {"WORD": "world"}, tag, context=context)
    assert non_empty_files(archive) == {"greeting.txt"}
    assert cluster.load(archive) == [tag]
    kubectl.run("run", "it", f"--image={tag}", "--image-pull-policy=Never", "--restart=Never")
    pod = kubectl.wait_until(["pod", "it"], lambda pod: pod["status"]["phase"] == "Succeeded")
    end = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert end["message"] == "hello\nworld\n"


def test_a_failing_step_is_reported_with_its_output(context: Path) -> None:
    (context / "Dockerfile").write_text(
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS x\nRUN ls /nowhere\n"
    )
    with pytest.raises(ClusterError, match="nowhere"):
        dockerfile.build_dockerfile("x", {}, "localhost/benchwarden-bad:1", context=context)


def test_a_store_whose_build_was_killed_can_be_thrown_away(tmp_path: Path) -> None:
    """Its file systems are still mounted, one within the other."""
    store, beside = tmp_path / "store", tmp_path / "store-of-another"
    for place in (store / "root", store / "root/layer/merged", beside):
        place.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], check=True)
    try:
        (beside / "kept").touch()
        dockerfile.discard(store)
        assert not store.exists()
        assert (beside / "kept").exists()
    finally:
        subprocess.run(["umount", "--lazy", str(beside)], check=True)
