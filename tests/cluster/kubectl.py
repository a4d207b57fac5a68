"""kubectl for tests: every call returns parsed JSON or text, and waiting is on a condition."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import build, config, reading
from tests.cluster.config import ClusterError
from tests.cluster.packages import program

_POLL_SECONDS = 0.25


def kubectl_program() -> str | None:
    """Return the kubectl we built, else the one on PATH, else None."""
    own = build.folder(build.KUBERNETES) / "bin" / "kubectl"
    return str(own) if own.is_file() else program("kubectl")


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl bound to a kubeconfig and a namespace."""

    kubeconfig: Path
    namespace: str = "default"

    def run(self, *arguments: str, stdin: str | None = None, seconds: float = 60.0) -> str:
        """Run kubectl and return its standard output.

        Raises:
            ClusterError: It failed; the message is its standard error.
        """
        command = [kubectl_program() or "kubectl", "-n", self.namespace, *arguments]
        done = subprocess.run(
            command,
            input=stdin if stdin is not None else "",
            env=dict(os.environ, KUBECONFIG=str(self.kubeconfig)),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Apply objects given as dictionaries."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.run("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get` finds, parsed."""
        where = config.paths()
        look = reading.parsed(arguments) if self.kubeconfig == where.kubeconfig else None
        found = reading.read(where, self.namespace, look) if look else None
        return self._asked(*arguments) if found is None else found

    def _asked(self, *arguments: str) -> Any:
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def wait_until(
        self, arguments: Sequence[str], holds: Callable[[Any], bool], seconds: float = 60.0
    ) -> Any:
        """Poll `kubectl get` until a condition holds, and return the object.

        Raises:
            ClusterError: The time is over; the message holds the object's status.
        """
        end = time.monotonic() + seconds
        while not holds(found := self.get(*arguments)):
            if time.monotonic() >= end:
                status = json.dumps(found.get("status", found), indent=1)[-3000:]
                raise ClusterError(f"{' '.join(arguments)} after {seconds} s: {status}")
            time.sleep(_POLL_SECONDS)
        return found
