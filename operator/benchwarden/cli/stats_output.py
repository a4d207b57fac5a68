"""How the statistics commands read files and print numbers."""

import sys
from pathlib import Path

from benchwarden.cli.output import console
from benchwarden.errors import InvalidInputError

STANDARD_INPUT = "-"
UNREADABLE = "Unreadable"


def file_name(name: str) -> str:
    """Return what to call a file in an error."""
    return "standard input" if name == STANDARD_INPUT else name


def read_text(name: str) -> str:
    """Return the content of a file, or of standard input for ``-``.

    Raises:
        InvalidInputError: When it cannot be read as UTF-8 text.
    """
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.read()
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        message = error.strerror or "cannot be read"
        raise InvalidInputError(message, reason=UNREADABLE, field=name) from None
    except UnicodeDecodeError:
        raise InvalidInputError("is not UTF-8 text", reason=UNREADABLE, field=name) from None


def write_text(path: Path, content: str) -> None:
    """Write a file.

    Raises:
        InvalidInputError: When it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        message = error.strerror or "cannot be written"
        raise InvalidInputError(message, reason="Unwritable", field=str(path)) from None


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a plain table: first column to the left, the others to the right."""
    from rich.table import Table

    table = Table(
        title=title or None,
        title_justify="left",
        box=None,
        pad_edge=False,
        show_header=any(columns),
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def percent(value: float | None, digits: int = 1) -> str:
    """Return a ratio as a percentage, a dash for None."""
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def points(value: float | None, digits: int = 1) -> str:
    """Return a difference of ratios in points with its sign, a dash for None."""
    return "-" if value is None else f"{100 * value:+.{digits}f} pt"


def interval(pair: list[float] | None, digits: int = 1) -> str:
    """Return an interval of ratios in percent, a dash for None."""
    if pair is None:
        return "-"
    return f"{100 * pair[0]:.{digits}f} to {100 * pair[1]:.{digits}f}"


def p_value(value: float | None) -> str:
    """Return a p-value with four digits, a dash for None."""
    if value is None:
        return "-"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def plain(value: float | None, digits: int = 2) -> str:
    """Return a number with fixed digits, a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"
