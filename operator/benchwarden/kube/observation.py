"""What is seen of each run: Jobs and pods joined, kept until what they said has been stored.

Two watches bring the facts, and either may lag behind the other; a Job and its pod may also vanish before
anybody looked. So a fact that was seen stays, marked as gone, until the controller acknowledges it, and the
end of a Job is held back while its pod, which must have ended before it, still seems to be at work.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from benchwarden.kube.projection import JobFact, PodFact
from benchwarden.planning.plan import Member
from benchwarden.reconcile.observed import Observed, ObservedBatch, ObservedPod

# How long the pods' watch may lag behind the Jobs' before the Job's word alone counts: more than the
# time in which a dead watch is noticed and replaced.
LAG = timedelta(seconds=180)
_ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class _Entry:
    """One Job, by its UID, with its newest pod."""

    job: JobFact | None = None
    pod: PodFact | None = None
    live_pods: tuple[str, ...] = ()  # nearly always one: a set would cost four times as much
    had_pod: bool = False
    gone: bool = False  # the Job is known not to exist any more
    acknowledged: bool = False
    refusal: str = ""
    built: ObservedBatch | None = None

    @property
    def useless(self) -> bool:
        """Nothing of it exists and nobody needs its words."""
        if self.live_pods or (self.job is not None and not self.gone):
            return False
        return self.acknowledged or not self.had_pod


@dataclass(frozen=True, slots=True)
class PodlessJob:
    """A Job that ought to have a pod and has none."""

    namespace: str
    name: str
    uid: str


class Observation:
    """Joins Jobs and pods by run; every method is O(1) or O(Jobs of one run)."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, _Entry]] = {}
        self._forgotten: set[str] = set()
        self._orphans_before: dict[str, set[tuple[str, str]]] = {}

    def job_changed(self, old: JobFact | None, new: JobFact | None) -> str:
        """Take in a Job that appeared, changed or went; returns the run's UID."""
        fact = new or old
        if fact is None:
            return ""
        entry = self._entry(fact.run_uid, fact.uid)
        entry.job, entry.gone = fact, new is None
        entry.acknowledged = entry.acknowledged and entry.gone
        self._changed(fact.run_uid, fact.uid, entry)
        return fact.run_uid

    def pod_changed(self, old: PodFact | None, new: PodFact | None) -> str:
        """Take in a pod that appeared, changed or went; returns the run's UID."""
        fact = new or old
        if fact is None:
            return ""
        entry = self._entry(fact.run_uid, fact.job_uid)
        entry.had_pod = True
        others = tuple(uid for uid in entry.live_pods if uid != fact.pod.uid)
        entry.live_pods = others if new is None else (*others, fact.pod.uid)
        if entry.pod is None or _age(fact.pod) >= _age(entry.pod.pod):
            entry.pod = fact
        self._changed(fact.run_uid, fact.job_uid, entry)
        return fact.run_uid

    def job_list_began(self, namespace: str = "") -> None:
        """A list of all Jobs (of a namespace) is about to be read: a pod whose Job it lacks has lost it."""
        self._orphans_before[namespace] = {
            (run_uid, job_uid)
            for run_uid, jobs in self._runs.items()
            for job_uid, entry in jobs.items()
            if _is_orphan(entry, namespace)
        }

    def job_list_ended(self, namespace: str = "") -> frozenset[str]:
        """The list was read; returns the UIDs of runs for which a lost Job was found out."""
        touched = set()
        for run_uid, job_uid in self._orphans_before.pop(namespace, ()):
            entry = self._runs.get(run_uid, {}).get(job_uid)
            if entry is not None and entry.job is None:
                entry.gone = True
                self._changed(run_uid, job_uid, entry)
                touched.add(run_uid)
        return frozenset(touched)

    def note_refusal(self, run_uid: str, job_uid: str, message: str) -> bool:
        """Keep why a Job's pod was refused; says whether that is news."""
        entry = self._runs.get(run_uid, {}).get(job_uid)
        if entry is None or entry.refusal == message:
            return False
        entry.refusal = message
        entry.built = None
        return True

    def podless(self, run_uid: str, now: datetime, patience: timedelta) -> tuple[PodlessJob, ...]:
        """Jobs of a run that should have had a pod for longer than `patience`."""
        return tuple(
            PodlessJob(entry.job.namespace, entry.job.name, entry.job.uid)
            for entry in self._runs.get(run_uid, {}).values()
            if entry.job is not None
            and not (entry.gone or entry.had_pod or entry.job.started)
            and not (entry.job.suspended or entry.job.deleting or entry.job.finished)
            and entry.job.created_at is not None
            and now - entry.job.created_at > patience
        )

    def of_run(self, run_uid: str, now: datetime) -> Observed:
        """All batches of a run, in name order."""
        batches = [
            _held_back(_built(job_uid, entry), entry, now)
            for job_uid, entry in self._runs.get(run_uid, {}).items()
            if not entry.acknowledged
        ]
        return Observed(tuple(sorted(batches, key=lambda batch: (batch.name, batch.uid))))

    def acknowledge(self, run_uid: str, seen: Observed) -> None:
        """What `seen` shows as gone has been stored and is needed no longer.

        A batch about which more came in since `seen` was taken stays.
        """
        jobs = self._runs.get(run_uid, {})
        for batch in seen.batches:
            entry = jobs.get(batch.uid)
            if batch.gone and entry is not None and _built(batch.uid, entry) == batch:
                entry.acknowledged = True
                self._changed(run_uid, batch.uid, entry)

    def forget(self, run_uid: str) -> None:
        """The run was deleted: keep nothing for it that does not exist."""
        if run_uid not in self._runs:
            return
        self._forgotten.add(run_uid)
        for job_uid, entry in list(self._runs[run_uid].items()):
            self._changed(run_uid, job_uid, entry)

    def runs(self) -> frozenset[str]:
        """UIDs of the runs of which anything is kept."""
        return frozenset(self._runs)

    def _entry(self, run_uid: str, job_uid: str) -> _Entry:
        return self._runs.setdefault(run_uid, {}).setdefault(job_uid, _Entry())

    def _changed(self, run_uid: str, job_uid: str, entry: _Entry) -> None:
        entry.built = None
        if run_uid in self._forgotten:
            entry.acknowledged = entry.acknowledged or entry.gone or entry.job is None
        if entry.useless:
            jobs = self._runs[run_uid]
            del jobs[job_uid]
            if not jobs:
                del self._runs[run_uid]
                self._forgotten.discard(run_uid)


