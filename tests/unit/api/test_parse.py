from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bad_specs.corpus import GOOD, a_run, merged

from benchwarden.api.agent import ClaudeCode
from benchwarden.api.parse import parse_run
from benchwarden.api.scalars import quantity_value
from benchwarden.errors import InvalidInputError
from benchwarden.names import REASON_INVALID_SPEC

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def message(patch: Any, *, base: str = "oracle", strict: bool = True) -> str:
    with pytest.raises(InvalidInputError) as caught:
        parse_run(a_run(merged(GOOD[base], patch)), strict=strict)
    assert caught.value.reason == REASON_INVALID_SPEC
    return str(caught.value)


def test_yaml_names_become_python_names() -> None:
    run = parse_run(a_run(merged(GOOD["claude"], {"ttlSecondsAfterFinished": 60})))
    assert run.spec.ttl_seconds_after_finished == 60
    assert isinstance(run.spec.agent.claude_code, ClaudeCode)
    assert run.spec.agent.kind == "claudeCode"
    assert run.spec.agent.claude_code.credentials.api_key is not None


@pytest.mark.parametrize("kind", ["oracle", "nop"])
def test_the_kind_of_an_agent_is_the_field_that_is_set(kind: str) -> None:
    spec = {**GOOD["oracle"], "agent": {kind: {}}}
    assert parse_run(a_run(spec)).spec.agent.kind == kind


def test_exec_agents_say_so() -> None:
    assert parse_run(a_run(GOOD["exec"])).spec.agent.kind == "exec"


def test_the_least_a_run_needs_brings_sane_defaults() -> None:
    execution = parse_run(a_run(GOOD["oracle"])).spec.execution
    assert (execution.parallelism, execution.trials_per_instance) == (10, 1)
    assert execution.batch_size is None
    assert execution.resources.limits.memory == "4Gi"
    assert execution.network_policy.enabled


def test_a_spec_cannot_be_changed_in_memory() -> None:
    run = parse_run(a_run(GOOD["oracle"]))
    with pytest.raises(ValueError, match="frozen"):
        run.spec.suspend = True


def test_fields_of_a_newer_version_are_ignored_when_read_from_the_cluster() -> None:
    parse_run(a_run(merged(GOOD["oracle"], {"execution": {"turboMode": True}})))


def test_a_status_of_another_version_never_makes_a_run_invalid() -> None:
    run = a_run(GOOD["oracle"])
    assert parse_run({**run, "status": {"counts": "many"}}).status.counts is None
    assert parse_run({**run, "status": {"counts": {"planned": 3}}}).status.counts is not None


def test_a_misspelt_field_in_a_file_is_an_error_that_names_it() -> None:
    assert message({"execution": {"batchSizes": 3}}) == (
        "spec.execution.batchSizes: is not a field here; check its spelling and indentation"
    )


def test_a_file_exported_from_a_cluster_can_be_read_strictly() -> None:
    run = a_run(GOOD["oracle"])
    run["metadata"] |= {
        "uid": "1",
        "managedFields": [],
        "ownerReferences": [],
        "resourceVersion": "7",
    }
    run["status"] = {"conditions": [{"type": "Accepted"}], "fromTheFuture": 1}
    assert parse_run(run, strict=True).metadata.uid == "1"


def test_misspelt_metadata_in_a_file_is_an_error() -> None:
    run = a_run(GOOD["oracle"])
    run["metadata"]["lables"] = {}
    with pytest.raises(InvalidInputError, match=r"^metadata\.lables: is not a field"):
        parse_run(run, strict=True)


@pytest.mark.parametrize(
    ("field", "value"), [("kind", "Job"), ("apiVersion", "benchwarden.dev/v2")]
)
def test_another_kind_or_version_is_refused(field: str, value: str) -> None:
    with pytest.raises(
        InvalidInputError, match=f"^{field}: must be 'benchwarden|^{field}: must be"
    ):
        parse_run({**a_run(GOOD["oracle"]), field: value})


