from datetime import UTC, datetime

from benchwarden.report.heading import heading_of

STATUS = {
    "suite": {"name": "mini", "panelDigest": "abc"},
    "agent": {"kind": "claudeCode", "model": "claude-x", "cliVersion": "2.1.330"},
    "startedAt": "2026-01-01T12:00:00Z",
    "conditions": [
        {"type": "Accepted", "reason": "Valid", "message": "fine"},
        {"type": "Succeeded", "reason": "Completed", "message": "all have a verdict"},
    ],
}


def test_a_status_says_what_a_report_is_of() -> None:
    heading = heading_of("nightly", STATUS, namespace="bench", executor="local")
    assert (heading.suite, heading.agent, heading.cli_version) == ("mini", "claudeCode", "2.1.330")
    assert (heading.reason, heading.message) == ("Completed", "all have a verdict")
    assert heading.started_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert heading.finished_at is None


def test_an_empty_status_leaves_everything_open() -> None:
    heading = heading_of("nightly", {})
    assert heading.run == "nightly"
    assert heading.reason == heading.suite == ""
