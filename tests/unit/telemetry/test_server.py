import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchwarden.telemetry import reference
from benchwarden.telemetry.server import TelemetryServer
from benchwarden.telemetry.snapshot import Snapshot

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


class Operator:
    def __init__(self) -> None:
        self.live: list[str] = []
        self.ready: list[str] = []
        self.broken = False

    def snapshot(self) -> Snapshot:
        if self.broken:
            raise RuntimeError("no snapshot yet")
        return Snapshot()


@pytest.fixture
def operator() -> Operator:
    return Operator()


@pytest.fixture
def address(operator: Operator) -> Iterator[str]:
    server = TelemetryServer(
        operator.snapshot, lambda: operator.live, lambda: operator.ready, port=0, host="127.0.0.1"
    )
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_healthy_operator_answers_ok(address: str) -> None:
    assert get(f"{address}/healthz") == (200, "ok\n")
    assert get(f"{address}/readyz?verbose") == (200, "ok\n")


def test_a_probe_says_what_is_wrong(operator: Operator, address: str) -> None:
    operator.live = ["the informer of jobs heard nothing for 130 s"]
    assert get(f"{address}/healthz") == (503, "the informer of jobs heard nothing for 130 s\n")
    assert get(f"{address}/readyz")[0] == 200


def test_metrics_hold_our_series_and_the_process(address: str) -> None:
    status, text = get(f"{address}/metrics")
    assert status == 200
    assert "benchwarden_build_info" in text
    assert "process_resident_memory_bytes" in text


def test_a_failed_collection_is_an_error_answer_and_not_the_end(
    operator: Operator, address: str
) -> None:
    operator.broken = True
    assert get(f"{address}/metrics") == (500, "no snapshot yet\n")
    operator.broken = False
    assert get(f"{address}/metrics")[0] == 200


def test_other_paths_are_not_found(address: str) -> None:
    assert get(f"{address}/")[0] == 404


def test_the_reference_page_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text() == reference.page()
