"""`benchwarden suite`: check a file of tasks, build the bundled mini suite."""

from pathlib import Path
from typing import Annotated

import typer

from benchwarden.cli.output import Format, FormatOption, console, print_data


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Suites: files of tasks.", no_args_is_help=True)
    group.command("check")(check)
    group.command("build-mini")(build_mini)
    app.add_typer(group, name="suite")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tasks, one JSON object a line.")],
    output: FormatOption = Format.table,
) -> None:
    """Check a file of tasks line by line and show what it holds."""
    from benchwarden.api.suite import Source, SuiteSpec, TasksSuite
    from benchwarden.errors import BenchwardenError
    from benchwarden.suites.load import load_panel
    from benchwarden.suites.sources import OutsideSources

    def no_config_maps(name: str, key: str) -> bytes:
        raise BenchwardenError(f"a file was asked for, not ConfigMap {name}/{key}")

    source = Source(path=str(file.absolute()))
    panel = load_panel(SuiteSpec(tasks=TasksSuite(source=source)), OutsideSources(no_config_maps))
    data = {
        "suite": panel.suite,
        "panelDigest": panel.digest,
        "instances": [
            {
                "id": each.id,
                "image": each.image,
                "failToPass": len(each.fail_to_pass),
                "passToPass": len(each.pass_to_pass),
                "goldPatch": bool(each.gold_patch),
                "local": each.local is not None,
            }
            for each in panel.instances
        ],
    }
    if output is not Format.table:
        print_data(data, output)
        return
    _print_table(data["instances"])
    print(f"\n{file}: {len(panel.instances)} tasks, all well-formed; panel {panel.digest[:12]}")


def build_mini(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the suite. [default: in the cache]"),
    ] = None,
    images: Annotated[
        bool, typer.Option("--images", help="Also write what its container images are made of.")
    ] = False,
) -> None:
    """Build the mini suite from published packages.

    Prints the path of its tasks.jsonl. Nothing is built twice. Needs git and a package index for pip.
    """
    import os
    import sys

    from benchwarden.minisuite.build import TASKS, default_folder, ensure_suite
    from benchwarden.minisuite.image import image_layers

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    suite = ensure_suite(out or default_folder(os.environ), say)
    if images:
        for image, rootfs in image_layers(suite).items():
            say(f"{image}: {rootfs.parent}")
    print(suite / TASKS)


def _print_table(instances: object) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("INSTANCE", "IMAGE", "FIXES", "KEEPS", "GOLD PATCH", "LOCAL"):
        table.add_column(title, overflow="fold")
    assert isinstance(instances, list)  # noqa: S101  # built by the caller
    for each in instances:
        values = (
            each["id"],
            each["image"],
            str(each["failToPass"]),
            str(each["passToPass"]),
            "yes" if each["goldPatch"] else "no",
            "yes" if each["local"] else "no",
        )
        table.add_row(*(Text(value) for value in values))
    console().print(table)
