"""Launching: how many ready batches may start now, within parallelism, brake and budget."""

from benchwarden.manifests import naming
from benchwarden.reconcile.decision import LaunchBatch
from benchwarden.reconcile.money import purse
from benchwarden.reconcile.work import Work, braked_parallelism
from benchwarden.reconcile.world import World

# One pass writes at most so many Jobs, so that a pass stays short and the lease is looked at in between.
MAX_LAUNCHES_PER_PASS = 50


def launches(world: World, work: Work) -> list[LaunchBatch]:
    """The batches to create now, in launch order."""
    execution = world.run.spec.execution
    in_flight = sum(1 for view in world.batches if view.batch.members and not view.over)
    allowed = braked_parallelism(execution.parallelism, world.tally.recent_api, world.now)
    room = min(allowed - in_flight, MAX_LAUNCHES_PER_PASS)
    money = purse(world.run.spec, world.tally)
    reserved = work.alive
    chosen: list[LaunchBatch] = []
    for batch in work.ready:
        if len(chosen) >= room or not money.admits(batch, reserved):
            break
        name = naming.job_name(world.run.name, world.run.uid, batch.members)
        chosen.append(LaunchBatch(name, batch))
        reserved += len(batch.members)
    return chosen
