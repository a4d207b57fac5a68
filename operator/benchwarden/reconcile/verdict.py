"""How a run came out: the Succeeded condition, and Regressed when it is compared with another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchwarden import names
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN, Condition
from benchwarden.reconcile.outlook import Outlook
from benchwarden.reconcile.world import World

if TYPE_CHECKING:
    from benchwarden.stats.comparison import Comparison

SHOWN_INSTANCES = 20
Cells = Mapping[str, tuple[int, int]]


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


def regressed(world: World) -> tuple[Condition, dict[str, Any]] | None:
    """The Regressed condition and the figures behind it; None without `compareTo`."""
    if world.run.spec.compare_to is None:
        return None
    kind = names.CONDITION_REGRESSED
    if world.base is None or world.base.problem:
        text = world.base.problem if world.base is not None else "the base is being read"
        return Condition(kind, UNKNOWN, names.REASON_BASE_UNAVAILABLE, text), {}
    here = world.tally.cells()
    if not here.keys() & world.base.cells.keys():
        text = "the two runs share no instance with a verdict"
        return Condition(kind, UNKNOWN, names.REASON_NOT_COMPARED, text), {}
    # Loaded only when a run is compared: numpy is a third of the operator's memory.
    from benchwarden.stats.comparison import compare
    from benchwarden.stats.windows import Verdict

    found = compare(world.base.cells, here)
    low, high = found.delta_interval.lower * 100, found.delta_interval.upper * 100
    text = (
        f"{found.delta * 100:+.1f} points [{low:+.1f}, {high:+.1f}] over {found.n_common} instances,"
        f" p (worse) {found.test.midp_less:.4f}; smallest drop it would see:"
        f" {found.mde80 * 100:.1f} points"
    )
    status, reason = {
        Verdict.REGRESSED: (TRUE, names.REASON_WORSE),
        Verdict.IMPROVED: (FALSE, names.REASON_NOT_WORSE),
        Verdict.OK: (FALSE, names.REASON_NOT_WORSE),
        Verdict.INCONCLUSIVE: (UNKNOWN, names.REASON_INCONCLUSIVE),
    }[found.verdict]
    return Condition(kind, status, reason, text), _figures(world, found, here)


def _figures(world: World, found: "Comparison", here: Cells) -> dict[str, Any]:
    target = world.run.spec.compare_to
    there = world.base.cells if world.base is not None else {}
    base = ""
    if target is not None:
        base = target.run or (target.config_map.name if target.config_map else "")
    changes = {
        key: here[key][0] / here[key][1] - there[key][0] / there[key][1]
        for key in sorted(here.keys() & there.keys())
    }
    lost = sorted((key for key in changes if changes[key] < 0), key=lambda key: changes[key])
    gained = sorted((key for key in changes if changes[key] > 0), key=lambda key: -changes[key])
    return {
        "base": base,
        "pairs": found.n_common,
        "onlyHere": len(here.keys() - there.keys()),
        "onlyBase": len(there.keys() - here.keys()),
        "gained": len(gained),
        "lost": len(lost),
        "baseRate": f"{found.base_rate:.4f}",
        "newRate": f"{found.new_rate:.4f}",
        "difference": f"{found.delta:+.4f}",
        "differenceInterval": {
            "lower": f"{found.delta_interval.lower:+.4f}",
            "upper": f"{found.delta_interval.upper:+.4f}",
        },
        "pValue": f"{found.test.p_two_sided:.6f}",
        "pWorse": f"{found.test.midp_less:.6f}",
        "pBetter": f"{found.test.midp_greater:.6f}",
        "lostInstances": lost[:SHOWN_INSTANCES],
        "gainedInstances": gained[:SHOWN_INSTANCES],
    }
