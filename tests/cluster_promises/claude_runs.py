"""What the tests of Claude Code in pods share: the scripted API on the node's address, runs, and a witness."""

from __future__ import annotations

import contextlib
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from tests.claude_binary import VERSION
from tests.cluster import config
from tests.cluster.config import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.installed import Outside, ended, run_manifest
from tests.scripted_api.server import ScriptedApi

from benchwarden import names

KEY = "sk-ant-api03-canary-7f3a1c9e5b2d8f604a7c"
MODEL = "claude-sonnet-5-5"
SECRET = "anthropic"
_KINDS = ("pods", "jobs", "configmaps", "events", "networkpolicies", names.RUN_PLURAL)


def claude_run(
    name: str, api: ScriptedApi, *, execution: dict[str, Any] | None = None, **claude: Any
) -> dict[str, Any]:
    """A run of Claude Code against the scripted API, its key by reference."""
    agent = {
        "version": VERSION,
        "model": MODEL,
        "baseUrl": api.base_url,
        "credentials": {"mode": "direct", "apiKey": {"name": SECRET, "key": "api-key"}},
        **claude,
    }
    limits = {"agentTimeoutSeconds": 120, **(execution or {})}
    return run_manifest(name, agent={"claudeCode": agent}, execution=limits)


def secret(key: str = KEY) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET},
        "stringData": {"api-key": key},
    }


def messages_api(**script: Any) -> ScriptedApi:
    """The scripted API where pods of our own cluster reach it; it takes the canary only."""
    return ScriptedApi({"keys": [KEY], **script}, host=config.NODE_ADDRESS)


@dataclass
class Witness:
    """Takes down everything a run writes where somebody could read it; `words` by where it stood."""

    kubectl: Kubectl
    operator: Outside
    words: dict[str, str] = field(default_factory=dict)

    def watch(self, run: str, seconds: float = 240) -> Any:
        """Look again and again until the run has ended; returns it."""
        self.kubectl.wait_until([names.RUN_PLURAL, run], self._look, seconds)
        self.look()
        return self.kubectl.get(names.RUN_PLURAL, run)

    def _look(self, run: Any) -> bool:
        self.look()
        return ended(run)

    def look(self) -> None:
        """Pods and their logs are gone later, so looking once at the end would not do."""
        for kind in _KINDS:
            written = self.kubectl.run("get", kind, "-o", "yaml")
            self.words[kind] = self.words.get(kind, "") + written
        for pod in self.kubectl.get("pods")["items"]:
            self._read_logs(pod)
        url = f"http://127.0.0.1:{self.operator.port}/metrics"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as page:  # ended
            self.words["metrics"] = page.read().decode()
        self.words["operator"] = self.operator.log.read_text()

    def _read_logs(self, pod: Any) -> None:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        for container in (state["name"] for state in states if "waiting" not in state["state"]):
            with contextlib.suppress(ClusterError):  # its pod has just gone
                log = self.kubectl.run("logs", name, "-c", container)
                self.words[f"log of {name}/{container}"] = log
