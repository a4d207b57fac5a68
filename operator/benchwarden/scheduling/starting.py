"""Starting: whether a slot is due, and what an active run of an earlier slot means for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from benchwarden import names
from benchwarden.reconcile.capture import stamp
from benchwarden.reconcile.decision import EmitEvent
from benchwarden.scheduling.decision import Action, CancelRun, LaunchRun
from benchwarden.scheduling.observed import moment_or_none
from benchwarden.scheduling.world import ScheduleWorld

WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Start:
    """What this pass does about slots.

    Attributes:
        actions: cancellations, then launches.
        last: the last slot that was started, this pass included.
        waiting: a due slot that an active run holds back.
        missed: the last slot that was skipped for being too late.
    """

    actions: tuple[Action, ...] = ()
    last: datetime | None = None
    waiting: datetime | None = None
    missed: datetime | None = None


def run_name(schedule: str, slot: datetime, series: str) -> str:
    """Name of the run of a slot: the slot in minutes since 1970, as a CronJob names its Jobs."""
    minutes = int(slot.timestamp()) // 60
    suffix = "" if series == names.SERIES_LATEST else f"-{series}"
    return f"{schedule}-{minutes}{suffix}"


def start(world: ScheduleWorld) -> Start:
    """Start the newest slot that is due, if it may be started now; earlier ones are made up for never."""
    schedule = world.schedule
    last = last_started(world)
    missed = moment_or_none(schedule.status.get("lastMissedTime"))
    if schedule.spec.suspend:
        return Start((), last, None, missed)
    since = last or schedule.created_at
    due = schedule.timetable.latest(since, world.now)
    if due is None:
        return Start((), last, None, missed)
    deadline = schedule.spec.starting_deadline_seconds
    if deadline is not None and world.now - due > timedelta(seconds=deadline):
        text = f"slot {stamp(due)} was skipped: more than {deadline} s late"
        news = () if missed == due else (EmitEvent(names.EVENT_SLOT_MISSED, text, warning=True),)
        return Start(news, last, None, due)
    before = tuple(run for run in world.active if run.slot != due)
    if before and schedule.spec.concurrency_policy == "Forbid":
        return Start((), last, due, missed)
    actions: list[Action] = []
    if schedule.spec.concurrency_policy == "Replace":
        for run in before:
            if not run.cancelled:
                text = f"{run.name} is cancelled: slot {stamp(due)} replaces it"
                actions += (CancelRun(run), EmitEvent(names.EVENT_RUN_CANCELLED, text))
    # The template's own series comes last: a slot counts as started once that run exists.
    for series in reversed(schedule.series):
        factor = factor_of(world, due) if series == names.SERIES_LATEST else 1
        launch = LaunchRun(run_name(schedule.name, due, series), due, series, factor)
        closer = f", a closer look: the panel {factor} times" if factor > 1 else ""
        text = f"{launch.name} for slot {stamp(due)}{closer}"
        actions += (launch, EmitEvent(names.EVENT_RUN_CREATED, text))
    return Start(tuple(actions), due, None, missed)


def last_started(world: ScheduleWorld) -> datetime | None:
    """The last slot with a run, whether that run still exists, was rolled up, or was only noted."""
    found = [run.slot for run in world.runs if run.series == names.SERIES_LATEST]
    found += [
        slot
        for run in world.history.runs[-50:]
        if run.series == names.SERIES_LATEST and (slot := moment_or_none(run.slot)) is not None
    ]
    noted = moment_or_none(world.schedule.status.get("lastScheduleTime"))
    return max([*found, noted] if noted is not None else found, default=None)


def factor_of(world: ScheduleWorld, slot: datetime) -> int:
    """How often to run the panel: several times while the monitor watches and the month allows it."""
    rerun = world.schedule.spec.detection.rerun
    if world.latest.state != WATCH or rerun.factor == 1:
        return 1
    return rerun.factor if reruns_used(world, month_of(world, slot)) < rerun.max_per_month else 1


def month_of(world: ScheduleWorld, slot: datetime) -> str:
    """The calendar month of a slot, such as 2026-03."""
    return world.schedule.timetable.day_of(slot).isoformat()[:7]


def reruns_used(world: ScheduleWorld, month: str) -> int:
    """Closer looks already taken in a month, by runs that exist and runs that are only stored."""
    looked = {run.run_uid for run in world.history.runs if run.factor > 1 and run.day[:7] == month}
    looked |= {
        run.uid for run in world.runs if run.factor > 1 and month_of(world, run.slot) == month
    }
    return len(looked)
