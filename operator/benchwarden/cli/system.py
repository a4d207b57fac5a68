"""`benchwarden crd`, `operator` and `version`: what an installation needs."""

import typer

from benchwarden import __version__


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("crd")(crd)
    app.command("operator")(operator)
    app.command("version")(version)


def crd() -> None:
    """Print the CRDs, for kubectl apply -f -."""
    import sys

    from benchwarden.api.crd import render

    sys.stdout.write(render())


def operator() -> None:
    """Run the operator.

    It is configured by environment variables; see the documentation.
    """
    from benchwarden.handlers import main

    main()


def version() -> None:
    """Print the version."""
    print(__version__)
