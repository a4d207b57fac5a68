"""Groups of trials that share a pod: same base image together, longest work first, sizes as asked.

The grouping is a pure function of the panel, the spec's numbers and known durations, so that planning again
gives the same groups.
"""

import heapq
from collections.abc import Mapping, Sequence

from benchwarden.planning.plan import TrialKey
from benchwarden.suites.instance import Instance


def group_trials(
    instances: Sequence[Instance],
    trials: int,
    batch_size: int,
    durations_seconds: Mapping[str, float] | None = None,
) -> tuple[tuple[TrialKey, ...], ...]:
    """Groups of at most `batch_size` trial keys, in launch order.

    Trials are the outer loop: every instance is tried once before any is tried twice, so that a run cut short
    by its budget has breadth. With known durations, groups hold work of like total length and the longest
    group is launched first (longest-processing-time rule; unknown durations count as the median).

    Args:
        instances: the panel in its order.
        trials: repeats per instance, >= 1.
        batch_size: trials per group, >= 1.
        durations_seconds: seconds by instance id from earlier runs.
    """
    by_image: dict[str, list[Instance]] = {}
    for instance in instances:
        by_image.setdefault(instance.image, []).append(instance)
    weights = _weights(instances, durations_seconds or {})
    groups: list[tuple[TrialKey, ...]] = []
    for trial in range(trials):
        of_trial: list[tuple[TrialKey, ...]] = []
        leftovers: list[Instance] = []
        for members in by_image.values():
            whole = len(members) - len(members) % batch_size
            of_trial += _balanced(members[:whole], trial, batch_size, weights)
            leftovers += members[whole:]
        of_trial += _balanced(leftovers, trial, batch_size, weights)
        if durations_seconds:
            of_trial.sort(key=lambda group: -sum(weights[key.instance] for key in group))
        groups += of_trial
    return tuple(groups)


def _weights(
    instances: Sequence[Instance], durations_seconds: Mapping[str, float]
) -> dict[str, float]:
    known = sorted(durations_seconds[each.id] for each in instances if each.id in durations_seconds)
    median = known[len(known) // 2] if known else 1.0
    return {each.id: durations_seconds.get(each.id, median) for each in instances}


def _balanced(
    members: Sequence[Instance], trial: int, batch_size: int, weights: Mapping[str, float]
) -> list[tuple[TrialKey, ...]]:
    """Deal members into the fewest groups, longest first into the lightest group with room."""
    if not members:
        return []
    count = -(-len(members) // batch_size)
    if len({weights[each.id] for each in members}) == 1:
        keys = [TrialKey(each.id, trial) for each in members]
        return [tuple(keys[at : at + batch_size]) for at in range(0, len(keys), batch_size)]
    groups: list[list[TrialKey]] = [[] for _ in range(count)]
    room = [
        (0.0, at) for at in range(count)
    ]  # a heap: the lightest group first, full ones left out
    ordered = sorted(members, key=lambda each: (-weights[each.id], each.id))
    for each in ordered:
        load, lightest = room[0]
        groups[lightest].append(TrialKey(each.id, trial))
        if len(groups[lightest]) < batch_size:
            heapq.heapreplace(room, (load + weights[each.id], lightest))
        else:
            heapq.heappop(room)
    return [tuple(group) for group in groups]
