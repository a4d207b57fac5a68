"""Prometheus and Alertmanager as processes of one test, built from their Go modules."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import build
from tests.installed import free_port

SCRAPE_SECONDS = 2


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that answers."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
            found = json.load(answer)
        assert found["status"] == "success", found
        return found["data"]

    def query(self, expression: str) -> list[dict[str, str]]:
        """Labels of the series that an expression returns now."""
        return [each["metric"] for each in self.ask("query", query=expression)["result"]]

    def value(self, expression: str) -> float:
        (found,) = self.ask("query", query=expression)["result"]
        return float(found["value"][1])

    def firing(self) -> set[str]:
        found = self.ask("alerts")["alerts"]
        return {each["labels"]["alertname"] for each in found if each["state"] == "firing"}


@contextmanager
def prometheus(
    folder: Path, target: str, rules: Path, pager: str, past: Path | None = None
) -> Iterator[Prometheus]:
    """Scrapes `target` (host:port) as the documentation says, and sends alerts to `pager` (host:port).

    `past` is a folder with what it remembers of earlier days; see `remembered`.
    """
    config = {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
        },
        "rule_files": [str(rules)],
        "scrape_configs": [
            {
                "job_name": "benchwarden",
                "honor_labels": True,
                "static_configs": [{"targets": [target]}],
            }
        ],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [pager]}]}]},
    }
    program = build.ensure(build.PROMETHEUS) / "prometheus"
    port = free_port()
    command = [str(program), f"--web.listen-address=127.0.0.1:{port}"]
    command += [f"--storage.tsdb.path={past or folder / 'data'}", "--web.enable-lifecycle"]
    command += ["--storage.tsdb.retention.time=10y"]
    with _running(command, folder, "prometheus", config, f"http://127.0.0.1:{port}") as url:
        yield Prometheus(url)


def remembered(folder: Path, samples: Iterable[tuple[str, float]]) -> Path:
    """The memory of a Prometheus that once scraped these: lines of a scrape and when, as seconds since 1970."""
    lines = folder / "past.openmetrics"
    lines.write_text("".join(f"{line} {moment:.0f}\n" for line, moment in samples) + "# EOF\n")
    program = build.ensure(build.PROMETHEUS) / "promtool"
    command = [str(program), "tsdb", "create-blocks-from", "openmetrics", str(lines)]
    data = folder / "past"
    subprocess.run([*command, str(data)], check=True, capture_output=True)
    return data


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    """Sends every alert to the webhook `receiver`; gives its own host:port."""
    config = {
        "route": {
            "receiver": "webhook",
            "group_by": ["..."],
            "group_wait": "1s",
            "group_interval": "2s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "webhook", "webhook_configs": [{"url": receiver}]}],
    }
    program = build.ensure(build.ALERTMANAGER) / "alertmanager"
    address = f"127.0.0.1:{free_port()}"
    command = [str(program), f"--web.listen-address={address}", "--cluster.listen-address="]
    command += [f"--storage.path={folder / 'data'}"]
    with _running(command, folder, "alertmanager", config, f"http://{address}"):
        yield address


@contextmanager
def _running(
    command: list[str], folder: Path, name: str, config: Mapping[str, Any], url: str
) -> Iterator[str]:
    folder.mkdir()
    path = folder / "config.json"  # JSON is YAML
    path.write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        started = [*command, f"--config.file={path}"]
        process = subprocess.Popen(started, stdout=log, stderr=log, cwd=folder)
        try:
            _await_ready(f"{url}/-/ready", process, name)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)
            print((folder / "log").read_text()[-2000:])  # shown if the test fails


def _await_ready(url: str, process: subprocess.Popen[bytes], name: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, f"{name} ended with {process.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{name} is not ready")
