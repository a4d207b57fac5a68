"""Capture turns what a batch's containers said into rows, as soon as each can be said and exactly once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from benchwarden import names
from benchwarden.planning.plan import Member
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.ending import POD_REASONS, Ending
from benchwarden.reconcile.observed import ObservedBatch, ObservedContainer
from benchwarden.results import outcome as outcomes
from benchwarden.results import row as rows_of
from benchwarden.results.outcome import Outcome
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden_runner import protocol

# A trial that was put back this often without ever starting is charged: no loop is endless.
MAX_RELEASES = 10
# Work that we or a queue stopped: nobody is charged, however often.
STOPPED_REASONS = frozenset({names.REASON_SUSPENDED, names.REASON_CANCELLED})
_SIGNALLED = range(129, 160)  # 128 + signal
DISTURBED_REASONS = frozenset({*POD_REASONS, "DeadlineExceeded"})


@dataclass(frozen=True, slots=True)
class Pair:
    """The two containers of one member, as far as they are seen."""

    agent: ObservedContainer
    grade: ObservedContainer

    @property
    def reached(self) -> bool:
        """Whether the agent's container was started, or is the one the pod waits for in error."""
        return self.agent.state != seen.WAITING or bool(
            self.agent.reason and self.agent.reason not in ("PodInitializing", "ContainerCreating")
        )


def pairs(batch: ObservedBatch) -> list[Pair]:
    """The members' containers in member order."""
    found = {each.name: each for each in batch.pod.containers} if batch.pod else {}
    return [
        Pair(
            found.get(f"{names.AGENT_PREFIX}{index}")
            or ObservedContainer(f"{names.AGENT_PREFIX}{index}"),
            found.get(f"{names.GRADE_PREFIX}{index}")
            or ObservedContainer(f"{names.GRADE_PREFIX}{index}"),
        )
        for index in range(len(batch.members))
    ]


def capture(
    batch: ObservedBatch, ending: Ending | None, tally: Tally, now: datetime
) -> tuple[Row, ...]:
    """Rows that can be said now and are not in `tally`; all members have one once `ending` is given."""
    captured: list[Row] = []
    charged = False
    for member, pair in zip(batch.members, pairs(batch), strict=True):
        if tally.knows(member):
            continue
        found = _of_pair(batch, member, pair, tally)
        if found is None and ending is None:
            continue
        if found is None:
            assert ending is not None  # noqa: S101  # narrowed by the line above
            at_work = not charged and (pair.reached or not ending.at_work_only)
            charged = charged or at_work
            captured.append(_of_ending(batch, member, pair, ending, at_work, tally, now))
            continue
        captured.append(_row(batch, member, pair, found, now))
    return tuple(captured)


def _of_pair(batch: ObservedBatch, member: Member, pair: Pair, tally: Tally) -> Outcome | None:
    """Outcome of a member by its own containers; None while they cannot say."""
    history = tally.state(member.key).history()
    agent = telemetry(pair.agent)
    if pair.agent.state == seen.TERMINATED and pair.agent.reason == "OOMKilled":
        return outcomes.of_limit(protocol.AGENT_OOM, history, "OOMKilled")
    if agent is not None and agent.outcome in protocol.FATAL_CLASSES:
        return outcomes.of_agent(agent, history)
    if pair.grade.state != seen.TERMINATED:
        return None
    if pair.agent.image_id and pair.grade.image_id and pair.agent.image_id != pair.grade.image_id:
        return Outcome(outcomes.CHARGE, protocol.HARNESS, "image_changed_between_agent_and_grader")
    verdict = protocol.decode(pair.grade.message)
    if verdict is not None and not isinstance(verdict, protocol.Verdict):
        verdict = None
    if verdict is None and pair.grade.exit_code == protocol.EXIT_HARNESS:
        return Outcome(outcomes.CHARGE, protocol.HARNESS, "grader could not start the tests")
    if verdict is None and _was_disturbed(batch, pair.grade):
        return None  # the cluster's doing, not the grader's: the ending says which
    return outcomes.combine(agent, verdict, history)


def _was_killed_at_work(pair: Pair) -> bool:
    """Whether a signal ended the agent's container without a word, for no reason that the cluster gives.

    As root an agent can bring that about: by a limit on its supervisor's processor time, say.
    """
    agent = pair.agent
    killed = agent.state == seen.TERMINATED and agent.exit_code in _SIGNALLED
    return killed and telemetry(agent) is None and pair.grade.state == seen.WAITING


