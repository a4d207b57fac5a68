"""`benchwarden crd`, `manifests`, `operator` and `version`: what an installation needs."""

from typing import Annotated

import typer

from benchwarden import __version__


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("crd")(crd)
    app.command("manifests")(manifests)
    app.command("operator")(operator)
    app.command("version")(version)


def crd() -> None:
    """Print the CRDs, for kubectl apply -f -."""
    import sys

    from benchwarden.api.crd import render_all

    sys.stdout.write("---\n".join(render_all().values()))


def manifests(
    namespace: Annotated[str, typer.Option(help="Where the operator runs and what it watches.")],
    operator_image: Annotated[
        str, typer.Option(help="Image of the Dockerfile's target `operator`.")
    ],
    runner_image: Annotated[
        str, typer.Option(help="Image of the target `runner` or `claude-code`.")
    ],
    image_pull_policy: Annotated[str, typer.Option(help="Of both images.")] = "IfNotPresent",
) -> None:
    """Print the operator's own objects as YAML: service account, Role, Deployment, Service."""
    import sys

    import yaml

    from benchwarden.manifests.install import Installation, objects

    found = objects(Installation(namespace, operator_image, runner_image, image_pull_policy))
    yaml.safe_dump_all(found, sys.stdout, sort_keys=False)


def operator() -> None:
    """Run the operator.

    It is configured by environment variables; see the documentation.
    """
    from benchwarden.handlers import main

    main()


def version() -> None:
    """Print the version."""
    print(__version__)
