"""Selection: a pure function of content and seed, whatever the order of the rows."""

import random
from collections import Counter
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.suites.rows import jsonl, task_row

from benchwarden import names
from benchwarden.api.suite import Quarantined, Sample, Selection
from benchwarden.errors import InvalidInputError
from benchwarden.suites.digest import panel_digest
from benchwarden.suites.instance import (
    Instance,
    InstanceResources,
    LocalWorkspace,
    ResultParser,
    TestFile,
)
from benchwarden.suites.select import allocate, select_panel
from benchwarden.suites.tasks import parse_tasks


def instances(count: int, repos: int = 3) -> tuple[Instance, ...]:
    rows = [
        task_row(id=f"t{i}", repo=f"r{i % repos}", language=("Go", "python")[i % 2])
        for i in range(count)
    ]
    return parse_tasks(jsonl(*rows))


def ids(selection: Selection, suite: tuple[Instance, ...]) -> list[str]:
    return [item.id for item in select_panel("suite", suite, selection).instances]


def test_without_a_selection_the_panel_is_the_suite_in_order_of_ids():
    assert ids(Selection(), instances(12)) == sorted(f"t{i}" for i in range(12))


def test_filters_narrow_each_other():
    chosen = Selection(include=("t0", "t1", "t3", "t6"), exclude=("t6",), repos=("r0",))
    assert ids(chosen, instances(9)) == ["t0", "t3"]


def test_languages_are_compared_without_regard_to_case():
    assert ids(Selection(languages=("go",)), instances(4)) == ["t0", "t2"]


def test_an_unknown_id_in_include_is_refused_with_the_id_that_was_meant():
    with pytest.raises(InvalidInputError, match='"t77"; did you mean "t7"') as caught:
        select_panel("suite", instances(9), Selection(include=("t1", "t77")))
    assert caught.value.field == "spec.suite.selection.include"
    assert caught.value.reason == names.REASON_INVALID_SPEC


def test_an_unknown_id_in_exclude_is_refused():
    with pytest.raises(InvalidInputError, match="not in the suite"):
        select_panel("suite", instances(3), Selection(exclude=("zzz",)))


def test_a_selection_that_leaves_nothing_is_an_empty_panel():
    with pytest.raises(InvalidInputError, match="leaves no instance of 3") as caught:
        select_panel("suite", instances(3), Selection(repos=("nowhere",)))
    assert caught.value.reason == names.REASON_EMPTY_PANEL


def test_quarantined_instances_are_left_out_with_their_reason_and_replaced_in_the_sample():
    suite = instances(30)
    plain = ids(Selection(sample=Sample(size=5)), suite)
    quarantine = (Quarantined(id=plain[0], reason="flaky"), Quarantined(id="gone", reason="x"))
    panel = select_panel("suite", suite, Selection(sample=Sample(size=5), quarantine=quarantine))
    assert panel.quarantined == ((plain[0], "flaky"),)
    assert set(plain[1:]) < {item.id for item in panel.instances}
    assert len(panel.instances) == 5


def test_a_sample_larger_than_the_pool_takes_all_of_it():
    assert len(ids(Selection(sample=Sample(size=50)), instances(4))) == 4


def test_another_seed_gives_another_sample():
    suite = instances(60)
    samples = {tuple(ids(Selection(sample=Sample(size=10, seed=s)), suite)) for s in range(5)}
    assert len(samples) == 5


@given(st.integers(1, 40), st.integers(0, 2**53 - 1), st.sampled_from(["none", "repo"]), st.data())
def test_the_order_of_rows_does_not_matter(size, seed, stratify, data):
    suite = instances(40, repos=5)
    selection = Selection(sample=Sample(size=size, seed=seed, stratify_by=stratify))
    shuffled = list(suite)
    random.Random(data.draw(st.integers())).shuffle(shuffled)
    assert select_panel("s", shuffled, selection) == select_panel("s", suite, selection)


@given(st.integers(1, 30), st.integers(0, 1000))
def test_an_added_row_displaces_at_most_one_of_a_sample(size, seed):
    suite = instances(31)
    selection = Selection(sample=Sample(size=size, seed=seed))
    before, after = set(ids(selection, suite[:30])), set(ids(selection, suite))
    assert len(before - after) <= 1
    assert after - before <= {"t30"}


def test_a_stratified_sample_takes_from_each_repository_in_proportion():
    suite = parse_tasks(
        jsonl(*(task_row(id=f"t{i}", repo="big" if i < 30 else "small") for i in range(40)))
    )
    chosen = select_panel("s", suite, Selection(sample=Sample(size=8, stratify_by="repo")))
    assert Counter(item.repo for item in chosen.instances) == {"big": 6, "small": 2}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1), st.data())
def test_shares_add_up_and_are_proportional_to_within_one(strata, data):
    total = sum(strata.values())
    size = data.draw(st.integers(0, total))
    shares = allocate(size, strata)
    assert sum(shares.values()) == size
    for name, members in strata.items():
        assert abs(shares[name] * total - size * members) < total
        assert 0 <= shares[name] <= members


DECIDING = {
    "id": "other",
    "image": "other:1",
    "workdir": "/other",
    "base_commit": "b" * 40,
    "prompt": "other",
    "test_command": "other",
    "parser": ResultParser("tap"),
    "fail_to_pass": ("other",),
    "pass_to_pass": ("other",),
    "gold_patch": "other",
    "test_patch": "other",
    "test_files": (TestFile("other", b"\xff"),),
    "setup_command": "other",
    "restore_paths": ("other",),
    "env": (("OTHER", "1"),),
    "agent_timeout_seconds": 7,
    "grade_timeout_seconds": 7,
    "resources": InstanceResources(memory_limit="7Gi"),
    "skipped_counts_as_pass": True,
    "grader_needs_network": True,
    "scripts": (TestFile("other", b"\xff"),),
    "apply": "swebench",
    "any_pass_counts": True,
}
NOT_DECIDING = {
    "repo": "other",
    "language": "other",
    "labels": (("other", "1"),),
    "local": LocalWorkspace("other.tar"),
}


def test_the_digest_tests_cover_every_field_of_an_instance():
    assert DECIDING.keys() | NOT_DECIDING.keys() == {field.name for field in fields(Instance)}


@pytest.mark.parametrize("field", sorted(DECIDING))
def test_the_digest_changes_with_a_field_that_decides_a_verdict(field):
    (instance,) = parse_tasks(jsonl(task_row()))
    assert panel_digest([instance]) != panel_digest([replace(instance, **{field: DECIDING[field]})])


@pytest.mark.parametrize("field", sorted(NOT_DECIDING))
def test_the_digest_does_not_change_with_what_decides_no_verdict(field):
    (instance,) = parse_tasks(jsonl(task_row()))
    changed = replace(instance, **{field: NOT_DECIDING[field]})
    assert panel_digest([instance]) == panel_digest([changed])


def test_the_digest_of_a_known_row_stays_the_same_over_releases():
    digest = panel_digest(parse_tasks(jsonl(task_row())))
    assert digest == "971681dd87231a39d79e18bdbdf1675c2686133d63ec27ae74577976fea91806"
