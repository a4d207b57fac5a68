"""How much sooner a run ends when it begins with the longest work, told by durations of earlier runs.

    python -m benchmarks.packing

A simulation with the product's own grouping and launch order; equal seeds give equal tables. The spread of
durations is that of a published run: deciles of the seconds that an agent worked on each of 86 instances of
SWE-bench Verified, with its own limit near a quarter of an hour (repository pepealonso95/TDAD, run exp011 of
2026-02-16, instances that the API did not fail). No published run repeats instances often enough to know how
well yesterday tells today, so that is a column: 0 is a perfect memory.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import median

from benchwarden.planning.groups import group_trials
from benchwarden.planning.plan import TrialKey
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden_runner import protocol

# 5 % apart, the shortest first.
SECONDS = (47, 60, 68, 83, 93, 112, 128, 159, 193, 211, 243,
           258, 326, 771, 855, 911, 940, 958, 988, 1054, 1241)  # fmt: skip
PANELS = 200
CASES = (
    (50, 1, 10),
    (50, 1, 25),
    (50, 5, 5),
    (731, 1, 50),
    (731, 5, 50),
)  # size, batch, parallelism
NOISE = (0.0, 0.3, 0.6)  # standard deviation of log seconds from one day to the next


def drawn(rng: Random) -> float:
    """Seconds of one instance, between the deciles on a line."""
    at = rng.random() * (len(SECONDS) - 1)
    low = int(at)
    return SECONDS[low] + (at - low) * (SECONDS[low + 1] - SECONDS[low])


def makespan(
    groups: Sequence[Sequence[TrialKey]], seconds: Mapping[str, float], parallelism: int
) -> float:
    """When the last pod ends if each starts as soon as one of the slots is free."""
    slots = [0.0] * parallelism
    for group in groups:
        heapq.heapreplace(slots, slots[0] + sum(seconds[key.instance] for key in group))
    return max(slots)


def bound(seconds: Mapping[str, float], parallelism: int) -> float:
    """No order of single pods ends sooner."""
    return max(sum(seconds.values()) / parallelism, *seconds.values())


def panel(rng: Random, size: int) -> list[Instance]:
    """Instances in an order that says nothing about their length."""
    parser = ResultParser(protocol.PARSER_EXIT_CODE)
    ids = [f"i{n:04d}" for n in range(size)]
    rng.shuffle(ids)
    return [Instance(each, "image:1", "/repo", "", "", "true", parser, ("t",)) for each in ids]


def measured(size: int, batch_size: int, parallelism: int, noise: float) -> tuple[float, ...]:
    """Medians over panels: naive / history-aware, and both over the bound."""
    rng = Random(f"{size} {batch_size} {parallelism} {noise}")
    ratios, naive_over, aware_over = [], [], []
    for _ in range(PANELS):
        instances = panel(rng, size)
        usual = {each.id: drawn(rng) for each in instances}
        history, today = (
            {each: value * math.exp(rng.gauss(0, noise)) for each, value in usual.items()}
            for _ in range(2)
        )
        naive = makespan(group_trials(instances, 1, batch_size), today, parallelism)
        aware = makespan(group_trials(instances, 1, batch_size, history), today, parallelism)
        least = bound(today, parallelism)
        ratios.append(naive / aware)
        naive_over.append(naive / least)
        aware_over.append(aware / least)
    return median(ratios), median(naive_over), median(aware_over)


def table() -> str:
    """The figures as Markdown."""
    names = ("Instances", "batchSize", "parallelism", "Noise", "Naive / history-aware",
             "Naive / bound", "History-aware / bound")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for size, batch_size, parallelism in CASES:
        for noise in NOISE:
            found = measured(size, batch_size, parallelism, noise)
            cells = (size, batch_size, parallelism, noise, *(f"{each:.2f}" for each in found))
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
