"""The heading of a report from a run's status: what the cluster's object says, a stored one says too."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from benchwarden import names
from benchwarden.report.summary import Heading


def heading_of(
    run: str,
    status: Mapping[str, Any],
    *,
    namespace: str = "",
    executor: str = "",
    quarantined: tuple[tuple[str, str], ...] = (),
) -> Heading:
    """Return the heading; whatever the status does not say yet stays empty."""
    suite, agent = status.get("suite") or {}, status.get("agent") or {}
    ended: Mapping[str, Any] = next(
        (
            each
            for each in status.get("conditions") or ()
            if each.get("type") == names.CONDITION_SUCCEEDED
        ),
        {},
    )
    return Heading(
        run=run,
        namespace=namespace,
        suite=str(suite.get("name") or ""),
        panel_digest=str(suite.get("panelDigest") or ""),
        agent=str(agent.get("kind") or ""),
        model=str(agent.get("model") or ""),
        cli_version=str(agent.get("cliVersion") or ""),
        executor=executor,
        started_at=_moment(status.get("startedAt")),
        finished_at=_moment(status.get("finishedAt")),
        reason=str(ended.get("reason") or ""),
        message=str(ended.get("message") or ""),
        quarantined=quarantined,
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
