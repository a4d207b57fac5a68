from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kube.builders import RUN, T0, raw_job, raw_pod, terminated

from benchwarden.kube.observation import LAG, Observation, PodlessJob
from benchwarden.kube.projection import JobFact, PodFact, job_fact, pod_fact
from benchwarden.planning.plan import Member
from benchwarden.reconcile.observed import ObservedBatch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = "2026-03-01T12:00:30Z"


def job(uid: str = "job-1", **more: object) -> JobFact:
    fact = job_fact(raw_job(uid, **more))
    assert fact is not None
    return fact


def pod(uid: str = "pod-1", **more: object) -> PodFact:
    fact = pod_fact(raw_pod(uid, **more))
    assert fact is not None
    return fact


def only(observation: Observation, now: datetime = NOON) -> ObservedBatch:
    (batch,) = observation.of_run(RUN, now).batches
    return batch


def test_a_job_and_its_pod_are_one_batch() -> None:
    observation = Observation()
    assert observation.job_changed(None, job()) == RUN
    assert observation.pod_changed(None, pod(phase="Running")) == RUN
    batch = only(observation)
    assert (batch.name, batch.members) == ("name-of-job-1", (Member("a", 0, 1),))
    assert batch.pod == pod(phase="Running").pod
    assert batch.started
    assert not batch.gone


def test_batches_come_in_name_order_and_only_those_of_the_run() -> None:
    observation = Observation()
    for uid in ("job-3", "job-1", "job-2"):
        observation.job_changed(None, job(uid))
    observation.job_changed(None, job("job-0", run_uid="another"))
    names = [batch.name for batch in observation.of_run(RUN, NOON).batches]
    assert names == ["name-of-job-1", "name-of-job-2", "name-of-job-3"]
    assert observation.runs() == {RUN, "another"}


def test_the_newest_pod_of_a_job_wins_whatever_comes_first() -> None:
    old, new = pod("pod-z", phase="Failed"), pod("pod-a", created=LATER)
    for first, second in ((old, new), (new, old)):
        observation = Observation()
        observation.job_changed(None, job())
        observation.pod_changed(None, first)
        observation.pod_changed(None, second)
        assert only(observation).pod == new.pod


def test_a_pod_that_went_is_still_heard_and_shows_as_going() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    last = pod(phase="Running", init=(terminated("grade-0", "verdict"),))
    observation.pod_changed(None, last)
    observation.pod_changed(last, None)
    assert only(observation).pod == replace(last.pod, deleting=True)


def test_a_job_that_vanished_with_its_pod_stays_until_it_is_acknowledged() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.pod_changed(None, pod())
    observation.job_changed(job(), None)
    observation.pod_changed(pod(), None)
    seen = observation.of_run(RUN, NOON)
    assert [batch.gone for batch in seen.batches] == [True]
    observation.acknowledge(RUN, seen)
    assert observation.of_run(RUN, NOON).batches == ()
    assert observation.runs() == set()


def test_a_job_that_vanished_without_ever_having_a_pod_leaves_nothing() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.job_changed(job(), None)
    assert observation.of_run(RUN, NOON).batches == ()
    assert observation.runs() == set()


def test_what_came_in_after_a_look_is_not_acknowledged_with_it() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.pod_changed(None, pod())
    observation.job_changed(job(), None)
    seen = observation.of_run(RUN, NOON)
    more = pod(init=(terminated("grade-0", "verdict"),))
    observation.pod_changed(pod(), more)
    observation.acknowledge(RUN, seen)
    assert only(observation).pod == more.pod


def test_a_pod_that_outlives_its_acknowledged_job_does_not_bring_it_back() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.pod_changed(None, pod())
    observation.job_changed(job(), None)
    observation.acknowledge(RUN, observation.of_run(RUN, NOON))
    observation.pod_changed(pod(), pod(phase="Failed"))
    assert observation.of_run(RUN, NOON).batches == ()
    observation.pod_changed(pod(phase="Failed"), None)
    assert observation.runs() == set()


def test_what_is_not_gone_cannot_be_acknowledged() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.pod_changed(None, pod())
    observation.acknowledge(RUN, observation.of_run(RUN, NOON))
    assert not only(observation).gone


def test_a_pod_that_is_seen_before_its_job_is_a_batch_already() -> None:
    observation = Observation()
    observation.pod_changed(None, pod(members=(("a", 0, 1),)))
    batch = only(observation)
    assert (batch.name, batch.uid, batch.gone) == ("name-of-job-1", "job-1", False)
    assert batch.members == (Member("a", 0, 1),)
    observation.job_changed(None, job())
    assert only(observation).members == (Member("a", 0, 1),)


def test_a_pod_whose_job_a_later_list_does_not_show_has_lost_it() -> None:
    observation = Observation()
    observation.pod_changed(None, pod())
    observation.job_list_began()
    observation.pod_changed(None, pod("pod-2", job="job-2"))
    assert observation.job_list_ended() == {RUN}
    gone = {batch.uid: batch.gone for batch in observation.of_run(RUN, NOON).batches}
    assert gone == {"job-1": True, "job-2": False}


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    observation = Observation()
    observation.pod_changed(None, pod(namespace="elsewhere"))
    observation.job_list_began("bench")
    assert observation.job_list_ended("bench") == set()
    assert not only(observation).gone


