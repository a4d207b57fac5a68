"""Kueue's own controller beside the test cluster: it admits the Jobs of a run, as on a shared cluster.

Its webhooks are not installed: our Jobs are created suspended and with its label, which is what they would do.
"""

import contextlib
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster import build
from tests.cluster.kubectl import Kubectl
from tests.installed import await_true, free_port

QUEUE = "team"
_API = "kueue.x-k8s.io/v1beta2"
# What it looks for in /etc is seen by it alone.
_WITH_ITS_ETC = 'mount -t overlay overlay -o "lowerdir=$0:/etc" /etc && exec "$@"'
_PLENTY = {"cpu": "640", "memory": "2000Gi", "ephemeral-storage": "9000Gi"}


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _cluster_queue() -> dict[str, Any]:
    quotas = [{"name": name, "nominalQuota": quota} for name, quota in _PLENTY.items()]
    group = {"coveredResources": list(_PLENTY), "flavors": [{"name": "any", "resources": quotas}]}
    return _object("ClusterQueue", QUEUE, {"namespaceSelector": {}, "resourceGroups": [group]})


def local_queue() -> dict[str, Any]:
    """The queue that runs of a namespace name in `execution.queueName`."""
    return _object("LocalQueue", QUEUE, {"clusterQueue": QUEUE})


def _definitions() -> Path:
    """Kueue's kinds, as its module has them."""
    module = ("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kueue")
    found = subprocess.run(
        module, cwd=build.MODULES / build.KUEUE.name, capture_output=True, text=True, check=True
    )
    return Path(found.stdout.strip()) / "config" / "components" / "crd" / "bases"


@contextlib.contextmanager
def kueue(kubectl: Kubectl) -> Iterator[None]:
    """The controller with its kinds and a queue that admits everything; all gone afterwards."""
    program = build.ensure(build.KUEUE) / "kueue"
    definitions = str(_definitions())
    kubectl.run("apply", "--server-side", "-f", definitions)
    kubectl.run("wait", "--for=condition=Established", "--timeout=30s", "-f", definitions)
    kubectl.run("create", "namespace", "kueue-system")
    kubectl.apply(_object("ResourceFlavor", "any", {}), _cluster_queue())
    try:
        with tempfile.TemporaryDirectory() as scratch:
            process = _start(program, kubectl, Path(scratch))
            try:
                yield
            finally:
                process.kill()
                process.wait()
    finally:
        _remove(kubectl, definitions)


def _start(program: Path, kubectl: Kubectl, scratch: Path) -> subprocess.Popen[bytes]:
    pair = ("-keyout", "tls.key", "-out", "tls.crt", "-days", "2", "-subj", "/CN=kueue")
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *pair)
    certificates = scratch / "etc" / "kueue" / "metrics" / "certs"  # a fixed place below /etc
    certificates.mkdir(parents=True)
    subprocess.run(make, cwd=certificates, check=True, capture_output=True)
    healthy = free_port()
    config = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": f"127.0.0.1:{healthy}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": free_port(), "certDir": str(certificates)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "integrations": {"frameworks": ["batch/job"]},
    }
    (scratch / "config.yaml").write_text(json.dumps(config))
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "sh", "-c", _WITH_ITS_ETC, str(scratch / "etc"), program),
                *(f"--config={scratch}/config.yaml", f"--kubeconfig={kubectl.kubeconfig}"),
                "--feature-gates=VisibilityOnDemand=false",
            ],
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{healthy}/readyz"
    try:
        await_true(lambda: _answers(address), 60, "Kueue is ready")
    except AssertionError:
        process.kill()
        print((scratch / "log").read_text()[-2000:])
        raise
    return process


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:  # not up yet
        return False


def _remove(kubectl: Kubectl, definitions: str) -> None:
    """Nobody is left who would take Kueue's finalizers away."""
    for kind in ("workloads", "localqueues", "clusterqueues", "resourceflavors"):
        for item in kubectl.get(f"{kind}.kueue.x-k8s.io", "-A")["items"]:
            where = item["metadata"].get("namespace", "default")
            patch = ("patch", f"{kind}.kueue.x-k8s.io", item["metadata"]["name"], "--type=merge")
            Kubectl(kubectl.kubeconfig, where).run(*patch, "-p", '{"metadata":{"finalizers":null}}')
    kubectl.run("delete", "--wait=false", "-f", definitions)
    kubectl.run("delete", "namespace", "kueue-system", "--wait=false")
