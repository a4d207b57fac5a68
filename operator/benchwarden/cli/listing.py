"""Lists of things in a cluster: a table that `wide` makes wider, or the objects themselves as JSON or YAML."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from benchwarden.cli.output import Format, console, print_data


class ListFormat(StrEnum):
    """Output formats of commands that list things of a cluster."""

    table = "table"
    wide = "wide"
    json = "json"
    yaml = "yaml"

    @property
    def for_people(self) -> bool:
        """Whether a table is wanted."""
        return self in {ListFormat.table, ListFormat.wide}


ListFormatOption = Annotated[
    ListFormat, typer.Option("-o", "--output", help="Format of the result on standard output.")
]


def print_objects(data: Any, form: ListFormat) -> None:
    """Print plain data as JSON or YAML."""
    print_data(data, Format.yaml if form is ListFormat.yaml else Format.json)


def print_list(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their column titles, kubectl's way; None is shown as a dash."""
    from rich.table import Table
    from rich.text import Text

    from benchwarden.report.clean import one_line

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = ("-" if cell in {None, ""} else one_line(str(cell), 200) for cell in row)
        table.add_row(*map(Text, cells))
    console().print(table)


def age(text: object, now: datetime) -> str:
    """How long ago an RFC 3339 moment was, as kubectl says it; empty if there is none."""
    if not isinstance(text, str) or not text:
        return ""
    seconds = max(0, int((now - datetime.fromisoformat(text)).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
