"""The product as installed for a test: images built from this checkout, CRDs, and an operator in or beside a pod."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchwarden import names
from benchwarden.api.crd import render_all
from benchwarden.manifests.install import Installation, objects
from tests.cluster import dockerfile
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster

ROOT = Path(__file__).parents[1]
OPERATOR_IMAGE = "localhost/benchwarden-operator:test"
RUNNER_IMAGE = "localhost/benchwarden-runner:test"


def free_port() -> int:
    """A port that nobody listens on now: operators of several tests run side by side."""
    with socket.socket() as taken:
        taken.bind(("", 0))
        return int(taken.getsockname()[1])


# Set once both images of this checkout are in the test cluster: each test process would ask the builder again.
LOADED = "BENCHWARDEN_TEST_IMAGES_ARE_LOADED"


@dataclass(frozen=True)
class Images:
    """References of the product's images in the cluster under test."""

    operator: str
    runner: str


@cache
def ensure_images(cluster: Cluster) -> Images:
    """Build both images from this checkout and load them; on a foreign cluster they are given by name."""
    if cluster.own and os.environ.get(LOADED):
        return Images(OPERATOR_IMAGE, RUNNER_IMAGE)
    if not cluster.loads:
        return Images(
            os.environ.get("BENCHWARDEN_OPERATOR_IMAGE", OPERATOR_IMAGE),
            os.environ.get(names.ENV_RUNNER_IMAGE, RUNNER_IMAGE),
        )
    for target, reference in (("operator", OPERATOR_IMAGE), ("runner", RUNNER_IMAGE)):
        cluster.load(dockerfile.build_dockerfile(target, {}, reference))
    return Images(OPERATOR_IMAGE, RUNNER_IMAGE)


def ensure_crds(kubectl: Kubectl) -> None:
    definitions = "---\n".join(render_all().values())
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=definitions)
    for plural in (names.RUN_PLURAL, names.SCHEDULE_PLURAL):
        kubectl.run(
            "wait", "--for=condition=Established", f"crd/{plural}.{names.GROUP}", "--timeout=30s"
        )


@dataclass
class Outside:
    """An operator as a process beside the cluster, for one namespace; it can be killed and started again."""

    kubeconfig: Path
    namespace: str
    log: Path
    runner_image: str = RUNNER_IMAGE
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            names.ENV_RUNNER_IMAGE: self.runner_image,
            names.ENV_NAMESPACES: self.namespace,
            names.ENV_POD_NAMESPACE: self.namespace,
            names.ENV_POD_NAME: "operator-outside",
            names.ENV_METRICS_PORT: str(self.port),
            names.ENV_LEASE_SECONDS: "15",
            "PYTHONPATH": str(ROOT / "tests" / "as_installed"),
            **self.environment,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "benchwarden", "operator"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@contextmanager
def operator_outside(kubectl: Kubectl, log: Path, **options: Any) -> Iterator[Outside]:
    operator = Outside(kubectl.kubeconfig, kubectl.namespace, log, **options)
    operator.start()
    try:
        yield operator
    finally:
        operator.kill()


def install_inside(kubectl: Kubectl, images: Images) -> None:
    """Install the operator as a Deployment with exactly the documented Role, and wait until it is ready."""
    installation = Installation(kubectl.namespace, images.operator, images.runner)
    kubectl.apply(*objects(installation))
    kubectl.run("rollout", "status", "deployment/benchwarden", "--timeout=90s", seconds=100)


def run_manifest(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {"name": name},
        "spec": {
            "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
            "agent": {"oracle": {}},
            **spec,
        },
    }


def condition(run: Any, kind: str) -> dict[str, Any]:
    found = (run.get("status") or {}).get("conditions") or []
    return next((each for each in found if each["type"] == kind), {})


def ended(run: Any) -> bool:
    return condition(run, "Succeeded").get("status") in ("True", "False")


def wait_for_end(kubectl: Kubectl, name: str, seconds: float = 240) -> Any:
    return kubectl.wait_until([names.RUN_PLURAL, name], ended, seconds)


def suite_config_map(*tasks: dict[str, Any], name: str = "suite") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"tasks.jsonl": "\n".join(json.dumps(task) for task in tasks)},
    }


def rows_of(kubectl: Kubectl, run: Any) -> list[Any]:
    """Result rows as the cluster stores them."""
    from benchwarden.controller.durable import rows_of as unpack

    selector = (
        f"{names.LABEL_RUN_UID}={run['metadata']['uid']},{names.LABEL_ROLE}={names.ROLE_RESULTS}"
    )
    found = kubectl.get("configmaps", "-l", selector)
    return [row for each in found["items"] for row in unpack(each)]


def await_true(holds: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.25)


def main() -> None:
    """`make cluster-images`: what a user of the test cluster needs in it; prints the references."""
    from tests.cluster.reach import find_or_start
    from tests.cluster_promises.mini_suite_images import load_images
    from tests.mini_suite import ensure_mini_suite

    cluster = find_or_start()
    built = ensure_images(cluster)
    loaded = load_images(cluster, ensure_mini_suite())
    print("\n".join([built.operator, built.runner, *loaded]))


if __name__ == "__main__":
    main()
