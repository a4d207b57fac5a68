"""The API server drops what the schema does not know, silently: every status we write must fit it."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.builders import panel_of, run_view
from tests.simulation import Faults, Simulation

from benchwarden.api.crd import custom_resource_definition
from benchwarden.api.status import BenchmarkRunStatus
from benchwarden.reconcile.observed import Observed
from benchwarden.reconcile.world import BaseResults


def unknown(schema: Any, value: Any, path: str = "status") -> Iterator[str]:
    """Paths in a value that the API server would drop."""
    if isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from unknown(schema["properties"][name], inner, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from unknown(schema["items"], item, f"{path}[]")


def fits(status: dict[str, Any]) -> None:
    version = custom_resource_definition()["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    Draft202012Validator(schema).validate(status)
    assert list(unknown(schema, status)) == []
    BenchmarkRunStatus.model_validate(status, extra="forbid")


@pytest.mark.parametrize("faults", [Faults(), Faults(oom=0.2, silent=0.2, api=0.2, job_lost=0.05)])
def test_the_status_of_a_run_fits_the_schema_at_its_end(faults: Faults) -> None:
    done = Simulation(panel_of(12), 7, faults, execution={"batchSize": 3}).run()
    assert done.status["counts"]["planned"] == 12
    fits(done.status)


def test_the_status_of_a_comparison_fits_the_schema() -> None:
    done = Simulation(panel_of(12), 7, Faults(), execution={"batchSize": 3}).run()
    view = run_view(done.status, 2, execution={"batchSize": 3}, compareTo={"run": "yesterday"})
    base = BaseResults({each.id: (1, 1) for each in done.panel.instances})
    decision = done.cycle.step(view, done.panel, done.plan, Observed(), base, done.now)
    assert decision.status is not None
    assert decision.status["comparison"]["pairs"] == 12
    fits(decision.status)
