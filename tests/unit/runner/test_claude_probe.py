import pytest
from tests.claude_binary import VERSION
from tests.unit.runner.claude_bench import FOR_EVER, MODEL, probe, status

from benchwarden_runner import protocol

pytestmark = pytest.mark.claude


def test_a_probe_reports_version_checksum_and_model_at_one_request(bench):
    report, api = probe(bench, {})
    assert report.outcome == protocol.COMPLETED, report
    assert (report.cli_version, report.model) == (VERSION, MODEL)
    sums = (bench.tools / "claude" / "SHA256SUMS").read_text()
    assert f"{report.cli_sha256}  claude-glibc" in sums
    assert float(report.cost_usd) > 0
    assert len(api.message_requests) == 1


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ({"keys": ["sk-another-key-12345"]}, protocol.AUTH),
        ({"models": ["claude-other"]}, protocol.UNKNOWN_MODEL),
        (
            {
                "faults": [
                    status(
                        400,
                        "invalid_request_error",
                        "Claude Code 2.1.330 does not support this model; version 9.1.2 or newer is "
                        "required",
                    )
                ]
            },
            protocol.CLI_TOO_OLD,
        ),
        ({"faults": [status(429, "rate_limit_error")]}, protocol.API_RATE_LIMIT),
        ({"faults": [{"kind": "reset", "times": FOR_EVER}]}, protocol.API_CONNECTION),
    ],
    ids=["bad key", "unknown model", "CLI too old", "rate limit", "connection"],
)
def test_a_probe_says_what_would_fail_every_instance(bench, script, outcome):
    report, api = probe(bench, script)
    assert report.outcome == outcome, report
    assert len(api.message_requests) <= 4  # refused ones cost nothing
    assert "sk-good-key" not in report.reason


def test_a_probe_of_another_version_is_the_harness(bench):
    report, api = probe(bench, {}, version="2.1.1")
    assert report.outcome == protocol.HARNESS
    asked = f"asked for Claude Code 2.1.1, found {VERSION}"
    assert (
        report.reason == f"{protocol.REASON_CLI_MISMATCH}: {asked}"
    )  # what the operator looks for
    assert not api.requests
