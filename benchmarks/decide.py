"""One pass over a run of 10 000 instances, in memory: what a reconcile costs at scale."""

import statistics
import time

from tests.builders import NOW, Bench, finished_pod, panel_of

from benchwarden.controller.collecting import settle
from benchwarden.results.row import Row

INSTANCES = 10_000
PASSES = 50


def main() -> dict[str, str]:
    """Milliseconds of a pass with 100 finished batches in sight and 7 000 rows stored."""
    settle()  # as the operator does
    bench = Bench(panel_of(INSTANCES), execution={"batchSize": 5, "parallelism": 100}).planned()
    for launch in bench.launch():
        bench.show(launch, finished_pod(launch.batch.members), finished="Complete")
    rows = [
        Row(key.instance, key.trial, 1, "verdict", "resolved", "b", "2026-03-01T12:00:00Z")
        for group in bench.plan.groups[100:1500]
        for key in group
    ]
    bench.cycle.load(rows, NOW)
    times = []
    for _ in range(PASSES):
        began = time.perf_counter()
        bench.step()
        times.append((time.perf_counter() - began) * 1000)
    first, later = times[0], sorted(times[1:])
    return {
        "decide, 10 000 instances, pass that captures 500 verdicts, ms": f"{first:.1f}",
        "decide, 10 000 instances, later passes, median ms": f"{statistics.median(later):.1f}",
        "decide, 10 000 instances, later passes, slowest ms": f"{later[-1]:.1f}",
    }


if __name__ == "__main__":
    print(main())
