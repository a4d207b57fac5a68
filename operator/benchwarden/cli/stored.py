"""What a cluster stores of a run or a schedule, read once and put into the shapes the printers know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchwarden import names
from benchwarden.cli.cluster import SCHEDULE, CommandError, Target, is_target, target
from benchwarden.cli.stats_output import STANDARD_INPUT, UNREADABLE
from benchwarden.errors import InvalidInputError

if TYPE_CHECKING:
    from benchwarden.api.schedule import BenchmarkSchedule
    from benchwarden.kube.desk import Desk
    from benchwarden.report.summary import Summary
    from benchwarden.results.row import Row
    from benchwarden.scheduling.evaluate import Evaluation
    from benchwarden.scheduling.history import History

EXECUTOR: Final = "kubernetes"
WHERE_HELP: Final = (
    "run/NAME or schedule/NAME of the cluster, a run's folder, a file of rows; a bare NAME that is"
    " no file here is a run's."
)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run with its rows."""

    run: Mapping[str, Any]
    summary: "Summary"
    rows: "tuple[Row, ...]"


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule with its history."""

    schedule: "BenchmarkSchedule"
    raw: Mapping[str, Any]
    history: "History"

    def evaluation(self, series: str) -> "Evaluation":
        """The operator's own answer, computed here from the same cells."""
        from benchwarden.scheduling.evaluate import evaluate, policy_of

        return evaluate(self.history, policy_of(self.schedule.spec), series)


def place(text: str) -> Target | Path:
    """What the text means: a thing of the cluster, or a file or folder here."""
    path = Path(text)
    if is_target(text):
        return target(text)
    if path.exists() or "/" in text or path.suffix in {".json", ".jsonl"}:
        return path
    return target(text)


def read_run(desk: "Desk", named: Target) -> StoredRun:
    """A run with all rows that the cluster stores of it.

    Raises:
        CommandError: what it stores cannot be read.
    """
    from benchwarden.controller import durable
    from benchwarden.manifests.settings import RunIdentity
    from benchwarden.report.heading import heading_of
    from benchwarden.report.summary import summarise

    run = desk.get(named.resource, named.name)
    metadata = run["metadata"]
    identity = RunIdentity(named.name, str(metadata["namespace"]), str(metadata["uid"]))
    try:
        stored = desk.ask(lambda client: durable.read(client, identity))
    except (InvalidInputError, ValueError) as error:
        raise CommandError(
            f"the results of {named} cannot be read: {error}", names.EXIT_FAILED
        ) from error
    plan = stored.plan
    planned = (
        sorted(key for group in plan.groups for key in group)
        if plan is not None
        else sorted({row.key for row in stored.rows})
    )
    heading = heading_of(
        named.name, run.get("status") or {}, namespace=identity.namespace, executor=EXECUTOR
    )
    return StoredRun(run, summarise(heading, planned, stored.rows), stored.rows)


def read_schedule(desk: "Desk", named: Target) -> StoredSchedule:
    """A schedule with its whole history.

    Raises:
        CommandError: a shard of the history is damaged.
    """
    from benchwarden.api.parse import parse_schedule
    from benchwarden.controller.schedule_store import entries_of
    from benchwarden.kube.resources import CONFIG_MAPS
    from benchwarden.scheduling.history import history_of

    raw = desk.get(named.resource, named.name)
    labels = (
        f"{names.LABEL_SCHEDULE_UID}={raw['metadata']['uid']},{names.LABEL_ROLE}={names.ROLE_CELLS}"
    )
    shards = sorted(
        desk.list(CONFIG_MAPS, labels=labels), key=lambda each: str(each["metadata"]["name"])
    )
    try:
        entries = [entry for shard in shards for entry in entries_of(shard)]
    except InvalidInputError as error:
        raise CommandError(
            f"the history of {named} cannot be read: {error}", names.EXIT_FAILED
        ) from error
    return StoredSchedule(parse_schedule(raw), raw, history_of(entries))


def side(text: str) -> str | None:
    """A side of a comparison that lies in the cluster, as JSON lines of cells; None if it is a file.

    Runs are `run/NAME`; `schedule/NAME` is everything its current series has measured.

    Raises:
        InvalidInputError: it is a bare name of nothing here.
    """
    if text == STANDARD_INPUT or isinstance(named := place(text), Path):
        return None
    if not is_target(text):
        hint = f"No such file; a run of the cluster is {named}"
        raise InvalidInputError(hint, reason=UNREADABLE, field=text)
    from benchwarden.cli.cluster import connected

    with connected() as desk:
        if named.kind == SCHEDULE:
            return _series_lines(read_schedule(desk, named))
        found = read_run(desk, named)
    from benchwarden.results.tally import Tally

    cells = Tally(found.rows).cells()
    if not cells:
        raise CommandError(f"{named} has no verdict yet", names.EXIT_FAILED)
    return "".join(
        json.dumps({"instance": instance, "passes": passes, "trials": trials}) + "\n"
        for instance, (passes, trials) in cells.items()
    )


def _series_lines(found: StoredSchedule) -> str:
    from benchwarden.results.cells import history_lines, merged_cells

    epochs = found.history.epochs(names.SERIES_LATEST)
    if not epochs:
        name = found.raw["metadata"]["name"]
        raise CommandError(f"schedule {name} has no results yet", names.EXIT_FAILED)
    return history_lines(merged_cells(epochs[-1].runs))
