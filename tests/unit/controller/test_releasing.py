"""The registry is asked once per run; what it said is stored, and an operator that takes over asks nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.builders import CLAUDE, run_view
from tests.unit.controller.memory_cluster import MemoryCluster

from benchwarden import names
from benchwarden.controller.record import Record
from benchwarden.controller.releasing import Releasing, release_config_map
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.kube.resources import CONFIG_MAPS
from benchwarden.manifests.settings import RunIdentity
from benchwarden.reconcile.world import Unreleased
from benchwarden_runner.specs import CliBuild, CliRelease

RUN = RunIdentity("daily", "bench", "0b0c8f0e-0000-4000-8000-000000000001")
DEFAULT = "http://npm.default"


def release(version: str) -> CliRelease:
    return CliRelease(version, (CliBuild("claude-glibc", "x64", "http://n/a.tgz", "sha512-A"),))


class Registry:
    """Gives each answer once; an error is raised."""

    def __init__(self, *answers: CliRelease | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, version: str, source: str) -> CliRelease:
        self.asked.append((version, source))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def view(retry: int = 0, **claude: Any) -> Any:
    agent: Mapping[str, Any] = {"claudeCode": {**CLAUDE["claudeCode"], **claude}}
    return run_view({}, agent=agent, retry=retry)


async def pin(
    cluster: MemoryCluster, resolve: Callable[[str, str], CliRelease], retry: int = 0, **claude: Any
) -> Any:
    """What an operator that was just started comes to."""
    record = Record(RUN, {}, {})
    releasing = Releasing(DEFAULT, resolve, delays_seconds=(0.0, 0.0))
    releasing.begin(cluster, record, view(retry, **claude))
    releasing.begin(cluster, record, view(retry, **claude))  # as each further pass does
    await asyncio.gather(*releasing.tasks.values())
    return record.cycle.release


async def test_a_restarted_operator_reads_what_was_settled_and_asks_nobody() -> None:
    cluster, registry = MemoryCluster(), Registry(release("2.1.330"), release("2.1.331"))
    for _ in range(3):
        assert await pin(cluster, registry, version="latest") == release("2.1.330")
    assert registry.asked == [("latest", DEFAULT)]
    (stored,) = cluster.of(CONFIG_MAPS)
    assert stored["immutable"] is True
    assert stored["metadata"]["labels"][names.LABEL_ROLE] == names.ROLE_RELEASE
    assert stored["metadata"]["ownerReferences"][0]["uid"] == RUN.uid


async def test_of_two_operators_the_one_that_stored_first_is_right() -> None:
    cluster = MemoryCluster()

    def overtaken(version: str, source: str) -> CliRelease:
        cluster.put(release_config_map(RUN, release("2.1.329")))
        return release("2.1.330")

    assert await pin(cluster, overtaken, version="latest") == release("2.1.329")


async def test_the_registry_of_the_run_is_asked_before_the_operators_own() -> None:
    registry = Registry(release("2.1.330"))
    await pin(MemoryCluster(), registry, registryUrl="http://npm.team")
    assert registry.asked == [("2.1.330", "http://npm.team")]


async def test_trouble_that_passes_is_nothing() -> None:
    down = UnavailableError("http://npm answers 503")
    found = await pin(MemoryCluster(), Registry(down, down, release("2.1.330")), version="latest")
    assert found == release("2.1.330")


async def test_a_registry_that_stays_down_is_a_reason_with_field_and_fix() -> None:
    registry = Registry(*[UnavailableError("http://npm answers 503")] * 4)
    found = await pin(MemoryCluster(), registry, retry=2, version="latest")
    assert found == Unreleased(names.REASON_REGISTRY_UNAVAILABLE, found.message, 2)
    assert found.message.startswith("spec.agent.claudeCode.registryUrl: http://npm answers 503")
    assert "spec.retry" in found.message
    assert len(registry.asked) == 3


async def test_an_unknown_version_is_final_at_once() -> None:
    unknown = InvalidInputError("no 9.9.9", reason="UnknownCliVersion", field="spec.x")
    registry = Registry(unknown)
    found = await pin(MemoryCluster(), registry, version="latest")
    assert found == Unreleased("UnknownCliVersion", "spec.x: no 9.9.9", 0)


@pytest.mark.parametrize("seed", range(5))
async def test_lost_calls_to_the_api_server_leave_one_release_in_the_end(seed: int) -> None:
    cluster = MemoryCluster(seed, fail=0.3)
    registry = Registry(*[release(f"2.1.{number}") for number in range(300)])
    found = None
    while found is None:
        found = await pin(cluster, registry, version="latest")
    assert isinstance(found, CliRelease)  # the API server's trouble is not taken for the registry's
    cluster.fail = 0.0
    assert await pin(cluster, registry, version="latest") == found
    assert len(cluster.of(CONFIG_MAPS)) == 1
