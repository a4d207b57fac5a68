"""Keeping: which ended runs must be rolled up, and which may go."""

from benchwarden.scheduling.observed import RunFact
from benchwarden.scheduling.world import ScheduleWorld


def to_roll_up(world: ScheduleWorld) -> tuple[RunFact, ...]:
    """Ended runs whose cells are not stored, oldest slot first.

    A run that was retried after it was rolled up counts anew only while its day is the last of its series:
    what has been judged is not rewritten, and no frozen baseline either.
    """
    due = [run for run in world.runs if run.ended and _is_due(world, run)]
    return tuple(sorted(due, key=lambda run: (run.slot, run.name)))


def _is_due(world: ScheduleWorld, run: RunFact) -> bool:
    stored = world.entry(run)
    if stored is None:
        return True
    if run.retry <= stored.retry:
        return False
    evaluation = world.evaluations.get(stored.series)
    frozen = evaluation.frozen if evaluation is not None else None
    if frozen is not None and stored.day <= frozen.get("frozenOn"):
        return False
    return not any(
        other.series == stored.series and other.day > stored.day for other in world.history.runs
    )


def to_delete(world: ScheduleWorld) -> tuple[RunFact, ...]:
    """Ended and rolled-up runs beyond the history limits, counted per series, the oldest first."""
    spec = world.schedule.spec
    surplus: list[RunFact] = []
    for series in {run.series for run in world.runs}:
        for succeeded, limit in (
            (True, spec.successful_runs_history_limit),
            (False, spec.failed_runs_history_limit),
        ):
            ended = [
                run
                for run in world.runs
                if run.series == series and run.ended and run.succeeded is succeeded
            ]
            ended.sort(key=lambda run: (run.slot, run.name), reverse=True)
            surplus += [run for run in ended[limit:] if world.entry(run) is not None]
    return tuple(sorted(surplus, key=lambda run: (run.slot, run.name)))
