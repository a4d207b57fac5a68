"""Rolling up: an ended run becomes one entry of cells, which is all that later statistics need of it."""

from collections import Counter
from collections.abc import Iterable

from benchwarden.planning.plan import Plan
from benchwarden.reconcile.capture import stamp
from benchwarden.results.cells import RunCells
from benchwarden.results.row import Row
from benchwarden.results.signals import measured, packed
from benchwarden.results.tally import Tally
from benchwarden.scheduling.observed import RunFact
from benchwarden_runner import protocol

_DIGEST, _DIGEST_DIGITS = "sha256:", 12


def roll_up(
    run: RunFact,
    day: str,
    plan: Plan,
    rows: Iterable[Row],
    identity: str,
    model: str = "",
) -> RunCells:
    """The entry of a run that had a plan.

    Args:
        run: the ended run.
        day: its slot's date, YYYY-MM-DD.
        plan: what it consisted of; a planned instance without a verdict is a cell without trials.
        rows: all its stored rows.
        identity: digest of what it measured.
        model: model id, for people.
    """
    tally = Tally(rows)
    instances = tuple(sorted({key.instance for group in plan.groups for key in group}))
    passes, trials = Counter[str](), Counter[str]()
    missing = infra = api = 0
    verdicts: list[Row] = []
    for key in (key for group in plan.groups for key in group):
        state = tally.state(key)
        if state.verdict is not None:
            verdicts.append(state.verdict)
            trials[key.instance] += 1
            passes[key.instance] += state.verdict.outcome in protocol.PASS_CLASSES
        elif state.charges:
            infra += 1
            api += state.charges[-1].outcome in protocol.API_CLASSES
        else:
            missing += 1
    return RunCells(
        run=run.name,
        run_uid=run.uid,
        slot=stamp(run.slot),
        day=day,
        series=run.series,
        identity=identity,
        panel_digest=plan.panel_digest,
        model=model,
        cli_version=dict(plan.agent).get("cliVersion", ""),
        network=_network(tally),
        reason=run.reason,
        succeeded=run.succeeded,
        factor=run.factor,
        retry=run.retry,
        finished_at=run.finished_at,
        cost_usd=f"{tally.cost_usd:.4f}",
        infra=infra,
        api=api,
        missing=missing,
        signals=packed(measured(verdicts), instances),
        instances=instances,
        passes=tuple(passes[each] for each in instances),
        trials=tuple(trials[each] for each in instances),
        images=_images(verdicts, instances),
    )


def _images(verdicts: Iterable[Row], instances: tuple[str, ...]) -> tuple[str, ...]:
    """Per instance the digest of the image its last verdict came from; none if no digest is known."""
    found = {
        row.instance: row.agent_image_id.rpartition(_DIGEST)[2][:_DIGEST_DIGITS]
        for row in sorted(verdicts, key=lambda row: (row.finished_at, row.trial))
        if _DIGEST in row.agent_image_id
    }
    return tuple(found.get(instance, "") for instance in instances) if found else ()


def without_cells(run: RunFact, day: str, reason: str = "") -> RunCells:
    """The entry of a run that never had a plan, or whose results cannot be read: it ended, and no more."""
    return RunCells(
        run=run.name,
        run_uid=run.uid,
        slot=stamp(run.slot),
        day=day,
        series=run.series,
        reason=reason or run.reason,
        succeeded=False,
        factor=run.factor,
        retry=run.retry,
        finished_at=run.finished_at,
    )


def _network(tally: Tally) -> str:
    """What most agents saw of their network; one container's word must not start a new series."""
    known = (protocol.NETWORK_ENFORCED, protocol.NETWORK_OPEN)
    seen = Counter(row.network for row in tally.rows if row.network in known)
    return min(seen, key=lambda value: (-seen[value], value)) if seen else ""