def _was_disturbed(batch: ObservedBatch, grade: ObservedContainer) -> bool:
    """Whether the pod was taken away from under the grader."""
    pod = batch.pod
    if grade.reason == "ContainerStatusUnknown" or batch.gone or pod is None:
        return True
    return pod.deleting or bool(pod.disruption) or pod.reason in DISTURBED_REASONS


def telemetry(container: ObservedContainer) -> protocol.Telemetry | None:
    """The agent's word, if its container ended and the word is whole."""
    if container.state != seen.TERMINATED:
        return None
    message = protocol.decode(container.message)
    return message if isinstance(message, protocol.Telemetry) else None


def _of_ending(
    batch: ObservedBatch,
    member: Member,
    pair: Pair,
    ending: Ending,
    at_work: bool,  # noqa: FBT001  # private, and read beside its name
    tally: Tally,
    now: datetime,
) -> Row:
    """Row of a member whose containers did not finish: charged if at work, else put back."""
    if not at_work:
        if tally.state(member.key).launches + 1 < MAX_RELEASES or ending.reason in STOPPED_REASONS:
            return _row(batch, member, pair, None, now, ending.reason)
        looped = Outcome(outcomes.CHARGE, protocol.HARNESS, "never started in many launches")
        return _row(batch, member, pair, looped, now)
    history = tally.state(member.key).history()
    if ending.reason in STOPPED_REASONS:
        return _row(batch, member, pair, None, now, ending.reason)
    if ending.outcome in protocol.LIMIT_CLASSES:
        return _row(
            batch, member, pair, outcomes.of_limit(ending.outcome, history, ending.reason), now
        )
    if ending.outcome == protocol.GRADER_ERROR:
        return _row(batch, member, pair, outcomes.of_silent_grader(history), now)
    if ending.outcome == protocol.HARNESS and _was_killed_at_work(pair):
        text = f"{protocol.REASON_NOT_CAPTURED}: {ending.reason}"
        return _row(batch, member, pair, outcomes.of_uncaptured(history, text), now)
    charge = Outcome(outcomes.CHARGE, ending.outcome, ending.reason)
    return _row(batch, member, pair, charge, now)


def _row(
    batch: ObservedBatch,
    member: Member,
    pair: Pair,
    found: Outcome | None,
    now: datetime,
    reason: str = "",
) -> Row:
    """The row of one launch; `found` None means put back, with `reason`."""
    agent = telemetry(pair.agent) or protocol.Telemetry(outcome="")
    message = protocol.decode(pair.grade.message) if pair.grade.state == seen.TERMINATED else None
    graded = message if isinstance(message, protocol.Verdict) else protocol.Verdict(outcome="")
    kind = rows_of.KIND_RELEASE
    if found is not None:
        final = found.effect == outcomes.VERDICT
        kind = rows_of.KIND_VERDICT if final else rows_of.KIND_CHARGE
    # Never later than now: whoever waits from then on must not wait for a clock that is ahead.
    finished = min(pair.grade.finished_at or pair.agent.finished_at or now, now)
    return Row(
        instance=member.instance,
        trial=member.trial,
        launch=member.launch,
        kind=kind,
        outcome=found.outcome if found else "",
        reason=found.reason if found else reason,
        batch=batch.name,
        finished_at=stamp(finished),
        pod_uid=batch.pod.uid if batch.pod else "",
        agent_class=agent.outcome,
        agent_seconds=agent.seconds,
        throttle_seconds=agent.throttle_seconds,
        grade_seconds=graded.seconds,
        turns=agent.turns,
        input_tokens=agent.input_tokens,
        output_tokens=agent.output_tokens,
        cache_read_tokens=agent.cache_read_tokens,
        cache_write_tokens=agent.cache_write_tokens,
        cost_usd=agent.cost_usd,
        cli_version=agent.cli_version,
        network=agent.network if agent.outcome else "",
        denials=agent.denials,
        tools=tuple(sorted(agent.tools.items())),
        tests=(*graded.fail_to_pass, *graded.pass_to_pass),
        patch_sha256=graded.patch_sha256,
        patch_bytes=graded.patch_bytes,
        log_sha256=graded.log_sha256,
        artifact=graded.artifact,
        agent_image_id=pair.agent.image_id,
        grade_image_id=pair.grade.image_id,
    )


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
