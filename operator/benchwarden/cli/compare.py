"""`benchwarden compare`: did new get worse than base, on the instances they share?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, FormatOption, print_data
from benchwarden.cli.stats_output import (
    interval,
    p_value,
    percent,
    plain,
    points,
    print_table,
    read_text,
)
from benchwarden.cli.stored import side
from benchwarden.errors import InvalidInputError
from benchwarden.names import EXIT_REGRESSED

_FILES = (
    "result files: {instance_id: bool}, a harness or benchwarden report, JSON lines; or run/NAME or"
    " schedule/NAME of the cluster"
)


def compare_command(
    base: Annotated[str, typer.Argument(help=f"Reference: one or more (a.json,b.json) {_FILES}")],
    new: Annotated[str, typer.Argument(help="What is judged: likewise")],
    more_base: Annotated[
        list[str] | None, typer.Option("--base", help="A further base file; may be repeated")
    ] = None,
    more_new: Annotated[
        list[str] | None, typer.Option("--new", help="A further new file; may be repeated")
    ] = None,
    output: FormatOption = Format.table,
    min_effect: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="The drop (ratio) that must not be missed"),
    ] = 0.05,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit with 4 when new regressed")
    ] = False,
) -> None:
    """Compare two result sets instance by instance: effect, intervals and exact p-values.

    With several files a side each file adds one trial of its instances.
    """
    from benchwarden.stats.comparison import compare, merge_trials
    from benchwarden.stats.documents import comparison_document
    from benchwarden.stats.outcome_files import parse_outcomes
    from benchwarden.stats.windows import Verdict

    base_side, new_side = (
        merge_trials([parse_outcomes(side(name) or read_text(name), name) for name in names])
        for names in (_names(base, more_base), _names(new, more_new))
    )
    comparison = compare(base_side, new_side, min_effect)
    document = comparison_document(comparison)
    if output is Format.table:
        _print(document)
    else:
        print_data(document, output)
    if fail_on_regression and comparison.verdict is Verdict.REGRESSED:
        raise typer.Exit(EXIT_REGRESSED)


def _names(positional: str, more: list[str] | None) -> list[str]:
    # A file whose name holds a comma is taken as it is.
    whole = [positional] if Path(positional).exists() else positional.split(",")
    names = [name for name in (*whole, *(more or [])) if name]
    if not names:
        raise InvalidInputError("no file named", reason="InvalidResults")
    return names


def _print(document: dict[str, Any]) -> None:
    lost, won = document["discordant"]
    rows = [
        ["instances in common", str(document["n_common"])],
        ["base", f"{percent(document['base_rate'])}  ({interval(document['wilson_base'])})"],
        ["new", f"{percent(document['new_rate'])}  ({interval(document['wilson_new'])})"],
        ["difference", f"{points(document['delta'])}  ({interval(document['delta_ci95'])})"],
        ["better on base / on new", f"{lost} / {won}"],
        ["odds ratio", plain(document["odds_ratio"])],
        ["p, new is worse (exact / mid-p)",
         f"{p_value(document['p_less'])} / {p_value(document['midp_less'])}"],
        ["McNemar two-sided (exact / mid-p)",
         f"{p_value(document['mcnemar_exact_p'])} / {p_value(document['mcnemar_midp'])}"],
        ["smallest drop seen with 80 % power", _smallest_drop(document)],
        ["verdict", document["verdict"]],
    ]  # fmt: skip
    print_table("", ["", ""], rows)


def _smallest_drop(document: dict[str, Any]) -> str:
    """A rate cannot drop by more than itself: a larger figure means that no drop would be seen."""
    drop = document["mde80"]
    return "none: too few results" if drop > document["base_rate"] else points(drop).lstrip("+")
