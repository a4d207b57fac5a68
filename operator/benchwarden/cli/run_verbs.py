"""What a user may do with runs: retry what the infrastructure lost, cancel, suspend, resume."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from benchwarden import names
from benchwarden.cli.cluster import RUN, CommandError, Target, connected, on_a_cluster, target
from benchwarden.cli.completion import complete_any, complete_run
from benchwarden.cli.editing import edit
from benchwarden.errors import InvalidInputError

RunsArgument = Annotated[
    list[str], typer.Argument(metavar="RUN", help="Runs.", autocompletion=complete_run)
]
ThingsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="run/NAME or schedule/NAME; a bare NAME is a run's.",
        autocompletion=complete_any,
    ),
]
Decision = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (retry, cancel, suspend, resume):
        app.command(command.__name__)(on_a_cluster(command))


def retry(
    runs: RunsArgument,
    failed_infra: Annotated[
        bool,
        typer.Option(
            "--failed-infra", help="Try the trials again that the infrastructure lost. Needed."
        ),
    ] = False,
) -> None:
    """Give the missing trials of ended runs another chance.

    Verdicts stand: repeating failures until they pass would make every pass rate worthless.
    """
    if not failed_infra:
        raise InvalidInputError(
            "is needed: only what the infrastructure lost can be tried again, verdicts stand",
            reason=names.REASON_INVALID_SPEC,
            field="--failed-infra",
        )
    _each([target(name, only=RUN) for name in runs], _one_retry_more, "retried")


def _one_retry_more(run: Mapping[str, Any]) -> Mapping[str, Any] | None:
    name = run["metadata"]["name"]
    told: Mapping[str, Any] = run.get("status") or {}
    asked = int(run["spec"].get("retry") or 0)
    if not _ended(told):
        raise CommandError(f"run {name} has not ended yet; wait for it", names.EXIT_FAILED)
    if asked > int(told.get("retriesHandled") or 0):
        return None  # asked for already and not begun yet
    if not int((told.get("counts") or {}).get("missing") or 0):
        raise CommandError(f"run {name} misses no trial: nothing to retry", names.EXIT_FAILED)
    return {"retry": asked + 1}


def cancel(runs: RunsArgument) -> None:
    """End runs now and keep what they have; cannot be taken back."""
    _each([target(name, only=RUN) for name in runs], _cancelled, "cancelled")


def _cancelled(run: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if run["spec"].get("cancel"):
        return None
    if _ended(run.get("status") or {}):
        name = run["metadata"]["name"]
        raise CommandError(f"run {name} has ended already", names.EXIT_FAILED)
    return {"cancel": True}


def suspend(things: ThingsArgument) -> None:
    """Start no new batches of a run, no new runs of a schedule; what runs finishes."""
    _each([target(name) for name in things], _suspended(suspend=True), "suspended")


def resume(things: ThingsArgument) -> None:
    """Go on with what was suspended."""
    _each([target(name) for name in things], _suspended(suspend=False), "resumed")


def _suspended(*, suspend: bool) -> Decision:
    def decide(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
        same = bool(found["spec"].get("suspend")) is suspend
        return None if same else {"suspend": suspend}

    return decide


def _each(named: list[Target], decide: Decision, done: str) -> None:
    """Change one after the other; the first that cannot be ends the command."""
    with connected() as desk:
        for each in named:
            before: list[bool] = []

            def noting(found: Mapping[str, Any], noted: list[bool] = before) -> Any:
                change = decide(found)
                noted[:] = [change is None]
                return change

            edit(desk, each, noting)
            typer.echo(f"{each} {done}" + (" (unchanged)" if before[-1] else ""))


def _ended(told: Mapping[str, Any]) -> bool:
    from benchwarden.reconcile.conditions import has_ended

    return has_ended(told)
