"""The plan as a ConfigMap."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.manifests.builders import RUN

from benchwarden.errors import InvalidInputError
from benchwarden.manifests.plan_object import plan_config_map, plan_from_config_map
from benchwarden.planning.plan import Plan, TrialKey

keys = st.builds(
    TrialKey, instance=st.text(st.characters(codec="utf-8"), max_size=50), trial=st.integers(0, 99)
)
plans = st.builds(
    Plan,
    panel_digest=st.text("0123456789abcdef", min_size=64, max_size=64),
    groups=st.lists(st.lists(keys, max_size=12).map(tuple), max_size=20).map(tuple),
    agent=st.dictionaries(st.text("abcXYZ", min_size=1), st.text("a.1-")).map(
        lambda facts: tuple(sorted(facts.items()))
    ),
)


@settings(deadline=None)
@given(plans)
def test_a_plan_is_read_back_as_it_was(plan: Plan) -> None:
    assert plan_from_config_map(plan_config_map(RUN, plan)) == plan


def test_a_plan_never_changes_and_goes_with_its_run() -> None:
    config_map = plan_config_map(RUN, Plan("0" * 64, ((TrialKey("a", 0),),)))

    assert config_map["immutable"] is True
    assert config_map["metadata"]["ownerReferences"][0]["uid"] == RUN.uid
    assert config_map["metadata"]["labels"]["benchwarden.dev/role"] == "plan"


def test_a_plan_of_ten_thousand_instances_is_small() -> None:
    groups = tuple(
        tuple(TrialKey(f"instance_owner__repository-{n + i:040x}", 0) for i in range(5))
        for n in range(0, 10_000, 5)
    )
    config_map = plan_config_map(RUN, Plan("0" * 64, groups))
    (packed,) = config_map["binaryData"].values()

    assert len(base64.b64decode(packed)) < 200_000


def test_a_plan_that_no_config_map_can_hold_is_refused() -> None:
    import hashlib

    def unlike(n: int) -> str:
        return hashlib.sha256(str(n).encode()).hexdigest()

    groups = tuple((TrialKey(unlike(n), 0),) for n in range(40_000))
    with pytest.raises(InvalidInputError, match="40000 trials"):
        plan_config_map(RUN, Plan("0" * 64, groups))


@pytest.mark.parametrize(
    "config_map",
    [
        {},
        {"binaryData": None},
        {"binaryData": {"plan-1.json.z": "!"}},
        {"binaryData": {"plan-1.json.z": "AAAA"}},
        {"binaryData": {"plan-2.json.z": "eJyrVkrLz1eyUlBKUqoFABjbA+0="}},
        {"binaryData": {"plan-1.json.z": "eJyrVkrLz1eyUlBKUqoFABjbA+0="}},
    ],
)
def test_what_is_no_plan_is_refused(config_map: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a plan"):
        plan_from_config_map(config_map)
