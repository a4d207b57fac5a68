"""Runs the statistics commands as a user would, in a command line that holds only them."""

import json
from pathlib import Path
from typing import Any

import typer
from click.testing import Result
from typer.testing import CliRunner

from benchwarden.cli import statistics


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    app = typer.Typer()
    statistics.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def json_of(*arguments: str | Path, stdin: str | None = None) -> dict[str, Any]:
    result = run(*arguments, "-o", "json", stdin=stdin)
    assert result.exit_code == 0, result.output or result.exception
    return dict(json.loads(result.stdout))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
