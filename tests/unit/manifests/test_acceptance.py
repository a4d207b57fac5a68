"""What is accepted can be built."""

from typing import Any

import pytest
from tests.unit.manifests.builders import SETTINGS, hidden, instance, noise, run_spec
from tests.unit.manifests.cases import SPECS

from benchwarden.errors import InvalidInputError
from benchwarden.manifests.acceptance import check

METADATA = {"networkPolicy": {"allowedEgress": [{"cidr": "169.254.169.254/32"}]}}


@pytest.mark.parametrize("spec", SPECS)
def test_what_can_be_built_is_accepted(spec: Any) -> None:
    check(spec, [instance()], SETTINGS)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (run_spec(execution=METADATA), "InvalidSpec"),
    ],
)
def test_what_cannot_be_built_is_refused_at_once(spec: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        check(spec, [instance()], SETTINGS)

    assert refusal.value.reason == reason


def test_an_instance_too_large_is_refused_at_once() -> None:
    large = instance("a", test_files=(hidden("t", noise("a", 1024 * 1024)),))

    with pytest.raises(InvalidInputError) as refusal:
        check(run_spec(), [large], SETTINGS)

    assert refusal.value.reason == "InstanceTooLarge"
