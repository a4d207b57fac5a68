"""How a run came out: the Succeeded condition, and Regressed when it is compared with another."""

from typing import Any

from benchwarden import names
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN, Condition
from benchwarden.reconcile.outlook import Outlook
from benchwarden.reconcile.world import World
from benchwarden.stats.compare_runs import RunComparison, compare_cells

SIGNIFICANCE = 0.05
SHOWN_INSTANCES = 20


def succeeded(world: World, ahead: Outlook) -> Condition:
    """Succeeded is about the run having given an answer, never about the agent being good."""
    kind = names.CONDITION_SUCCEEDED
    tally = world.tally
    planned = world.plan.trials if world.plan is not None else 0
    text = f"{tally.verdicts} of {planned} trials have a verdict, {tally.passed} resolved"
    if not ahead.ended:
        return Condition(kind, UNKNOWN, names.REASON_IN_PROGRESS, text)
    if ahead.reason != names.REASON_FINISHED:
        return Condition(kind, FALSE, ahead.reason, f"{ahead.message}; {text}".lstrip("; "))
    if tally.verdicts == 0:
        return Condition(kind, FALSE, names.REASON_NO_VERDICTS, text)
    if tally.verdicts < planned:
        return Condition(kind, TRUE, names.REASON_COMPLETED_WITH_MISSING, text)
    return Condition(kind, TRUE, names.REASON_COMPLETED, text)


def cells_of(world: World) -> dict[str, tuple[int, int]]:
    """Passes and valid trials per instance of this run."""
    cells: dict[str, tuple[int, int]] = {}
    for key, state in world.tally.trials.items():
        if state.verdict is not None:
            passes, trials = cells.get(key.instance, (0, 0))
            cells[key.instance] = (passes + (state.verdict.outcome == "resolved"), trials + 1)
    return cells


def regressed(world: World) -> tuple[Condition, dict[str, Any]] | None:
    """The Regressed condition and the figures behind it; None without `compareTo`."""
    if world.run.spec.compare_to is None:
        return None
    kind = names.CONDITION_REGRESSED
    if world.base is None or world.base.problem:
        text = world.base.problem if world.base is not None else "the base is being read"
        return Condition(kind, UNKNOWN, names.REASON_BASE_UNAVAILABLE, text), {}
    found = compare_cells(world.base.cells, cells_of(world))
    if found is None:
        text = "the two runs share no instance with a verdict"
        return Condition(kind, UNKNOWN, names.REASON_NOT_COMPARED, text), {}
    figures = _figures(world, found)
    text = (
        f"{found.delta * 100:+.1f} points [{found.interval.lower * 100:+.1f},"
        f" {found.interval.upper * 100:+.1f}] over {found.pairs} instances,"
        f" p (worse) {found.p_worse:.4f}; smallest drop it would see: {found.mde * 100:.1f} points"
    )
    if found.p_worse < SIGNIFICANCE and found.delta < 0:
        return Condition(kind, TRUE, names.REASON_WORSE, text), figures
    if found.p_better < SIGNIFICANCE or found.delta > 0:
        return Condition(kind, FALSE, names.REASON_NOT_WORSE, text), figures
    return Condition(kind, UNKNOWN, names.REASON_INCONCLUSIVE, text), figures


def _figures(world: World, found: RunComparison) -> dict[str, Any]:
    target = world.run.spec.compare_to
    base = ""
    if target is not None:
        base = target.run or (target.config_map.name if target.config_map else "")
    return {
        "base": base,
        "pairs": found.pairs,
        "onlyHere": found.only_new,
        "onlyBase": found.only_base,
        "gained": len(found.gained),
        "lost": len(found.lost),
        "baseRate": f"{found.base_rate:.4f}",
        "newRate": f"{found.new_rate:.4f}",
        "difference": f"{found.delta:+.4f}",
        "differenceInterval": {
            "lower": f"{found.interval.lower:+.4f}",
            "upper": f"{found.interval.upper:+.4f}",
        },
        "pValue": f"{found.p_two_sided:.6f}",
        "pWorse": f"{found.p_worse:.6f}",
        "pBetter": f"{found.p_better:.6f}",
        "lostInstances": list(found.lost[:SHOWN_INSTANCES]),
        "gainedInstances": list(found.gained[:SHOWN_INSTANCES]),
    }
