"""An operator that is started again whenever it ends, as the kubelet would, and reaches the API server as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.kubectl import Kubectl
from tests.installed import Images, Outside, free_port


class Kept:
    """The operator and its keeper.

    Attributes:
        restarts: how often it had to be started again.
    """

    def __init__(self, operator: Outside) -> None:
        self.operator = operator
        self.restarts = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep)

    def start(self) -> None:
        self.operator.start()
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()
        self.operator.kill()

    def log(self) -> str:
        return self.operator.log.read_text()

    def _keep(self) -> None:
        while not self._done.wait(1.0):
            if not self.operator.alive():
                self.restarts += 1
                self.operator.start()


@contextmanager
def kept_operator(
    kubectl: Kubectl, images: Images, folder: Path, kubeconfig: Path, **environment: str
) -> Iterator[Kept]:
    """An operator for the test's namespace; its log is shown if the test fails."""
    log = folder / "operator.log"
    outside = Outside(
        kubeconfig, kubectl.namespace, log, images.runner, free_port(), dict(environment)
    )
    kept = Kept(outside)
    kept.start()
    try:
        yield kept
    finally:
        kept.stop()
        print(kept.log()[-6000:])
