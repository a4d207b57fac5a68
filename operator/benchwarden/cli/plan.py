"""`benchwarden plan FILE` and `run --dry-run`: the pods a run would make and what it could cost at most."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from benchwarden.cli.loading import ConfigMapOption, FileArgument, load
from benchwarden.cli.output import Format, FormatOption, console, print_data

if TYPE_CHECKING:
    from benchwarden.api.run import BenchmarkRun
    from benchwarden.planning.plan import Plan
    from benchwarden.suites.instance import Panel


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(plan)


def plan(
    file: FileArgument, config_map: ConfigMapOption = None, output: FormatOption = Format.table
) -> None:
    """Show what a run would do and cost at most.

    Nothing is started. Pods are listed in the order in which they are launched first; what the infrastructure loses
    is tried again in further ones.
    """
    show(file, config_map, output)


def show(file: Path, config_map: list[str] | None, output: Format) -> None:
    """Print the plan of a file."""
    read, panel = load(file, config_map)
    data = describe(read.run, panel, _planned(read.run, panel))
    if output is not Format.table:
        print_data(data, output)
        return
    from rich.table import Table
    from rich.text import Text

    from benchwarden.report.clean import one_line

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("POD", justify="right")
    table.add_column("INSTANCES", overflow="fold")
    for number, batch in enumerate(data["batches"], start=1):
        members = [
            f"{m['instance']} #{m['trial'] + 1}" if m["trial"] else m["instance"] for m in batch
        ]
        table.add_row(str(number), Text(", ".join(one_line(each, 200) for each in members)))
    shown = console()
    shown.print(table)
    shown.print()
    for title, text in _lines(data):
        shown.print(Text.assemble((f"{title:<14}", "bold"), text), soft_wrap=True)


def describe(run: "BenchmarkRun", panel: "Panel", planned: "Plan") -> dict[str, Any]:
    """The plan as plain data; money as decimal strings, None = no limit."""
    from benchwarden.reconcile.money import worst_cost_of_run_usd

    execution, budget = run.spec.execution, run.spec.budget
    first = worst_cost_of_run_usd(run.spec, planned.groups)
    worst = first * (1 + execution.infra_retries_per_trial)
    limit = Decimal(budget.max_usd) if budget is not None and budget.max_usd is not None else None
    return {
        "run": run.metadata.name,
        "agent": run.spec.agent.kind,
        "panelDigest": panel.digest,
        "instances": len(panel.instances),
        "quarantined": len(panel.quarantined),
        "trials": planned.trials,
        "batches": [
            [{"instance": key.instance, "trial": key.trial} for key in group]
            for group in planned.groups
        ],
        "podsAtTheSameTime": min(execution.parallelism, len(planned.groups)),
        "worstCostUsd": {
            "firstAttempts": str(first),
            "withAllRetries": str(worst),
            "budget": None if limit is None else str(limit),
            "atMost": str(worst if limit is None else min(worst, limit)),
        },
    }


def _planned(run: "BenchmarkRun", panel: "Panel") -> "Plan":
    from benchwarden.reconcile.decide import make_plan
    from benchwarden.reconcile.observed import Observed
    from benchwarden.reconcile.world import RunView, World
    from benchwarden.results.tally import Tally

    now = datetime.now(UTC)
    view = RunView(run.metadata.name, run.metadata.namespace, "", 1, now, run.spec, {})
    world = World(view, panel, None, Observed(), (), Tally(), (), None, frozenset(), None, now)
    return make_plan(world, panel, ())


def _lines(data: dict[str, Any]) -> list[tuple[str, str]]:
    cost = data["worstCostUsd"]
    left_out = f" ({data['quarantined']} quarantined)" if data["quarantined"] else ""
    lines = [
        ("Instances", f"{data['instances']}{left_out}, panel {data['panelDigest'][:12]}"),
        ("Trials", str(data["trials"])),
        (
            "Pods",
            f"{len(data['batches'])}, at most {data['podsAtTheSameTime']} at the same time",
        ),
    ]
    if Decimal(cost["firstAttempts"]) == 0:
        return [*lines, ("Cost", f"none: agent {data['agent']} calls no model")]
    text = f"${cost['firstAttempts']} if every trial uses its whole budget once"
    text += f", ${cost['withAllRetries']} with every retry"
    if cost["budget"] is not None:
        text += f"; no batch starts beyond the run's budget of ${cost['budget']}"
    return [*lines, ("Worst cost", text), ("At most", f"${cost['atMost']}")]
