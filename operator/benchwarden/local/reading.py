"""A run's directory read back: the summary of what is in it and the report page beside it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from benchwarden.errors import InvalidInputError
from benchwarden.local.bench import AGENT, GRADE, LOG_SUFFIX
from benchwarden.local.directory import (
    FILE_REPORT,
    FILE_REPORT_DATA,
    FILE_RESULTS,
    FILE_RUN,
    RunDirectory,
    files_of,
    read_rows,
)
from benchwarden.names import REASON_INVALID_SPEC
from benchwarden.planning.plan import TrialKey
from benchwarden.report.document import to_json
from benchwarden.report.heading import heading_of
from benchwarden.report.html import Link, to_html
from benchwarden.report.summary import Summary, summarise
from benchwarden_runner import protocol

EXECUTOR: Final = "local"
KEPT_FILES: Final = {
    protocol.FILE_TRANSCRIPT: "Transcript",
    protocol.FILE_STREAM: "Stream",
    protocol.FILE_PATCH: "Patch",
    protocol.FILE_TEST_LOG: "Test log",
    f"{AGENT}{LOG_SUFFIX}": "Agent supervisor's log",
    f"{GRADE}{LOG_SUFFIX}": "Grader's log",
}


def read_summary(path: Path) -> Summary:
    """The summary of a run directory, or of a file with result rows alone.

    Rows alone do not say what was planned: every trial they mention counts as planned.

    Raises:
        InvalidInputError: there is nothing of the kind at `path`, or it cannot be read.
    """
    if path.is_file():
        rows = read_rows(path)
        keys = dict.fromkeys(row.key for row in rows)
        return summarise(heading_of(path.stem, {}), keys, rows)
    if not (path / FILE_RUN).is_file():
        raise InvalidInputError(
            f"{path} is neither a run's directory nor a {FILE_RESULTS}; give the --out of a run",
            reason=REASON_INVALID_SPEC,
            field="PATH",
        )
    directory = RunDirectory(path)
    name = str(json.loads((path / FILE_RUN).read_bytes())["name"])
    return summary_of(directory, name, directory.read_status())


def summary_of(
    directory: RunDirectory,
    name: str,
    status: Mapping[str, Any],
    quarantined: tuple[tuple[str, str], ...] = (),
) -> Summary:
    """The summary of an open run directory."""
    plan = directory.read_plan()
    planned = sorted(key for group in plan.groups for key in group) if plan is not None else []
    heading = heading_of(name, status, executor=EXECUTOR, quarantined=quarantined)
    return summarise(heading, planned, read_rows(directory.results))


def write_report(directory: RunDirectory, summary: Summary) -> Path:
    """Write report.html and report.json into the directory; the page's path."""
    page = directory.root / FILE_REPORT
    page.write_text(to_html(summary, links(directory, summary)), encoding="utf-8")
    (directory.root / FILE_REPORT_DATA).write_text(to_json(summary), encoding="ascii")
    return page


def links(directory: RunDirectory, summary: Summary) -> dict[TrialKey, list[Link]]:
    """The files that exist of each trial's deciding launch, relative to the directory."""
    found: dict[TrialKey, list[Link]] = {}
    for result in summary.results:
        if result.row is None:
            continue
        folder = directory.trial(result.row.member)
        present: Iterable[str] = files_of(folder, KEPT_FILES)
        relative = folder.relative_to(directory.root).as_posix()
        found[result.key] = [
            Link(KEPT_FILES[name], quote(f"{relative}/{name}")) for name in present
        ]
    return found
