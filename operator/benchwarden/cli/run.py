"""`benchwarden run FILE --local`: the embedded way to run a BenchmarkRun."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchwarden import names
from benchwarden.cli.loading import ConfigMapOption, FileArgument, load
from benchwarden.cli.output import Format, FormatOption, console, print_summary
from benchwarden.errors import InvalidInputError

if TYPE_CHECKING:
    from benchwarden.cli.progress import ProgressLine
    from benchwarden.local.session import Request, Result

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder of this run; the same one again goes on. [default: ./out/NAME]",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    file: FileArgument,
    local: Annotated[
        bool, typer.Option("--local", help="Run on this machine, with processes for pods.")
    ] = False,
    out: OutOption = None,
    parallelism: Annotated[
        int | None,
        typer.Option(
            min=1, help="Batches at the same time. [default: the spec's, at most one a processor]"
        ),
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try the missing trials of a finished run again.")
    ] = False,
    config_map: ConfigMapOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Start nothing: show the pods and the worst cost, as plan."),
    ] = False,
    output: FormatOption = Format.table,
) -> None:
    """Run a BenchmarkRun and print what it came to.

    The same FILE and folder again go on where an earlier call stopped; finished trials are not repeated.
    Agents and tests run as ordinary processes of yours: use it for suites and agents you trust, or in a
    container or virtual machine of its own.
    """
    if dry_run:
        from benchwarden.cli.plan import show

        show(file, config_map, output)
        return
    if not local:
        raise InvalidInputError(
            f"add it to run on this machine; on a cluster, kubectl apply -f {file}",
            reason=names.REASON_INVALID_SPEC,
            field="--local",
        )
    from benchwarden.cli.progress import ProgressLine
    from benchwarden.local.session import Request

    read, panel = load(file, config_map)
    request = Request(
        file=read,
        panel=panel,
        out=out or Path("out") / read.run.metadata.name,
        environment=dict(os.environ),
        parallelism=parallelism,
        try_missing_again=retry,
    )
    with ProgressLine(console(error=True)) as progress:
        result = until_done_or_told_to_stop(request, progress)
    print_summary(result.summary, output)
    shown = console(error=output is not Format.table)
    shown.print()
    shown.print(f"Report    {result.report}", soft_wrap=True)
    shown.print(f"Results   {result.results}", soft_wrap=True)
    raise typer.Exit(_exit_code(result))


def until_done_or_told_to_stop(request: "Request", progress: "ProgressLine") -> "Result":
    """Run; SIGINT and SIGTERM end all processes first and then this one with 130."""
    import asyncio
    import signal
    from datetime import UTC, datetime

    from benchwarden.local.executor import Listener
    from benchwarden.local.session import run_locally

    listener = Listener(progress.planned, progress.launched, progress.recorded, progress.told)

    async def work() -> "Result":
        loop = asyncio.get_running_loop()
        task = loop.create_task(run_locally(request, listener, lambda: datetime.now(UTC)))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(work())
    except asyncio.CancelledError:
        print("error: interrupted; the same command again goes on", file=sys.stderr)
        raise typer.Exit(names.EXIT_INTERRUPTED) from None


def _exit_code(result: "Result") -> int:
    from benchwarden.reconcile.conditions import FALSE, TRUE, find

    conditions = result.status.get("conditions") or []
    if find(conditions, names.CONDITION_REGRESSED).get("status") == TRUE:
        return names.EXIT_REGRESSED
    if find(conditions, names.CONDITION_SUCCEEDED).get("status") == FALSE:
        return names.EXIT_FAILED
    return names.EXIT_OK
