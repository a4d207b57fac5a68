from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kube.builders import T0, raw_job, raw_pod, running, terminated, waiting
from tests.unit.kube.jsonish import JSONISH, KEYS, disfigured

from benchwarden import names
from benchwarden.kube.projection import JobFact, PodFact, job_fact, members_of, moment, pod_fact
from benchwarden.planning.plan import Member
from benchwarden.reconcile.observed import ObservedContainer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_job_is_reduced_to_what_decisions_use() -> None:
    raw = raw_job(
        members=(("a", 0, 1), ("b", 1, 2)), finished=("Failed", "DeadlineExceeded", T0), failed=1
    )
    assert job_fact(raw) == JobFact(
        uid="job-1",
        name="name-of-job-1",
        namespace="bench",
        run_uid="run-uid-1",
        role=names.ROLE_BATCH,
        members=(Member("a", 0, 1), Member("b", 1, 2)),
        created_at=NOON,
        started=True,
        finished="Failed",
        finished_reason="DeadlineExceeded",
        finished_at=NOON,
    )


@pytest.mark.parametrize("count", ["active", "succeeded", "failed", "terminating"])
def test_a_job_has_started_once_it_counts_a_pod(count: str) -> None:
    assert job_fact(raw_job(**{count: 1})).started
    assert not job_fact(raw_job(**{count: 0})).started


def test_a_refused_job_has_a_start_time_and_has_not_started() -> None:
    assert not job_fact(raw_job(startTime=T0)).started


def test_a_suspended_job_with_a_start_time_has_started_before() -> None:
    assert job_fact(raw_job(suspend=True, startTime=T0)).started
    assert not job_fact(raw_job(suspend=True)).started


def test_a_condition_that_is_not_true_ends_no_job() -> None:
    conditions = [
        {"type": "Failed", "status": "False"},
        {"type": "FailureTarget", "status": "True"},
    ]
    assert job_fact(raw_job(conditions=conditions)).finished == ""


def test_a_pod_that_is_being_deleted_shows_when_its_time_is_over() -> None:
    fact = pod_fact(raw_pod(deleting=True))
    assert fact is not None
    assert (fact.pod.deleting, fact.pod.deletion_at) == (True, NOON)


def test_containers_come_in_the_order_of_the_spec_with_what_they_said() -> None:
    fact = pod_fact(
        raw_pod(
            phase="Running",
            init=(
                running("grade-0"),
                terminated(
                    "agent-0", "{telemetry}", exitCode=137, reason="OOMKilled", startedAt=T0
                ),
            ),
            main=(waiting("finish", "PodInitializing"),),
        )
    )
    assert fact is not None
    assert fact.pod.containers == (
        ObservedContainer("inject"),
        ObservedContainer(
            name="agent-0",
            state="terminated",
            reason="OOMKilled",
            message="{telemetry}",
            exit_code=137,
            started_at=NOON,
            finished_at=NOON,
            image_id="sha256:1",
        ),
        ObservedContainer("grade-0", "running", started_at=NOON, image_id="sha256:1"),
        ObservedContainer("finish", "waiting", "PodInitializing"),
    )


def test_a_pod_says_whose_it_is_and_where() -> None:
    fact = pod_fact(raw_pod(members=(("a", 0, 1),)))
    assert fact is not None
    assert (fact.job_uid, fact.job_name, fact.run_uid) == ("job-1", "name-of-job-1", "run-uid-1")
    assert fact.members == (Member("a", 0, 1),)
    assert (fact.pod.node, fact.pod.created_at, fact.pod.phase) == ("node-1", NOON, "Pending")


def test_disruption_and_unschedulable_are_read_from_conditions() -> None:
    conditions = [
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"},
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "lastTransitionTime": T0,
        },
    ]
    fact = pod_fact(raw_pod(conditions=conditions, reason="Evicted", message="low on memory"))
    assert fact is not None
    assert fact.pod.disruption == "EvictionByEvictionAPI"
    assert fact.pod.unschedulable_since == NOON
    assert (fact.pod.reason, fact.pod.message) == ("Evicted", "low on memory")


def test_a_gated_pod_is_not_unschedulable() -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
    fact = pod_fact(raw_pod(conditions=[gated]))
    assert fact is not None
    assert fact.pod.unschedulable_since is None


def test_objects_of_no_run_give_nothing() -> None:
    job, pod = raw_job(), raw_pod()
    del job["metadata"]["labels"], pod["metadata"]["ownerReferences"]
    assert job_fact(job) is None
    assert pod_fact(pod) is None


def test_equal_waiting_containers_are_one_object() -> None:
    first, second = (pod_fact(raw_pod(uid, init=(waiting("inject", "X"),))) for uid in "ab")
    assert first is not None
    assert second is not None
    assert first.pod.containers[0] is second.pod.containers[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        "[[]]",
        '[["a", 0]]',
        '[["a", "0", 1]]',
        '[["", 0, 1]]',
        '[["a",0,1],2]',
        "[" * 9000,
    ],
)
def test_an_unreadable_annotation_is_no_members(text: str) -> None:
    assert members_of(text) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T12:00:00.000000Z", NOON),
        ("2026-03-01T14:00:00+02:00", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("soon", None),
        ("0001-01-01T00:00:00+23:59", None),
        (12, None),
        (None, None),
    ],
)
def test_times_are_aware_and_utc_or_nothing(text: object, expected: datetime | None) -> None:
    assert moment(text) == expected


@given(raw=st.dictionaries(KEYS, JSONISH, max_size=6))
def test_any_json_gives_a_fact_or_nothing(raw: dict[str, object]) -> None:
    assert isinstance(job_fact(raw), JobFact | None)
    assert isinstance(pod_fact(raw), PodFact | None)


REAL = st.builds(raw_job, failed=st.just(1), finished=st.just(("Failed", "x", T0))) | st.builds(
    raw_pod, init=st.builds(lambda: (running("inject"),))
)


@given(raw=disfigured(REAL))
def test_a_real_object_with_any_part_replaced_still_gives_a_fact_or_nothing(
    raw: dict[str, object],
) -> None:
    assert isinstance(job_fact(raw), JobFact | None)
    assert isinstance(pod_fact(raw), PodFact | None)
