"""`benchwarden export` and `import`: results in and out of other formats, and whole namespaces in one archive."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchwarden import names
from benchwarden.cli.cluster import (
    SCHEDULE,
    CommandError,
    Target,
    connected,
    on_a_cluster,
)
from benchwarden.cli.completion import complete_any
from benchwarden.cli.stored import WHERE_HELP, place, read_run
from benchwarden.errors import InvalidInputError
from benchwarden.exchange.names import ExchangeFormat

if TYPE_CHECKING:
    from benchwarden.exchange.results import Results

TrialOption = Annotated[
    int | None,
    typer.Option("--trial", min=0, help="eval-results: which trial, counted from 0."),
]
ScorerOption = Annotated[
    str, typer.Option("--scorer", help="inspect, harbor: which of several scores or rewards.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(on_a_cluster(export))
    app.command("import")(on_a_cluster(import_))


def export(
    what: Annotated[
        str,
        typer.Argument(metavar="[WHAT]", help=WHERE_HELP, autocompletion=complete_any),
    ] = "",
    form: Annotated[
        ExchangeFormat, typer.Option("--format", help="Format of the results.")
    ] = ExchangeFormat.jsonl,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="File to write, harbor: the job's folder. [default: standard output]",
        ),
    ] = None,
    trial: TrialOption = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Runs, schedules and results of the namespace, as a tar."),
    ] = False,
) -> None:
    """Write a run's results in a format that other tools read, or a whole namespace's as an archive."""
    if everything == bool(what):
        raise _wrong("WHAT", "name a run, or give --all for the whole namespace")
    if everything:
        _export_namespace(out)
        return
    from benchwarden.exchange import formats

    files = formats.write(_results(what), form, formats.Choice(trial=trial))
    if form is ExchangeFormat.harbor:
        _write_folder(out, files)
    else:
        _write(out, files[""])


def _results(what: str) -> "Results":
    from benchwarden.cli.report import rows_at
    from benchwarden.exchange.results import About, Results

    meant = place(what)
    if not isinstance(meant, Target):
        summary_about = _about_folder(meant)
        return Results(summary_about or About(run=meant.stem), tuple(rows_at(meant)))
    if meant.kind == SCHEDULE:
        raise _wrong("WHAT", f"export one of the runs of {meant}, or see benchwarden history")
    with connected() as desk:
        stored = read_run(desk, meant)
    return Results(_about(meant.name, stored.run.get("status") or {}), stored.rows)


def _about(name: str, status: Mapping[str, Any]) -> Any:
    from benchwarden.exchange.results import About

    suite, agent = status.get("suite") or {}, status.get("agent") or {}
    return About(
        run=name,
        suite=str(suite.get("name") or ""),
        panel_digest=str(suite.get("panelDigest") or ""),
        agent=str(agent.get("kind") or ""),
        model=str(agent.get("model") or ""),
        cli_version=str(agent.get("cliVersion") or ""),
        started_at=str(status.get("startedAt") or ""),
        finished_at=str(status.get("finishedAt") or ""),
    )


def _about_folder(path: Path) -> Any:
    import json

    from benchwarden.local.directory import FILE_RUN, RunDirectory

    if not (path / FILE_RUN).is_file():
        return None
    name = str(json.loads((path / FILE_RUN).read_bytes())["name"])
    return _about(name, RunDirectory(path).read_status())


def import_(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A file, a Harbor job's folder, or what export --all wrote."
        ),
    ],
    form: Annotated[
        ExchangeFormat | None,
        typer.Option("--format", help="[default: found out from the content]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Rows as JSON lines. [default: standard output]"
        ),
    ] = None,
    config_map: Annotated[
        str,
        typer.Option(
            "--config-map",
            metavar="NAME",
            help="Put them into the cluster, for compareTo.configMap.",
        ),
    ] = "",
    trial: TrialOption = None,
    scorer: ScorerOption = "",
) -> None:
    """Read results of another tool as rows, which report, results and compare take; or restore a namespace."""
    from benchwarden.exchange import formats
    from benchwarden.exchange.archive import is_archive

    files = _read(path)
    if form is None and is_archive(files.get("", b"")):
        _import_namespace(files[""])
        return
    results = formats.read(files, form, formats.Choice(trial, scorer))
    if not results.rows:
        raise _wrong("PATH", f"{path} holds no results")
    if config_map:
        _store(config_map, results)
        return
    from benchwarden.results import shards

    _write(out, shards.lines(results.rows))
    if out is not None:
        typer.echo(f"{len(results.rows)} rows in {out}", err=True)


def _store(name: str, results: "Results") -> None:
    """One ConfigMap with a compressed shard: what `compareTo.configMap` reads."""
    import base64

    from benchwarden.kube.resources import CONFIG_MAPS
    from benchwarden.results import shards

    packed = shards.pack(results.rows, names.INPUT_CONFIG_MAP_BYTES)
    if len(packed) > 1:
        raise CommandError(
            f"{len(results.rows)} rows are too many for one ConfigMap", names.EXIT_FAILED
        )
    with connected() as desk:
        desk.create(
            {
                "apiVersion": "v1",
                "kind": CONFIG_MAPS.kind,
                "metadata": {
                    "name": name,
                    "namespace": desk.namespace,
                    "labels": {names.LABEL_PART_OF: names.MANAGED_BY},
                },
                "binaryData": {shards.KEY_ROWS: base64.b64encode(packed[0]).decode()},
            }
        )
    typer.echo(
        f"configmap/{name}: compareTo: {{configMap: {{name: {name}, key: {shards.KEY_ROWS}}}}}"
    )


def _export_namespace(out: Path | None) -> None:
    from benchwarden.cli.namespaces import take
    from benchwarden.exchange.archive import pack

    with connected() as desk:
        objects = take(desk)
    _write(out, pack(objects))
    kinds = [str(each["kind"]) for each in objects]
    counted = ", ".join(f"{kinds.count(kind)} {kind}s" for kind in sorted(set(kinds)))
    typer.echo(counted or "nothing to export", err=True)


def _import_namespace(data: bytes) -> None:
    from benchwarden.cli.namespaces import restore
    from benchwarden.exchange.archive import unpack

    objects = unpack(data)
    with connected() as desk:
        for line in restore(desk, objects):
            typer.echo(line)


def _read(path: Path) -> dict[str, bytes]:
    """The file under the name "", or the files of a folder by their paths."""
    from benchwarden.exchange.harbor import FILE

    try:
        if path.is_dir():
            found = sorted(path.glob(f"*/{FILE}"))
            return {each.relative_to(path).as_posix(): each.read_bytes() for each in found}
        return {"": path.read_bytes()}
    except OSError as error:
        raise _wrong("PATH", f"{path}: {error.strerror or 'cannot be read'}") from None


def _write(out: Path | None, data: bytes) -> None:
    if out is None:
        if sys.stdout.isatty() and not data.isascii():
            raise _wrong("--out", "is needed: this format is not for a terminal")
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise _wrong("--out", f"{out}: {error.strerror or 'cannot be written'}") from None


def _write_folder(out: Path | None, files: Mapping[str, bytes]) -> None:
    if out is None:
        raise _wrong("--out", "is needed: this format is a folder")
    if out.exists() and any(out.iterdir()):
        raise _wrong("--out", f"{out} is not empty; name a new folder")
    for name, data in files.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _wrong(field: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, reason=names.REASON_INVALID_SPEC, field=field)