def test_a_job_in_the_list_keeps_its_pod() -> None:
    observation = Observation()
    observation.pod_changed(None, pod())
    observation.job_list_began()
    observation.job_changed(None, job())
    assert observation.job_list_ended() == set()
    assert not only(observation).gone


def test_the_end_of_a_job_is_held_back_while_its_pod_seems_at_work() -> None:
    observation = Observation()
    ended = job(finished=("Complete", "CompletionsReached", T0), succeeded=1)
    observation.job_changed(None, ended)
    assert only(observation).finished == ""
    observation.pod_changed(None, pod(phase="Running"))
    assert only(observation).finished == ""
    observation.pod_changed(pod(phase="Running"), pod(phase="Succeeded"))
    assert only(observation).finished == "Complete"


def test_the_end_of_a_job_is_not_held_back_for_ever() -> None:
    observation = Observation()
    observation.job_changed(None, job(finished=("Failed", "PodDeleted", T0), failed=1))
    assert only(observation, NOON + LAG).finished == ""
    assert only(observation, NOON + LAG + timedelta(seconds=1)).finished == "Failed"


def test_a_job_that_failed_without_a_pod_has_failed() -> None:
    observation = Observation()
    observation.job_changed(None, job(finished=("Failed", "DeadlineExceeded", T0)))
    assert only(observation).finished == "Failed"


def test_a_job_whose_pod_went_has_failed() -> None:
    observation = Observation()
    observation.job_changed(None, job(finished=("Failed", "BackoffLimitExceeded", T0), failed=1))
    observation.pod_changed(None, pod(phase="Running"))
    observation.pod_changed(pod(phase="Running"), None)
    assert only(observation).finished == "Failed"


def test_a_job_without_a_pod_is_named_after_a_while_and_its_refusal_kept() -> None:
    observation = Observation()
    patience = timedelta(seconds=3)
    observation.job_changed(None, job())
    observation.job_changed(None, job("job-2", suspend=True))
    observation.job_changed(None, job("job-3"))
    observation.pod_changed(None, pod(job="job-3"))
    assert observation.podless(RUN, NOON + patience, patience) == ()
    later = NOON + timedelta(seconds=4)
    expected = (PodlessJob("bench", "name-of-job-1", "job-1"),)
    assert observation.podless(RUN, later, patience) == expected
    assert observation.note_refusal(RUN, "job-1", "violates PodSecurity") is True
    assert observation.note_refusal(RUN, "job-1", "violates PodSecurity") is False
    assert observation.of_run(RUN, later).batches[0].create_failure == "violates PodSecurity"
    observation.pod_changed(None, pod())
    assert observation.of_run(RUN, later).batches[0].create_failure == ""


def test_a_suspended_job_whose_pod_was_seen_has_started() -> None:
    observation = Observation()
    observation.job_changed(None, job(active=1))
    observation.pod_changed(None, pod())
    observation.pod_changed(pod(), None)
    observation.job_changed(job(active=1), job(suspend=True))
    assert (only(observation).suspended, only(observation).started) == (True, True)


def test_a_deleted_run_is_forgotten_with_all_that_goes_after_it() -> None:
    observation = Observation()
    observation.job_changed(None, job())
    observation.pod_changed(None, pod())
    observation.forget(RUN)
    observation.job_changed(job(), None)
    assert observation.of_run(RUN, NOON).batches == ()
    observation.pod_changed(pod(), None)
    assert observation.runs() == set()


JOBS = st.sampled_from(["job-1", "job-2"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("job"), JOBS, st.booleans()),
        st.tuples(st.just("pod"), JOBS, st.sampled_from(["pod-a", "pod-b"]), st.booleans()),
        st.tuples(st.just("list")),
        st.tuples(st.just("acknowledge")),
    ),
    max_size=30,
)


@given(events=EVENTS)
def test_nothing_is_kept_for_what_is_gone_and_acknowledged(
    events: list[tuple[object, ...]],
) -> None:
    observation = Observation()
    jobs: dict[str, JobFact] = {}
    pods: dict[str, PodFact] = {}
    for event in events:
        match event:
            case ("job", str(uid), bool(exists)):
                new = job(uid) if exists else None
                observation.job_changed(jobs.get(uid), new)
                jobs = {**jobs, uid: new} if new else {k: v for k, v in jobs.items() if k != uid}
            case ("pod", str(owner), str(suffix), bool(exists)):
                key = f"{owner}-{suffix}"
                found = pod(key, job=owner) if exists else None
                observation.pod_changed(pods.get(key), found)
                pods = (
                    {**pods, key: found} if found else {k: v for k, v in pods.items() if k != key}
                )
            case ("list",):
                observation.job_list_began()
                observation.job_list_ended()
            case _:
                observation.acknowledge(RUN, observation.of_run(RUN, NOON))
        shown = {batch.uid for batch in observation.of_run(RUN, NOON).batches}
        assert jobs.keys() <= shown
    for key, found in pods.items():
        observation.pod_changed(found, None)
        assert key
    for fact in jobs.values():
        observation.job_changed(fact, None)
    observation.job_list_began()
    observation.job_list_ended()
    observation.acknowledge(RUN, observation.of_run(RUN, NOON))
    assert observation.runs() == set()
