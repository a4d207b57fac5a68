"""`benchwarden power`: how much must run to see an effect."""

from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, print_data
from benchwarden.cli.stats_output import plain, points, print_table, read_text


def power_command(
    *,
    effect: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Drop of the panel's rate to see (ratio)")
    ] = 0.05,
    instances: Annotated[int, typer.Option(min=1, help="Panel size")] = 50,
    trials: Annotated[int, typer.Option(min=1, help="Trials per instance and day")] = 1,
    baseline_days: Annotated[int, typer.Option(min=7, help="Days of the baseline")] = 14,
    within_variance: Annotated[
        float | None,
        typer.Option(min=0.0001, max=0.25, help="E[p(1-p)]; 0.0985 when nothing is known"),
    ] = None,
    results: Annotated[
        str | None,
        typer.Option("--from", help="Estimate it from result files with repeats (a.json,b.json)"),
    ] = None,
    arl: Annotated[int, typer.Option("--arl", min=1, help="Mean days between false pages")] = 365,
    output: FormatOption = Format.table,
) -> None:
    """Tell how many instances, trials and days it takes to see an effect."""
    from benchwarden.stats.planning import TYPICAL_WITHIN_VARIANCE, Plan, sight

    noise, source = within_variance, "given"
    if noise is None:
        noise, source = TYPICAL_WITHIN_VARIANCE, "published Claude Code run"
        if results is not None:
            noise, source = _estimated(results), "estimated from results"
    plan = Plan(instances, trials, baseline_days, noise, float(arl))
    seen = sight(plan, effect)
    document = {
        "effect": effect,
        "instances": instances,
        "trials": trials,
        "baseline_days": baseline_days,
        "runs_per_day": seen.runs_per_day,
        "within_variance": noise,
        "within_variance_source": source,
        "mde": {str(days): value for days, value in seen.mde.items()},
        "days_needed": seen.days_needed,
        "instances_needed": {str(days): n for days, n in seen.instances_needed.items()},
        "threshold": seen.threshold,
        "expected_delay_days": seen.expected_delay_days,
    }
    if output is not Format.table:
        print_data(document, output)
        return
    _print(document)


def _estimated(names: str) -> float:
    from benchwarden.errors import InvalidInputError
    from benchwarden.stats.comparison import merge_trials
    from benchwarden.stats.outcome_files import INVALID_RESULTS, parse_outcomes
    from benchwarden.stats.variance import variance_split

    merged = merge_trials([parse_outcomes(read_text(name), name) for name in names.split(",")])
    split = variance_split(
        [passes for passes, _ in merged.values()], [trials for _, trials in merged.values()]
    )
    if split is None or split.within <= 0.0:
        raise InvalidInputError(
            "no instance has two trials that differ", reason=INVALID_RESULTS, field=names
        )
    return split.within


def _print(document: dict[str, Any]) -> None:
    rows = [
        [
            f"{days} d",
            points(mde).lstrip("+"),
            str(document["instances_needed"][days]),
        ]
        for days, mde in document["mde"].items()
    ]
    effect = points(document["effect"]).lstrip("+")
    print_table("", ["window", "sees a drop of", f"instances to see {effect}"], rows)
    days = document["days_needed"]
    typer.echo(
        f"shortest window that sees {effect}: "
        + (f"{days} days" if days else "none, the baseline is too short")
    )
    delay = document["expected_delay_days"]
    typer.echo(
        f"monitor: {document['runs_per_day']} runs a day, expected delay "
        + (f"{plain(delay, 1)} days" if delay else "unbounded, the drop is too small")
    )
