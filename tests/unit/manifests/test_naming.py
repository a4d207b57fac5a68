"""Names derive from identity."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from benchwarden.manifests import naming
from benchwarden.planning.plan import Member

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
UID = "6f1ab0a2-8b1c-4d51-9a0e-1b7fd2a0c001"

run_names = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?){0,4}", fullmatch=True
)
members = st.lists(
    st.builds(
        Member,
        instance=st.text(min_size=1, max_size=200),
        trial=st.integers(0, 99),
        launch=st.integers(1, 50),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


@settings(deadline=None)
@given(run_names, members)
def test_a_job_name_leaves_room_for_its_pod_and_inputs(name: str, batch: list[Member]) -> None:
    job = naming.job_name(name, UID, batch)

    assert len(job) <= 52
    assert DNS_LABEL.fullmatch(job)
    assert len(naming.input_name(job, 24)) <= 63
    assert DNS_LABEL.fullmatch(naming.input_name(job, 24))


@settings(deadline=None)
@given(run_names, members, members)
def test_different_members_give_different_job_names(
    name: str, one: list[Member], other: list[Member]
) -> None:
    same = naming.job_name(name, UID, one) == naming.job_name(name, UID, other)

    assert same == (one == other)


@settings(deadline=None)
@given(members)
def test_two_runs_of_the_same_name_share_no_job(batch: list[Member]) -> None:
    assert naming.job_name("daily", UID, batch) != naming.job_name("daily", UID[::-1], batch)


def test_a_job_name_never_changes_between_releases() -> None:
    batch = (Member("astropy__astropy-12907", 0, 1), Member("django__django-11099", 2, 3))

    assert naming.job_name("nightly.eu", UID, batch) == "nightly-eu-r5vedd1kf8l4q"


def test_a_members_split_between_its_parts_matters() -> None:
    assert naming.job_name("r", UID, [Member("a", 1, 1)]) != naming.job_name(
        "r", UID, [Member("a1", 1, 1)]
    )


def test_a_run_name_shows_in_its_job_names() -> None:
    assert naming.job_name("my-run", UID, [Member("a", 0, 1)]).startswith("my-run-")


@settings(deadline=None)
@given(run_names)
def test_the_things_of_a_run_never_share_a_name(name: str) -> None:
    names = [
        naming.job_name(name, UID, [Member("a", 0, 1)]),
        naming.probe_name(name, UID, 1),
        naming.probe_name(name, UID, 2),
        naming.plan_name(name, UID),
        naming.network_policy_name(name, UID),
        naming.results_name(name, UID, 0),
        naming.results_name(name, UID, 1),
    ]

    assert len(set(names)) == len(names)
    assert all(DNS_LABEL.fullmatch(each) and len(each) <= 63 for each in names)


def test_result_shards_sort_in_the_order_they_were_written() -> None:
    names = [naming.results_name("r", UID, shard) for shard in range(1200)]

    assert names == sorted(names)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_becomes_a_label_value(text: str) -> None:
    value = naming.label_value(text)

    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)


@settings(deadline=None)
@given(st.text(max_size=100), st.text(max_size=100))
def test_different_texts_never_share_a_label_value(one: str, other: str) -> None:
    assert (naming.label_value(one) == naming.label_value(other)) == (one == other)


def test_a_valid_label_value_is_left_alone() -> None:
    assert naming.label_value("swe.bench_pro-1") == "swe.bench_pro-1"
