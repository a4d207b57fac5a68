"""`benchwarden artifacts RUN`: what a run kept, with digests; and copies of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchwarden.cli.cluster import on_a_cluster
from benchwarden.cli.kept import (
    READER_IMAGE,
    EndpointOption,
    ReaderImageOption,
    RunArgument,
    opened,
)
from benchwarden.cli.listing import ListFormat, ListFormatOption, print_list, print_objects

if TYPE_CHECKING:
    from benchwarden.artifacts.shelf import Entry

_SHORT_DIGEST = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("artifacts")(on_a_cluster(artifacts))


def artifacts(
    run: RunArgument,
    instance: Annotated[
        str, typer.Option("--instance", metavar="ID", help="Only files of this instance.")
    ] = "",
    download: Annotated[
        Path | None,
        typer.Option(
            "--download", metavar="DIR", help="Also copy the files to DIR and check their sha256."
        ),
    ] = None,
    endpoint_url: EndpointOption = "",
    reader_image: ReaderImageOption = READER_IMAGE,
    output: ListFormatOption = ListFormat.table,
) -> None:
    """List the files that a run kept, and copy them.

    Prompt, transcript, CLI stream, patch and test log of every launch, with their sha256.
    """
    with opened(run, endpoint_url, reader_image) as shelf:
        entries = shelf.entries(instance)
        if download is not None:
            for entry in entries:
                shelf.download(entry, download)
        place = shelf.place if not shelf.run else f"{shelf.place}/{shelf.run}"
    found = [_object(each, place) for each in entries]
    if not output.for_people:
        print_objects(found, output)
        return
    if not found:
        typer.echo(f"{run}: nothing is kept in {place}", err=True)
        return
    columns = ["instance", "trial", "launch", "kind", "bytes", "sha256"]
    if output is ListFormat.wide:
        columns.append("path")
    else:
        found = [{**each, "sha256": each["sha256"][:_SHORT_DIGEST]} for each in found]
    titles = [column.upper() for column in columns]
    print_list(titles, [[each[column] for column in columns] for each in found])


def _object(entry: "Entry", place: str) -> dict[str, Any]:
    member = entry.manifest.member
    return {
        "instance": member.instance,
        "trial": member.trial,
        "launch": member.launch,
        "kind": entry.file.kind,
        "bytes": entry.file.bytes,
        "sha256": entry.file.sha256,
        "path": f"{place}/{entry.path}",
    }
