"""A suite that lies in an image: the chart mounts it into the operator, and its run scripts grade in pods."""

import json

import pytest
from tests.chart.generated import CHART
from tests.chart.test_release import _images, images
from tests.cluster_promises.pro_suite import HALF_OF_IT, image_of_suite, load_suite
from tests.installed import rows_of, wait_for_end

from benchwarden_runner import protocol

__all__ = ["images"]
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.long,
    pytest.mark.image_volumes,
    pytest.mark.timeout(400),
]

SUITE_IMAGE = "localhost/benchwarden-suite:1"


def test_run_scripts_are_read_from_an_image_that_is_mounted_as_a_volume(
    helm, cluster, kubectl, images, tmp_path
):
    suite = load_suite(cluster, tmp_path, "from-an-image")
    image_of_suite(cluster, suite, SUITE_IMAGE)
    values = {
        "crds": {"enabled": False},
        "watchNamespaces": [kubectl.namespace],
        **_images(images),
        "extraVolumes": [
            {"name": "suite", "image": {"reference": SUITE_IMAGE, "pullPolicy": "IfNotPresent"}}
        ],
        "extraVolumeMounts": [{"name": "suite", "mountPath": "/image", "readOnly": True}],
    }
    (tmp_path / "values.json").write_text(json.dumps(values))
    where = ("-n", kubectl.namespace, "--kubeconfig", str(kubectl.kubeconfig))
    install = ("install", "benchwarden", str(CHART), "-f", str(tmp_path / "values.json"))
    done = helm(*install, "--wait", "--timeout", "120s", *where, timeout=180)
    assert done.returncode == 0, done.stderr + done.stdout
    inside = "/image/suites"
    agents = {"gold": {"oracle": {}}, "half": HALF_OF_IT}
    kubectl.apply(*(suite.run(name, agent, inside) for name, agent in agents.items()))
    rows = {name: rows_of(kubectl, wait_for_end(kubectl, name))[-1] for name in agents}
    assert {name: (row.outcome, row.tests) for name, row in rows.items()} == {
        "gold": (protocol.RESOLVED, (2, 2, 1, 1)),
        "half": (protocol.UNRESOLVED, (1, 2, 1, 1)),
    }
