"""How commands print: a table for people, JSON or YAML for programs; colours only where they are wanted."""

import json
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from benchwarden.report.summary import Summary


class Format(StrEnum):
    """Output formats that every listing command has."""

    table = "table"
    json = "json"
    yaml = "yaml"


FormatOption = Annotated[
    Format, typer.Option("-o", "--output", help="Format of the result on standard output.")
]


def console(*, error: bool = False) -> "Console":
    """A console that respects NO_COLOR and the width of the terminal, and takes no markup or emoji codes."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def print_data(data: Any, form: Format) -> None:
    """Print plain data as JSON or YAML."""
    if form is Format.yaml:
        import yaml

        sys.stdout.write(yaml.safe_dump(data, sort_keys=False, width=100))
        return
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def print_summary(summary: "Summary", form: Format) -> None:
    """Print a run's summary."""
    if form is Format.table:
        from benchwarden.report import table

        console().print(table.render(summary))
        return
    from benchwarden.report.document import document

    print_data(document(summary), form)
