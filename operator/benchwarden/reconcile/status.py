"""The status of a run: counts, rates with their intervals, money and conditions; small whatever the run's size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import TrialKey
from benchwarden.reconcile import conditions
from benchwarden.reconcile.capture import stamp
from benchwarden.reconcile.conditions import Condition
from benchwarden.reconcile.work import Work
from benchwarden.reconcile.world import Refusal, World
from benchwarden.results.official import official_pass_rate
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden.stats.proportion import wilson
from benchwarden.suites.instance import Panel
from benchwarden_runner import protocol

MAX_ERROR_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """Numbers of one pass that the status reports beside the tally."""

    planned: int
    missing: tuple[TrialKey, ...] = ()
    running: int = 0
    live_batches: int = 0


def suite_name(spec: BenchmarkRunSpec) -> str:
    """The suite's name as users see it."""
    if spec.suite.swebench_pro is not None:
        return "swebenchPro"
    if spec.suite.swebench is not None:
        return f"swebench-{spec.suite.swebench.variant}"
    source = spec.suite.tasks.source if spec.suite.tasks is not None else None
    if source is not None and source.config_map is not None:
        return source.config_map.name
    return "tasks"


def build(world: World, decided: Iterable[Condition], progress: Progress) -> dict[str, Any]:
    """The complete status object, JSON-ready."""
    run = world.run
    previous: Any = run.status.get("conditions") or []
    merged = conditions.merge(previous, decided, run.generation, world.now)
    status: dict[str, Any] = {
        "observedGeneration": run.generation,
        "conditions": merged,
        "suite": _suite(world, progress),
        "agent": _agent(world),
        "counts": _counts(world.tally, progress),
        **_rates(world.tally, progress),
        **_official(world, progress),
        "costUsd": f"{world.tally.cost_usd:.4f}",
        "tokens": _tokens(world.tally),
        "outcomes": _outcomes(world.tally, progress),
        "errors": sample_errors(world.tally),
        "retriesHandled": run.spec.retry,
    }
    for key in ("results", "comparison"):
        if run.status.get(key):
            status[key] = run.status[key]
    status["startedAt"] = run.status.get("startedAt") or stamp(world.now)
    if conditions.find(merged, names.CONDITION_SUCCEEDED).get("status") != conditions.UNKNOWN:
        status["finishedAt"] = run.status.get("finishedAt") or stamp(world.now)
    return status


def _suite(world: World, progress: Progress) -> dict[str, Any]:
    """The suite as planned: what it became since is not what this run is about."""
    told: dict[str, Any] = dict(world.run.status.get("suite") or {})
    if world.plan is not None and told.get("panelDigest") == world.plan.panel_digest:
        return told
    suite: dict[str, Any] = {"name": suite_name(world.run.spec)}
    if isinstance(world.panel, Panel):
        suite["panelDigest"] = world.panel.digest
        suite["instances"] = len(world.panel.instances)
        suite["trials"] = progress.planned
        suite["quarantined"] = len(world.panel.quarantined)
    return suite


def _agent(world: World) -> dict[str, Any]:
    agent: dict[str, Any] = {"kind": world.run.spec.agent.kind}
    claude = world.run.spec.agent.claude_code
    if claude is not None:
        agent["model"] = claude.model
    if world.plan is not None:
        facts = dict(world.plan.agent)
        agent |= {key: facts[key] for key in ("cliVersion", "cliSha256") if facts.get(key)}
    return agent


def _outcomes(tally: Tally, progress: Progress) -> dict[str, int]:
    """Trials by class: verdicts, and for missing trials the class they were lost to."""
    outcomes = dict(tally.outcomes)
    for key in progress.missing:
        charges = tally.state(key).charges
        if charges:
            outcomes[charges[-1].outcome] = outcomes.get(charges[-1].outcome, 0) + 1
    return dict(sorted(outcomes.items()))


def _counts(tally: Tally, progress: Progress) -> dict[str, int]:
    valid, missing = tally.verdicts, len(progress.missing)
    return {
        "planned": progress.planned,
        "waiting": max(0, progress.planned - valid - missing - progress.running),
        "running": progress.running,
        "finished": valid + missing,
        "valid": valid,
        "resolved": tally.passed,
        "failed": valid - tally.passed,
        "missing": missing,
        "retried": tally.charges.total(),
        "conflicts": tally.conflicts,
    }


def _rates(tally: Tally, progress: Progress) -> dict[str, Any]:
    valid, passed, planned = tally.verdicts, tally.passed, progress.planned
    rates: dict[str, Any] = {
        "progress": f"{valid + len(progress.missing)}/{planned}",
        "resolvedOfTotal": f"{passed}/{valid}",
    }
    if planned:
        rates["coverage"] = f"{valid / planned:.4f}"
    if valid:
        interval = wilson(passed, valid)
        rates["passRate"] = f"{passed / valid:.4f}"
        rates["passRateInterval"] = {
            "lower": f"{interval.lower:.4f}",
            "upper": f"{interval.upper:.4f}",
        }
    return rates


def _official(world: World, progress: Progress) -> dict[str, str]:
    suite = world.run.spec.suite.swebench_pro
    finished = world.tally.verdicts + len(progress.missing)
    if suite is None or not suite.official_scoring or not finished:
        return {}
    states = world.tally.trials.values()
    verdicts = [state.verdict for state in states if state.verdict is not None]
    return {"officialPassRate": f"{official_pass_rate(verdicts, finished):.4f}"}


def _tokens(tally: Tally) -> dict[str, int]:
    tokens = tally.tokens
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cacheRead": tokens.cache_read,
        "cacheWrite": tokens.cache_write,
    }


def sample_errors(tally: Tally) -> list[dict[str, Any]]:
    """At most 20 infra outcomes and errors, the newest first; messages cut."""
    found: list[dict[str, Any]] = []
    for row in reversed(tally.rows):
        if len(found) >= names.MAX_SAMPLE_ERRORS:
            break
        if _is_error(row):
            found.append(
                {
                    "instance": row.instance,
                    "outcome": row.outcome,
                    "message": row.reason[:MAX_ERROR_CHARACTERS],
                }
            )
    return found


def _is_error(row: Row) -> bool:
    quiet = (protocol.RESOLVED, protocol.UNRESOLVED, protocol.EMPTY_PATCH)
    return bool(row.outcome) and (row.outcome not in quiet or bool(row.reason))


def missing_text(missing: Iterable[TrialKey], tally: Tally) -> str:
    """Why trials are missing, by class."""
    classes: dict[str, int] = {}
    for key in missing:
        charges = tally.state(key).charges
        last = charges[-1].outcome if charges else "unknown"
        classes[last] = classes.get(last, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in sorted(classes.items()))


def without_times(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without what changes by itself, to tell whether writing it says anything new."""
    return {key: value for key, value in status.items() if key not in ("startedAt", "finishedAt")}


def progress_of(world: World, work: Work | None) -> Progress:
    """The pass's numbers; before there is a plan, what the panel promises."""
    live = sum(1 for each in world.batches if not each.over and each.batch.members)
    if world.plan is None or work is None:
        planned = 0
        if world.panel is not None and not isinstance(world.panel, Refusal):
            planned = len(world.panel.instances) * world.run.spec.execution.trials_per_instance
        return Progress(planned, live_batches=live)
    return Progress(world.plan.trials, tuple(work.missing), work.alive, live)
