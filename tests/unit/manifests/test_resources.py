"""Requests and limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.manifests.builders import containers_of, instance, job_of, run_spec

from benchwarden.api.placement import Resources
from benchwarden.api.scalars import quantity_value
from benchwarden.manifests.resources import instance_resources
from benchwarden.suites.instance import InstanceResources

amounts = st.sampled_from([None, "128Mi", "512Mi", "1Gi", "4Gi", "6Gi", "16Gi"])
texts = st.sampled_from(["", "64Mi", "1Gi", "8Gi", "32Gi"])


def of_run(**fields: dict[str, str | None]) -> Resources:
    given = {kind: {n: v for n, v in each.items() if v} for kind, each in fields.items()}
    return Resources.model_validate(given)


def test_the_defaults_pin_memory_and_leave_the_cpu_free() -> None:
    assert instance_resources(Resources(), None) == {
        "requests": {"cpu": "500m", "memory": "1Gi"},
        "limits": {"memory": "4Gi"},
    }


def test_an_instance_asks_for_more_than_its_run() -> None:
    own = InstanceResources(cpu_request="2", memory_limit="12Gi", ephemeral_storage_limit="20Gi")

    assert instance_resources(Resources(), own) == {
        "requests": {"cpu": "2", "memory": "1Gi"},
        "limits": {"memory": "12Gi", "ephemeral-storage": "20Gi"},
    }


def test_an_instances_request_raises_its_runs_limit() -> None:
    own = InstanceResources(memory_request="8Gi")

    assert instance_resources(of_run(limits={"memory": "4Gi"}), own)["limits"]["memory"] == "8Gi"


def test_an_instances_limit_lowers_its_runs_request() -> None:
    own = InstanceResources(memory_limit="64Mi")
    chosen = instance_resources(of_run(requests={"memory": "2Gi"}), own)

    assert (chosen["requests"]["memory"], chosen["limits"]["memory"]) == ("64Mi", "64Mi")


def test_a_runs_limit_below_the_default_request_lowers_the_request() -> None:
    chosen = instance_resources(of_run(limits={"memory": "512Mi"}), None)

    assert chosen == {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}


def test_a_runs_request_above_the_default_limit_raises_the_limit() -> None:
    chosen = instance_resources(of_run(requests={"memory": "8Gi"}), None)

    assert chosen == {
        "requests": {"cpu": "500m", "memory": "8Gi"},
        "limits": {"memory": "8Gi"},
    }


@settings(deadline=None)
@given(amounts, amounts, texts, texts)
def test_a_request_is_never_above_its_limit(
    run_request: str | None, run_limit: str | None, own_request: str, own_limit: str
) -> None:
    chosen = instance_resources(
        of_run(requests={"memory": run_request}, limits={"memory": run_limit}),
        InstanceResources(memory_request=own_request, memory_limit=own_limit),
    )
    request = chosen.get("requests", {}).get("memory")
    limit = chosen.get("limits", {}).get("memory")

    if request and limit:
        assert quantity_value(request) <= quantity_value(limit)
    if own_limit and not own_request:
        assert limit == own_limit
    if own_request and not own_limit:
        assert request == own_request


def test_a_member_may_use_all_of_its_disk_beside_the_pods_volumes() -> None:
    job = job_of(
        run_spec(execution={"resources": {"limits": {"ephemeralStorage": "10Gi"}}}),
        instance("a"),
        instance("b"),
    )
    finish = containers_of(job)["finish"]["resources"]

    volumes = 2048 + 2 * 512
    assert finish["limits"]["ephemeral-storage"] == str(10 * 1024**3 + volumes * 1024**2)
    assert quantity_value(finish["requests"]["ephemeral-storage"]) < 1024**3


@pytest.mark.parametrize("name", ["inject", "finish"])
def test_the_runners_own_containers_state_requests_and_limits(name: str) -> None:
    chosen = containers_of(job_of(run_spec()))[name]["resources"]

    assert set(chosen["requests"]) == set(chosen["limits"]) == {"cpu", "memory"}
    assert quantity_value(chosen["requests"]["memory"]) <= 64 * 1024**2