def _is_orphan(entry: _Entry, namespace: str) -> bool:
    """Whether a pod is known whose Job was never seen, in that namespace or anywhere."""
    if entry.job is not None or entry.gone or entry.pod is None:
        return False
    return not namespace or entry.pod.namespace == namespace


def _built(job_uid: str, entry: _Entry) -> ObservedBatch:
    if entry.built is None:
        entry.built = _build(job_uid, entry)
    return entry.built


def _build(job_uid: str, entry: _Entry) -> ObservedBatch:
    pod = entry.pod.pod if entry.pod is not None else None
    if pod is not None and pod.uid not in entry.live_pods and not pod.deleting:
        pod = replace(pod, deleting=True)  # it went, and was not seen going
    job = entry.job
    if job is None:
        return _batch_of_orphan(job_uid, entry, pod)
    return ObservedBatch(
        name=job.name,
        role=job.role,
        uid=job_uid,
        members=job.members or _members(entry),
        created_at=job.created_at,
        suspended=job.suspended,
        started=job.started or entry.had_pod,
        deleting=job.deleting,
        finished=job.finished,
        finished_reason=job.finished_reason,
        create_failure=entry.refusal if pod is None else "",
        gone=entry.gone,
        pod=pod,
    )


def _batch_of_orphan(job_uid: str, entry: _Entry, pod: ObservedPod | None) -> ObservedBatch:
    return ObservedBatch(
        name=entry.pod.job_name if entry.pod else "",
        role=entry.pod.role if entry.pod else "",
        uid=job_uid,
        members=_members(entry),
        started=True,
        gone=entry.gone,
        pod=pod,
    )


def _held_back(batch: ObservedBatch, entry: _Entry, now: datetime) -> ObservedBatch:
    """The batch without its end while its pod cannot have been seen to its own end yet."""
    if not batch.finished or batch.gone:
        return batch
    ended_at = entry.job.finished_at if entry.job else None
    if ended_at is None or now - ended_at > LAG:
        return batch
    pod = batch.pod
    if pod is None:
        lags = entry.job is not None and entry.job.started
    else:
        lags = pod.uid in entry.live_pods and pod.phase not in _ENDED
    return replace(batch, finished="", finished_reason="") if lags else batch


def _members(entry: _Entry) -> tuple[Member, ...]:
    return entry.pod.members if entry.pod is not None else ()


def _age(pod: ObservedPod) -> tuple[float, str]:
    return (pod.created_at.timestamp() if pod.created_at else 0.0, pod.uid)
