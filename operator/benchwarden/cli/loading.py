"""From FILE to a checked run and its panel, the same for `run` and `plan`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchwarden import names
from benchwarden.errors import InvalidInputError

if TYPE_CHECKING:
    from benchwarden.local.runfile import RunFile
    from benchwarden.suites.instance import Panel

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="YAML with a BenchmarkRun (and its ConfigMaps).")
]
ConfigMapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config-map",
        metavar="NAME=PATH",
        help="A file or folder that stands for a ConfigMap of that name; may be repeated.",
    ),
]


def load(path: Path, config_maps: list[str] | None) -> "tuple[RunFile, Panel]":
    """The run and its panel.

    Raises:
        InvalidInputError: file, spec, suite or selection cannot be used.
    """
    from benchwarden.api.semantics import check
    from benchwarden.local.runfile import read_run_file
    from benchwarden.suites.load import load_panel
    from benchwarden.suites.sources import OutsideSources

    file = read_run_file(path, dict(_pair(each) for each in config_maps or []))
    check(file.run.spec)
    panel = load_panel(
        file.run.spec.suite, OutsideSources(file.read_config_map), local_root=file.local_root()
    )
    if not panel.instances:
        raise InvalidInputError(
            "leaves no instance; widen it",
            reason=names.REASON_EMPTY_PANEL,
            field="spec.suite.selection",
        )
    return file, panel


def _pair(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise InvalidInputError(
            f"{text!r} is not NAME=PATH", reason=names.REASON_INVALID_SPEC, field="--config-map"
        )
    return name, Path(path)
