"""Attribution: what else changed when the agent did, and whether a pinned CLI got worse as well."""

from collections.abc import Sequence
from datetime import date

from benchwarden.errors import InvalidInputError
from benchwarden.results.cells import RunCells, merged_cells
from benchwarden.scheduling.evaluate import Evaluation
from benchwarden.stats.comparison import compare
from benchwarden.stats.windows import ALPHA, Verdict

CLI = "Cli"
SERVICE = "ModelOrService"
BOTH = "Both"
UNDETERMINED = "Undetermined"

PAGING = frozenset({"degraded", "confirmed"})
_WEEK = 7


def cli_change(runs: Sequence[RunCells], change_day: date | None) -> str:
    """The newest change of the CLI up to the estimated day of the change, in words.

    Args:
        runs: of the current epoch, in slot order.
        change_day: first day of the degradation; None looks at all days.

    Returns:
        Such as `2.1.329 -> 2.1.330 the day before`, or nothing if the CLI never changed.
    """
    found: tuple[str, str, date] | None = None
    version = ""
    for run in runs:
        if not run.cli_version:
            continue
        day = date.fromisoformat(run.day)
        if version and run.cli_version != version and (change_day is None or day <= change_day):
            found = (version, run.cli_version, day)
        version = run.cli_version
    if found is None:
        return ""
    old, new, day = found
    return f"{old} -> {new} {_when(day, change_day)}"


def _when(day: date, change_day: date | None) -> str:
    if change_day is None:
        return f"on {day.isoformat()}"
    before = (change_day - day).days
    if before == 0:
        return "on the same day"
    return "the day before" if before == 1 else f"{before} days before"


def attribution(latest: Evaluation, pinned: Evaluation) -> str:
    """Whose fault a drop is, if the monitor pages; empty if it does not.

    The pinned series decides: if it got worse as well, the model or the service did; if it could have shown
    the minimum effect and did not, the CLI did. Both means that the newest CLI is worse still.
    """
    if latest.state not in PAGING or latest.analysis is None or pinned.analysis is None:
        return ""
    windows = pinned.analysis.windows
    week = windows.get(_WEEK) or next((each for each in windows.values() if each), None)
    worse = pinned.state in PAGING or (week is not None and week.verdict is Verdict.REGRESSED)
    if not worse:
        quiet = week is not None and week.verdict in {Verdict.OK, Verdict.IMPROVED}
        return CLI if quiet else UNDETERMINED
    return BOTH if _latest_is_worse(latest, pinned) else SERVICE


def _latest_is_worse(latest: Evaluation, pinned: Evaluation) -> bool:
    """Whether the newest CLI does worse than the pinned one since the change."""
    report = latest.analysis.monitor if latest.analysis is not None else None
    if report is None or report.final.change_day is None:
        return False
    since = report.final.change_day
    try:
        found = compare(_since(pinned, since), _since(latest, since))
    except InvalidInputError:
        return False
    return found.test.midp_less < ALPHA


def _since(evaluation: Evaluation, day: date) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    runs = evaluation.epoch.runs if evaluation.epoch is not None else ()
    for cell in merged_cells(run for run in runs if date.fromisoformat(run.day) >= day):
        passes, trials = sums.get(cell.instance, (0, 0))
        if cell.day not in evaluation.settings.voided:
            sums[cell.instance] = (passes + cell.passes, trials + cell.trials)
    return sums
