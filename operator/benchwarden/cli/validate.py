"""`benchwarden validate`: which instances of a suite cannot measure an agent, from runs that need no model."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.loading import ConfigMapOption, load
from benchwarden.cli.output import Format, FormatOption, console, print_data
from benchwarden.errors import InvalidInputError

if TYPE_CHECKING:
    from benchwarden.local.runfile import RunFile
    from benchwarden.results.quarantine import Entry
    from benchwarden.results.row import Row
    from benchwarden.suites.instance import Panel

ORACLE: Final = "oracle"
NOP: Final = "nop"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("validate")(validate)


def validate(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="YAML with a BenchmarkRun.")
    ] = None,
    *,
    local: Annotated[
        bool, typer.Option("--local", help="Run oracle and nop on this machine.")
    ] = False,
    manifests: Annotated[
        bool,
        typer.Option("--manifests", help="Print FILE's run with oracle and with nop, to apply."),
    ] = False,
    from_results: Annotated[
        list[Path] | None,
        typer.Option(metavar="ROWS", help="Result rows of oracle runs; may be repeated."),
    ] = None,
    nop: Annotated[
        list[Path] | None,
        typer.Option(metavar="ROWS", help="Result rows of nop runs; may be repeated."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, max=100, help="How often oracle runs.")] = 3,
    max_grade_seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Longest grading. [default: the run's gradeTimeoutSeconds]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the runs. [default: ./out/NAME]")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the quarantine list as YAML.")
    ] = None,
    config_map: ConfigMapOption = None,
    output: FormatOption = Format.table,
) -> None:
    """Find the instances that cannot measure an agent.

    The reference solution must pass every time, no change must not pass, and both in time. Exit code 1 if
    an instance is to be left out or nothing is known of it.
    """
    _check_ways([local, manifests, bool(from_results)], file, from_results)
    if manifests and file is not None:
        _print_manifests(file, trials)
        return
    if local and file is not None:
        read, panel = load(file, config_map)
        rows = _run_both(read, panel, out or Path("out") / read.run.metadata.name, trials)
        limit = max_grade_seconds or read.run.spec.execution.grade_timeout_seconds
        known = [instance.id for instance in panel.instances]
    else:
        rows = {ORACLE: _read(from_results or []), NOP: _read(nop or [])}
        limit = max_grade_seconds or _default_seconds()
        known = sorted({row.instance for each in rows.values() for row in each})
    raise typer.Exit(_report(rows, known, limit, write, output))


def _check_ways(ways: list[bool], file: Path | None, from_results: list[Path] | None) -> None:
    if sum(ways) != 1:
        raise InvalidInputError(
            "say one of --local, --manifests and --from-results",
            reason=names.REASON_INVALID_SPEC,
        )
    if bool(from_results) == (file is not None):
        raise InvalidInputError(
            "goes with --local and --manifests, and only with them",
            reason=names.REASON_INVALID_SPEC,
            field="FILE",
        )


def _report(
    rows: Mapping[str, list["Row"]],
    known: list[str],
    limit: float,
    write: Path | None,
    output: Format,
) -> int:
    from benchwarden.results.quarantine import Limits, quarantine, unproven

    entries = quarantine(rows[ORACLE], rows[NOP], Limits(grade_seconds=limit))
    open_ = unproven(rows[ORACLE], known, entries)
    listed = [entry._asdict() for entry in entries]
    if write is not None:
        import yaml

        write.write_text(yaml.safe_dump(listed, sort_keys=False, allow_unicode=True), "utf-8")
    if output is Format.table:
        _print_table(entries, open_)
        print(
            f"{len(known)} instances: {len(entries)} to quarantine, {len(open_)} unproven"
            + ("" if rows[NOP] else "; nop was not run")
        )
    else:
        print_data({"quarantine": listed, "unproven": list(open_)}, output)
    return names.EXIT_FAILED if entries or open_ else names.EXIT_OK


def _run_both(read: "RunFile", panel: "Panel", out: Path, trials: int) -> dict[str, list["Row"]]:
    import os

    from benchwarden.cli.progress import ProgressLine
    from benchwarden.cli.run import until_done_or_told_to_stop
    from benchwarden.local.directory import read_rows
    from benchwarden.local.session import Request

    found: dict[str, list[Row]] = {}
    for agent, times in ((ORACLE, trials), (NOP, 1)):
        request = Request(
            file=_with_agent(read, agent, times),
            panel=panel,
            out=out / agent,
            environment=dict(os.environ),
        )
        with ProgressLine(console(error=True)) as progress:
            result = until_done_or_told_to_stop(request, progress)
        found[agent] = read_rows(result.results)
    return found


def _with_agent(read: "RunFile", agent: str, trials: int) -> "RunFile":
    from benchwarden.api.agent import AgentSpec

    spec = read.run.spec
    execution = spec.execution.model_copy(update={"trials_per_instance": trials})
    changes = {
        "agent": AgentSpec.model_validate({agent: {}}),
        "execution": execution,
        "budget": None,
        "compare_to": None,
    }
    run = read.run.model_copy(update={"spec": spec.model_copy(update=changes)})
    return replace(read, run=run)


def _print_manifests(file: Path, trials: int) -> None:
    """FILE as it is written, twice, with what validating changes; ConfigMaps come along once."""
    import yaml

    from benchwarden.local.runfile import read_run_file

    read_run_file(file)
    documents = [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each]
    runs = [each for each in documents if each.get("kind") == names.RUN_KIND]
    others = [each for each in documents if each.get("kind") != names.RUN_KIND]
    made = [_manifest(run, agent, n) for run in runs for agent, n in ((ORACLE, trials), (NOP, 1))]
    print(yaml.safe_dump_all([*others, *made], sort_keys=False, allow_unicode=True), end="")


def _manifest(run: Mapping[str, Any], agent: str, trials: int) -> dict[str, Any]:
    spec = {key: run["spec"][key] for key in run["spec"] if key not in {"budget", "compareTo"}}
    execution = {**(spec.get("execution") or {}), "trialsPerInstance": trials}
    metadata = {**run["metadata"], "name": f"{run['metadata']['name']}-{agent}"}
    return {
        **run,
        "metadata": metadata,
        "spec": {**spec, "agent": {agent: {}}, "execution": execution},
    }


def _read(paths: Iterable[Path]) -> list["Row"]:
    from benchwarden.local.directory import FILE_RESULTS, read_rows

    files = [path / FILE_RESULTS if path.is_dir() else path for path in paths]
    for file in files:
        if not file.exists():
            raise InvalidInputError(
                "does not exist", reason=names.REASON_INVALID_SPEC, field=str(file)
            )
    return [row for file in files for row in read_rows(file)]


def _default_seconds() -> float:
    from benchwarden.results.quarantine import Limits

    return Limits().grade_seconds


def _print_table(entries: Iterable["Entry"], unproven: Iterable[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("INSTANCE", overflow="fold")
    table.add_column("REASON", overflow="fold")
    for entry in entries:
        table.add_row(Text(entry.id), Text(entry.reason))
    for each in unproven:
        table.add_row(Text(each), Text("unproven: no reference run came to a verdict"))
    if table.row_count:
        console().print(table)
