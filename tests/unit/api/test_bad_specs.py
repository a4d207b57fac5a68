import pytest
from tests.bad_specs.corpus import GOOD, BadSpec, Change, a_run, bad_specs, changes
from tests.unit.api.api_server import admit

from benchwarden.api.parse import parse_run
from benchwarden.api.semantics import check
from benchwarden.errors import InvalidInputError

ALL = list(bad_specs())
AT_THE_SERVER = [case for case in ALL if case.at_the_server and not case.unknown]
ADMITTED = [case for case in ALL if not case.at_the_server]


def named(case: BadSpec | Change) -> str:
    return case.name


def refusal(spec: object, *, strict: bool) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        check(parse_run(a_run(spec), strict=strict).spec)
    return caught.value


def test_the_corpus_is_large_and_every_name_is_used_once() -> None:
    assert len(ALL) >= 75
    assert len({case.name for case in ALL}) == len(ALL)


@pytest.mark.parametrize("spec", list(GOOD.values()), ids=list(GOOD))
def test_the_specs_that_bad_ones_are_made_from_are_good(spec: object) -> None:
    assert admit(spec) == []
    check(parse_run(a_run(spec), strict=True).spec)


@pytest.mark.parametrize("case", ALL, ids=named)
def test_reading_a_bad_spec_from_a_file_names_the_field_and_the_reason(case: BadSpec) -> None:
    error = refusal(case.spec, strict=True)
    assert (error.field, error.reason) == (case.unknown or case.field, case.reason)
    assert str(error).startswith(error.field)


@pytest.mark.parametrize("case", [c for c in ALL if not c.unknown], ids=named)
def test_reading_a_bad_spec_from_the_cluster_names_the_same_field(case: BadSpec) -> None:
    assert refusal(case.spec, strict=False).field == case.field


@pytest.mark.parametrize("case", AT_THE_SERVER, ids=named)
def test_the_schema_and_its_rules_refuse_what_the_server_must_refuse(case: BadSpec) -> None:
    fields = [violation.field for violation in admit(case.spec)]
    assert any(field.startswith(case.field) for field in fields), fields


@pytest.mark.parametrize("case", ADMITTED, ids=named)
def test_the_schema_admits_what_only_the_operator_can_judge(case: BadSpec) -> None:
    assert admit(case.spec) == []


@pytest.mark.parametrize("change", list(changes("changes.yaml")), ids=named)
def test_what_a_run_consists_of_cannot_be_changed(change: Change) -> None:
    assert admit(change.before) == []
    fields = [violation.field for violation in admit(change.after, old=change.before)]
    assert fields == [change.field]


@pytest.mark.parametrize("change", list(changes("allowed_changes.yaml")), ids=named)
def test_a_run_can_be_suspended_resumed_cancelled_and_retried(change: Change) -> None:
    assert admit(change.after, old=change.before) == []