@pytest.mark.parametrize("obj", [None, [], "run", 7])
def test_what_is_no_object_is_refused(obj: Any) -> None:
    with pytest.raises(InvalidInputError, match="must be an object"):
        parse_run(obj)


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        (
            {"budget": {"maxUsd": 5}},
            'spec.budget.maxUsd: must be text: put it in quotes, "5"',
        ),
        (
            {"execution": {"parallelism": "5"}},
            "spec.execution.parallelism: must be a whole number, not '5'",
        ),
        (
            {"execution": {"parallelism": 0}},
            "spec.execution.parallelism: must be at least 1, not 0",
        ),
        (
            {"execution": {"podSecurity": "privileged"}},
            "spec.execution.podSecurity: must be 'baseline' or 'restricted', not 'privileged'",
        ),
        (
            {"agent": {"nop": {}}},
            "spec.agent: set exactly one of claudeCode, oracle, nop, exec",
        ),
        ({"suite": None}, "spec.suite: is required"),
        ({"suspend": "yes"}, "spec.suspend: must be true or false, not 'yes'"),
        ({"execution": []}, "spec.execution: must be an object, not a list"),
        (
            {"execution": {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}},
            "spec.execution.imagePullSecrets: a is there twice; remove one",
        ),
        (
            {"execution": {"queueName": "My Queue"}},
            (
                "spec.execution.queueName: 'My Queue' is not a name: lower-case letters, digits"
                " and '-', a letter or digit at both ends"
            ),
        ),
    ],
)
def test_a_message_is_one_sentence_that_says_the_fix(patch: Any, says: str) -> None:
    assert message(patch) == says


def test_an_empty_agent_is_told_how_to_write_one() -> None:
    spec = {**GOOD["oracle"], "agent": {"exec": None, "oracle": {}}}
    parse_run(a_run(spec))
    spec = {**GOOD["oracle"], "execution": None}
    with pytest.raises(InvalidInputError, match=r"spec\.execution: must be an object, not empty"):
        parse_run(a_run(spec))


def test_several_faults_are_told_at_once_and_many_are_counted() -> None:
    two = message({"execution": {"parallelism": 0, "batchSize": 0}})
    assert two.count("must be at least 1") == 2
    many = message({"suite": {"selection": {"include": [""] * 9}}})
    assert many.endswith("and 4 more")


@given(st.integers(0, 10**9), st.sampled_from(["", "m", "k", "Ki", "Mi", "Gi", "G"]))
def test_a_quantity_has_the_value_that_kubernetes_gives_it(number: int, unit: str) -> None:
    factors = {"": 1, "m": 0.001, "k": 1e3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "G": 1e9}
    assert float(quantity_value(f"{number}{unit}")) == pytest.approx(number * factors[unit])


def test_whole_quantities_may_be_written_without_quotes() -> None:
    spec = merged(GOOD["oracle"], {"execution": {"resources": {"limits": {"cpu": 2}}}})
    assert parse_run(a_run(spec)).spec.execution.resources.limits.cpu == "2"


def refusal(obj: Any, *, strict: bool = False) -> InvalidInputError | None:
    try:
        parse_run(obj, strict=strict)
    except InvalidInputError as error:
        return error
    return None


@given(JSON, st.sampled_from(["suite", "agent", "execution", "budget", "compareTo", "artifacts"]))
def test_whatever_is_in_a_field_it_is_parsed_or_refused_by_name(value: Any, field: str) -> None:
    error = refusal(a_run({**GOOD["oracle"], field: value}), strict=True)
    assert error is None or error.field.startswith(f"spec.{field}")


@given(JSON)
def test_whatever_stands_for_a_run_is_refused_with_a_reason(value: Any) -> None:
    error = refusal(value)
    assert error is not None
    assert error.reason == REASON_INVALID_SPEC
