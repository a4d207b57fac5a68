"""`benchwarden simulate`: replay the detector over synthetic panels."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, print_data
from benchwarden.cli.stats_output import percent, plain, print_table


class PanelOption(StrEnum):
    """How the simulated panels were chosen."""

    random = "random"
    mixed = "mixed"


class ShapeOption(StrEnum):
    """What goes wrong in the simulated panels."""

    capability = "capability"
    breakage = "breakage"
    collapse = "collapse"


def simulate_command(
    *,
    panels: Annotated[int, typer.Option(min=10, help="Independent panels")] = 1000,
    instances: Annotated[int, typer.Option(min=2, help="Instances of a panel")] = 50,
    panel: Annotated[PanelOption, typer.Option(help="Drawn at random, or mixed by a screen")] = (
        PanelOption.random
    ),
    trials: Annotated[int, typer.Option(min=1, help="Trials per instance and day")] = 1,
    baseline_days: Annotated[int, typer.Option(min=7, help="Days of the baseline")] = 14,
    shape: Annotated[ShapeOption, typer.Option(help="What goes wrong")] = ShapeOption.capability,
    effect: Annotated[
        float,
        typer.Option(min=0.0, max=0.5, help="Drop of the pool's rate; for collapse the share hit"),
    ] = 0.05,
    daily_sd: Annotated[
        float, typer.Option(min=0.0, max=0.2, help="Effect shared by a day, sd of the rate")
    ] = 0.0,
    autocorrelation: Annotated[
        float, typer.Option(min=0.0, max=0.99, help="Of the daily effect from day to day")
    ] = 0.0,
    missing: Annotated[float, typer.Option(min=0.0, max=0.15, help="Share of lost trials")] = 0.0,
    reruns: Annotated[
        int, typer.Option(min=1, help="Run the panel so often the day after a watch")
    ] = 1,
    reruns_a_month: Annotated[
        int, typer.Option(min=0, help="Most of these days in a month of 30")
    ] = 6,
    arl: Annotated[int, typer.Option("--arl", min=1, help="Mean days between false pages")] = 365,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers")] = 1,
    output: FormatOption = Format.table,
) -> None:
    """Replay the monitor and a pooled rule over synthetic panels: false alarms and delays."""
    from benchwarden.stats.monitor_study import study
    from benchwarden.stats.simulation import Scenario
    from benchwarden.stats.synthetic import Change, PanelKind, Shape

    scenario = Scenario(
        panels=panels,
        instances=instances,
        kind=PanelKind(panel.value),
        baseline_days=baseline_days,
        trials=trials,
        change=Change(Shape(shape.value), effect),
        daily_sd=daily_sd,
        autocorrelation=autocorrelation,
        missing=missing,
        reruns=reruns,
        reruns_a_month=reruns_a_month,
        run_length_days=float(arl),
    )
    document = study(scenario, seed)
    if output is not Format.table:
        print_data(document, output)
        return
    _print(document)


def _print(document: dict[str, Any]) -> None:
    monitor, pooled = document["monitor"], document["marginlab"]
    rows = [
        ["first false page, a year", plain(monitor["first_page_rate"]), "-"],
        [
            "false pages (episodes), a year",
            plain(monitor["false_pages_per_year"]),
            plain(pooled["false_episodes_per_year"]),
        ],
        *(
            [f"delay, {name}", _days(monitor[f"delay_{name}"]), _days(pooled[f"delay_{name}"])]
            for name in ("median", "p90")
        ),
        *(
            [
                f"noticed within {days} days",
                percent(monitor["noticed_within"][days]),
                percent(pooled["noticed_within"][days]),
            ]
            for days in monitor["noticed_within"]
        ),
        ["runs a day", plain(document["runs_per_day"], 1), plain(document["base_runs_per_day"], 1)],
    ]
    print_table("", ["", "monitor", "pooled p < 0.05"], rows)


def _days(value: int | None) -> str:
    return "not reached" if value is None else f"{value} d"
