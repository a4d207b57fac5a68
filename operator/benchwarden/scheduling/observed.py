"""What a schedule sees of its runs: who they are, which slot they stand for, and whether they ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchwarden import names

_ENDED = ("True", "False")


@dataclass(frozen=True, slots=True)
class RunFact:
    """One run of the schedule.

    Attributes:
        ended: its condition Succeeded is true or false.
        retry: the value of `spec.retry` that its numbers are about.
        resolved: resolved and valid trials, such as `34/50`.
    """

    name: str
    uid: str
    slot: datetime
    series: str
    factor: int = 1
    ended: bool = False
    succeeded: bool = False
    cancelled: bool = False
    reason: str = ""
    retry: int = 0
    resolved: str = ""
    cli_version: str = ""
    finished_at: str = ""


def run_fact(raw: Mapping[str, Any]) -> RunFact | None:
    """What a schedule needs of a run as the API server shows it; None if it is no schedule's run."""
    metadata = raw.get("metadata") or {}
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    slot = moment_or_none(annotations.get(names.ANNOTATION_SLOT))
    if slot is None or metadata.get("deletionTimestamp"):
        return None
    status = raw.get("status") or {}
    succeeded: Mapping[str, Any] = next(
        (
            each
            for each in status.get("conditions") or ()
            if each.get("type") == names.CONDITION_SUCCEEDED
        ),
        {},
    )
    ended = succeeded.get("status") in _ENDED
    wanted = int((raw.get("spec") or {}).get("retry") or 0)
    handled = int(status.get("retriesHandled") or 0)
    factor = str(annotations.get(names.ANNOTATION_TRIALS_FACTOR) or "1")
    return RunFact(
        name=str(metadata.get("name")),
        uid=str(metadata.get("uid")),
        slot=slot,
        series=str(labels.get(names.LABEL_SERIES) or names.SERIES_LATEST),
        factor=int(factor) if factor.isdecimal() else 1,
        # A retry that was asked for and not taken up yet makes an ended run active again.
        ended=ended and wanted <= handled,
        succeeded=succeeded.get("status") == "True",
        cancelled=bool((raw.get("spec") or {}).get("cancel")),
        reason=str(succeeded.get("reason") or ""),
        retry=handled,
        resolved=str(status.get("resolvedOfTotal") or ""),
        cli_version=str((status.get("agent") or {}).get("cliVersion") or ""),
        finished_at=str(status.get("finishedAt") or ""),
    )


def owner_uid(raw: Mapping[str, Any]) -> str:
    """UID of the schedule that controls a run, or nothing."""
    return str(_controller(raw).get("uid") or "")


def controlling_schedule(raw: Mapping[str, Any]) -> str:
    """Name of the schedule that controls a run, or nothing."""
    return str(_controller(raw).get("name") or "")


def _controller(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = (raw.get("metadata") or {}).get("ownerReferences") or ()
    for owner in owners:
        if owner.get("kind") == names.SCHEDULE_KIND and owner.get("controller"):
            found: Mapping[str, Any] = owner
            return found
    return {}


def moment_or_none(text: object) -> datetime | None:
    """A moment from RFC 3339 text, in UTC; None if it is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
