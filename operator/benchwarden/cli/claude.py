"""`benchwarden claude fetch VERSION`: get the real Claude Code for local runs."""

import os
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The Claude Code binary of local runs.", no_args_is_help=True)
    group.command("fetch")(fetch)
    app.add_typer(group, name="claude")


def fetch(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="Exact version such as 2.1.330, or latest.")
    ],
) -> None:
    """Fetch a version with your own npm, check it and keep it; prints the folder.

    The folder is $BENCHWARDEN_CACHE/claude-code/VERSION (default: ~/.cache/benchwarden).
    """
    from benchwarden.local import claude_code

    print(claude_code.fetch(version, claude_code.cache_directory(os.environ)))
