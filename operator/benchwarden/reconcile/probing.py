"""Probing: one small Job per run asks the agent's service once, before hundreds of pods do."""

from dataclasses import dataclass, replace
from datetime import timedelta

from benchwarden import names
from benchwarden.api.agent import IMAGE
from benchwarden.manifests import naming
from benchwarden.planning.plan import Plan
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.conditions import FALSE, find
from benchwarden.reconcile.decision import Action, LaunchProbe, PinRelease
from benchwarden.reconcile.outlook import FATAL_REASONS, explain_refusal
from benchwarden.reconcile.world import BatchView, Unreleased, World
from benchwarden_runner import protocol
from benchwarden_runner.specs import CliRelease

MAX_ATTEMPTS = 3
NEXT_ATTEMPT_AFTER = timedelta(seconds=15)
FACT_RELEASE = "cliRelease"
_MISMATCH = (
    "spec.agent.claudeCode.version: name the version of the runner image, or set delivery: registry"
)
_DENIED = f"{protocol.REASON_REGISTRY_DENIED}: "
_CREDENTIALS = (
    "spec.agent.claudeCode.registryCredentials: pods are not let in; name a Secret with a token or an .npmrc"
    " that the registry takes, then raise spec.retry"
)


@dataclass(frozen=True, slots=True)
class Probed:
    """What is known before the fan-out: facts for the plan, a failure, or what is being done."""

    done: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    failure: tuple[str, str] | None = None  # reason, message
    actions: tuple[Action, ...] = ()
    message: str = ""
    reason: str = names.REASON_PROBING


def probe(world: World) -> Probed:
    """The probe's result; agents with nothing to probe are done at once."""
    claude = world.run.spec.agent.claude_code
    if claude is None:
        return Probed(done=True)
    before = find(world.run.status.get("conditions") or [], names.CONDITION_PLANNED)
    handled = int(world.run.status.get("retriesHandled") or 0)
    if before.get("status") == FALSE and handled >= world.run.spec.retry:
        return Probed(failure=(str(before.get("reason")), str(before.get("message"))))
    if claude.delivered_by != IMAGE:
        return _with_release(world, world.release)
    return _asked(world)


def _with_release(world: World, release: CliRelease | Unreleased | None) -> Probed:
    """The same where a registry gives the CLI: which one is settled before anything is started."""
    if release is None or (
        isinstance(release, Unreleased) and release.round < world.run.spec.retry
    ):
        text = "asking the npm registry for the agent's CLI"
        return Probed(actions=(PinRelease(),), message=text, reason=names.REASON_RESOLVING)
    if isinstance(release, Unreleased):
        return Probed(failure=(release.reason, release.message))
    probed = _asked(world)
    if not probed.done:
        return probed
    facts = {**dict(probed.facts), FACT_RELEASE: release.to_json()}
    return replace(probed, facts=tuple(sorted(facts.items())))


def release_of(plan: Plan | None) -> CliRelease | None:
    """The release that a plan pins; None if an image brings the CLI."""
    text = dict(plan.agent).get(FACT_RELEASE) if plan is not None else None
    return CliRelease.from_json(text) if text else None


def _asked(world: World) -> Probed:
    """What the probes say."""
    probes = [view for view in world.batches if view.batch.role == names.ROLE_PROBE]
    reports = [report for view in probes if (report := _report(view)) is not None]
    for report in reports:
        if report.outcome == protocol.COMPLETED:
            return Probed(done=True, facts=_facts(report))
        if report.outcome in protocol.FATAL_CLASSES:
            reason = FATAL_REASONS[report.outcome]
            return Probed(failure=(reason, f"the probe says {report.outcome}: {report.reason}"))
        if report.reason.startswith(protocol.REASON_CLI_MISMATCH):
            text = report.reason.partition(": ")[2]
            return Probed(failure=(names.REASON_CLI_VERSION_MISMATCH, f"{_MISMATCH}: {text}"))
    for view in probes:
        denied = view.ending.reason.partition(_DENIED)[2] if view.ending is not None else ""
        if denied:
            return Probed(failure=(names.REASON_REGISTRY_UNAVAILABLE, f"{_CREDENTIALS}: {denied}"))
    return _next(world, probes)


def _next(world: World, probes: list[BatchView]) -> Probed:
    alive = [view for view in probes if not view.over]
    if alive:
        refused = next((view for view in alive if view.batch.create_failure), None)
        if refused is not None:
            _, advice = explain_refusal(refused.batch.create_failure)
            return Probed(message=f"{refused.batch.create_failure[:600]} {advice}")
        return Probed(message="asking the agent's service once")
    if len(probes) >= MAX_ATTEMPTS:
        reasons = "; ".join(dict.fromkeys(_why(view) for view in probes))
        text = f"{len(probes)} probes failed: {reasons}"
        return Probed(failure=(names.REASON_PROBE_FAILED, text))
    newest = max((view.batch.created_at for view in probes if view.batch.created_at), default=None)
    if newest is not None and abs(world.now - newest) < NEXT_ATTEMPT_AFTER:
        return Probed(message=f"the probe failed ({_why(probes[-1])}); it is tried again")
    attempt = len(probes) + 1
    name = naming.probe_name(world.run.name, world.run.uid, attempt)
    launch = LaunchProbe(name, attempt)
    return Probed(actions=(launch,), message="asking the agent's service once")


def _report(view: BatchView) -> protocol.ProbeReport | None:
    if view.batch.pod is None:
        return None
    for container in view.batch.pod.containers:
        if container.name == names.CONTAINER_PROBE and container.state == seen.TERMINATED:
            message = protocol.decode(container.message)
            return message if isinstance(message, protocol.ProbeReport) else None
    return None


def _why(view: BatchView) -> str:
    report = _report(view)
    if report is not None:
        return f"{report.outcome}: {report.reason}"
    if view.ending is not None:
        return f"{view.ending.outcome}: {view.ending.reason}"
    return "no report"


def _facts(report: protocol.ProbeReport) -> tuple[tuple[str, str], ...]:
    facts = {
        "cliSha256": report.cli_sha256,
        "cliVersion": report.cli_version,
        "model": report.model,
        "probeCostUsd": report.cost_usd,
    }
    return tuple(sorted((key, value) for key, value in facts.items() if value))
