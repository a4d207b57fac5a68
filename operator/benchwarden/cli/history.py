"""`benchwarden history`: a schedule's stored cells as the JSON lines that `benchwarden analyze` reads."""

import base64
import json
import shlex
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from benchwarden import names
from benchwarden.cli.stats_output import read_text
from benchwarden.errors import InvalidInputError

NO_CELLS = "NoCells"


def history_command(
    shards: Annotated[
        str,
        typer.Argument(
            help="What `kubectl get configmaps -l benchwarden.dev/schedule=NAME,"
            "benchwarden.dev/role=cells -o json` prints; - reads standard input"
        ),
    ] = "-",
    *,
    series: Annotated[
        str,
        typer.Option(
            help="latest, pinned (the series with the pinned CLI) or control (the control arm)"
        ),
    ] = names.SERIES_LATEST,
    epoch: Annotated[
        int | None, typer.Option(min=1, help="An earlier series by its number, as in the status")
    ] = None,
) -> None:
    """Print a schedule's daily results, so that its numbers can be computed anywhere.

    Standard error names the options with which `benchwarden analyze` gives the operator's own numbers.
    """
    from benchwarden.results.cells import history_lines, merged_cells, unpack_cells
    from benchwarden.scheduling.evaluate import frozen_note
    from benchwarden.scheduling.history import history_of

    entries = [entry for data in _shards(read_text(shards)) for entry in unpack_cells(data)]
    history = history_of(entries)
    found = history.epochs(series)
    if not found or (epoch is not None and epoch > len(found)):
        raise InvalidInputError(
            f"there are no results of series {series}" + (f" {epoch}" if epoch else ""),
            reason=NO_CELLS,
        )
    chosen = found[epoch - 1 if epoch is not None else -1]
    sys.stdout.write(history_lines(merged_cells(chosen.runs)))
    note = frozen_note(history, chosen, series)
    options = ["--baseline-days", note.get("days")] if note is not None else []
    frozen_on = note.get("frozenOn") if note is not None else ""
    voided = {day for day in history.voids() if day > frozen_on}
    voided |= set(filter(None, note.get("voided").split(","))) if note is not None else set()
    for day in sorted(voided):
        options += ["--void", day]
    print(f"benchwarden analyze - {shlex.join(options)}".rstrip(), file=sys.stderr)


def _shards(text: str) -> list[bytes]:
    """The data of every shard in the order of their names."""
    from benchwarden.results.cells import KEY_CELLS

    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"not JSON: {error.msg}", reason=NO_CELLS) from None
    items: list[Any] = read.get("items", [read]) if isinstance(read, Mapping) else []
    found: dict[str, bytes] = {}
    for item in items:
        packed = (item.get("binaryData") or {}).get(KEY_CELLS)
        if packed is not None:
            found[str(item["metadata"]["name"])] = base64.b64decode(packed)
    if not found:
        raise InvalidInputError("holds no ConfigMap with daily cells", reason=NO_CELLS)
    return [found[name] for name in sorted(found)]
