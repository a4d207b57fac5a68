"""`benchwarden panel`: choose a mixed panel from screening results."""

from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, print_data
from benchwarden.cli.stats_output import percent, plain, print_table, read_text


def panel_command(
    screen: Annotated[
        list[str],
        typer.Argument(
            help="Screening results: result files or history JSON lines; each adds trials"
        ),
    ],
    *,
    size: Annotated[int, typer.Option(min=1, help="Instances wanted")] = 50,
    sentinels: Annotated[
        int | None, typer.Option(min=0, help="How many should always have passed; default 26 %")
    ] = None,
    seed: Annotated[str, typer.Option(help="Decides between equals")] = "0",
    output: FormatOption = Format.table,
) -> None:
    """Choose a mixed panel: informative instances and always-pass sentinels.

    The table's first column, one instance a line, is what `analyze --panel` reads. Screening days
    must stay out of the baseline: `analyze --start` leaves them out.
    """
    from benchwarden.stats.comparison import merge_trials
    from benchwarden.stats.outcome_files import parse_outcomes
    from benchwarden.stats.panel_choice import choose_panel

    merged = merge_trials([parse_outcomes(read_text(name), name) for name in screen])
    choice = choose_panel(merged, size, sentinels, seed)
    document: dict[str, Any] = {
        "panel": list(choice.panel),
        "informative": list(choice.informative),
        "sentinels": list(choice.sentinels),
        "others": list(choice.others),
        "screened": choice.screened,
        "within_variance": choice.within_variance,
        "pass_rate": choice.pass_rate,
        "notes": list(choice.notes),
    }
    if output is not Format.table:
        print_data(document, output)
        return
    kinds = {
        **dict.fromkeys(choice.informative, "informative"),
        **dict.fromkeys(choice.sentinels, "sentinel"),
        **dict.fromkeys(choice.others, "fill-in"),
    }
    rows = [[name, kinds[name], f"{merged[name][0]}/{merged[name][1]}"] for name in choice.panel]
    print_table("", ["instance", "kind", "screen"], rows)
    typer.echo(
        f"expected pass rate {percent(choice.pass_rate)},"
        f" E[p(1-p)] {plain(choice.within_variance, 3)}"
    )
    for note in choice.notes:
        typer.echo(f"note: {note}")
