"""An operator for one test, beside the cluster: on a port of its own, and its log is shown if the test fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.kubectl import Kubectl
from tests.installed import Outside, operator_outside


@contextmanager
def an_operator(
    kubectl: Kubectl, folder: Path, runner: str, **environment: str
) -> Iterator[Outside]:
    """An operator of the test's own, with its metrics on a port of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    log = folder / "operator.log"
    options = {"runner_image": runner, "port": port, "environment": environment}
    try:
        with operator_outside(kubectl, log, **options) as running:
            yield running
            assert running.alive()
    finally:
        print(log.read_text()[-4000:])  # shown if the test fails
